// What statements say is a function of their set [KEY-2]: in whatever order and portions they
// come, the keys, their status and the recovery key are the same. Left out is the one thing
// that depends on arrival: several rotations by one key.
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/trust/statements_rig.hpp"
#include "trust/intake.hpp"

namespace entente::trust {
namespace {

using namespace rig;

constexpr int key_count = 8;
constexpr int recoveries = 3;

enum class Kind : std::uint8_t { own_rotation, recovery_rotation, own_revocation, revocation, kit };

struct Said {
    Kind kind;
    int one, two;  // keys, or recovery keys of a kit
    int by;        // a recovery key
    Millis at;

    [[nodiscard]] std::string text() const
    {
        switch (kind) {
            case Kind::own_rotation: return rotation(one, two, at);
            case Kind::recovery_rotation: return rotation(one, two, at, recovery(by));
            case Kind::own_revocation: return revocation(one, at, key(one));
            case Kind::revocation: return revocation(one, at, recovery(by));
            case Kind::kit: return new_recovery(one % recoveries, two % recoveries, at);
        }
        return {};
    }
};

Said any_statement()
{
    Said said{};
    said.kind = *rc::gen::weightedElement<Kind>({{6, Kind::own_rotation},
                                                 {4, Kind::recovery_rotation},
                                                 {1, Kind::own_revocation},
                                                 {2, Kind::revocation},
                                                 {2, Kind::kit}});
    said.one = *rc::gen::inRange(1, key_count + 1);
    said.two = (said.one + *rc::gen::inRange(1, recoveries) - 1) % key_count + 1;
    said.by = *rc::gen::inRange(0, recoveries);
    said.at = now - *rc::gen::inRange(0, 10);
    return said;
}

// At most one rotation by each key.
std::vector<std::string> any_statements()
{
    std::vector<std::string> texts;
    std::set<int> rotated;
    const auto count = *rc::gen::inRange(1, 20);
    for (int i = 0; i < count; ++i) {
        const auto said = any_statement();
        if (said.kind == Kind::own_rotation && !rotated.insert(said.one).second) continue;
        texts.push_back(said.text());
    }
    return texts;
}

protocol::ServerDocument first_document()
{
    auto first = document({1, 4});
    first.old_keys.push_back({key(6).public_key(), 0, now - 5, 0});
    first.old_keys.push_back({key(7).public_key(), 0, now - 5, now - 4});
    return first;
}

void hear(KeyRing& ring, const std::vector<std::string>& statements)
{
    auto judgement = ring.judge(server, statements, now);
    ring.load(std::move(judgement->server));
}

struct Outcome {
    std::vector<std::optional<PinnedKey>> keys;
    PublicKey recovery;
    bool conflict;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome outcome(const KeyRing& ring)
{
    Outcome found{{}, *ring.recovery_key(server), ring.find(server)->conflict};
    for (int number = 1; number <= key_count; ++number) {
        const auto* pinned = ring.find_key(ref(number));
        found.keys.push_back(pinned == nullptr ? std::nullopt : std::optional(*pinned));
    }
    return found;
}

// [KEY-2]
TEST(StatementsProperty, OrderAndPortionsOfTheirArrivalChangeNothing)
{
    const bool held = rc::check([] {
        const auto statements = any_statements();
        KeyRing at_once;
        at_once.consider(first_document(), now - day_ms);
        auto in_portions = at_once;
        hear(at_once, statements);

        auto left = statements;
        while (!left.empty()) {
            std::vector<std::string> portion;
            const auto size = *rc::gen::inRange<std::size_t>(1, left.size() + 1);
            while (portion.size() < size) {
                const auto place = *rc::gen::inRange<std::size_t>(0, left.size());
                portion.push_back(left[place]);
                left.erase(left.begin() + static_cast<std::ptrdiff_t>(place));
            }
            hear(in_portions, portion);
        }
        RC_ASSERT(outcome(in_portions) == outcome(at_once));
        // And again changes nothing.
        hear(in_portions, statements);
        RC_ASSERT(outcome(in_portions) == outcome(at_once));
    });
    EXPECT_TRUE(held);
}

// What is in the store is all there is: a restart loads it and knows the same.
TEST(StatementsProperty, WhatIsHeldSaysTheSameWhenItIsLoadedAgain)
{
    const bool held = rc::check([] {
        KeyRing ring;
        ring.consider(first_document(), now - day_ms);
        hear(ring, any_statements());
        KeyRing restarted;
        restarted.load(*ring.find(server));
        RC_ASSERT(outcome(restarted) == outcome(ring));
        RC_ASSERT(*restarted.find(server) == *ring.find(server));
    });
    EXPECT_TRUE(held);
}

TEST(StatementsProperty, WithoutAKeyOfTheServerNobodyChangesAnything)
{
    const bool held = rc::check([] {
        KeyRing ring;
        ring.consider(first_document(), now - day_ms);
        const auto before = outcome(ring);
        std::vector<std::string> forged;
        const auto count = *rc::gen::inRange(1, 100);
        for (int i = 0; i < count; ++i) {
            const auto stranger = *rc::gen::inRange(50, 54);
            const auto victim = *rc::gen::inRange(1, key_count + 1);
            forged.push_back(
                *rc::gen::element(rotation(victim, stranger, now - i, key(stranger)),
                                  rotation(stranger, victim == 8 ? 1 : 8, now - i),
                                  revocation(victim, now - i, key(stranger)),
                                  new_recovery(stranger, stranger + 1, now - i),
                                  rotation(victim, stranger, now - i, recovery(stranger))));
        }
        hear(ring, forged);
        RC_ASSERT(outcome(ring) == before);
        RC_ASSERT(ring.find(server)->statements.size() <= max_waiting_statements);
    });
    EXPECT_TRUE(held);
}

}  // namespace
}  // namespace entente::trust
