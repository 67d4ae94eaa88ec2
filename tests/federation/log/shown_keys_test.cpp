// What one transaction may cost whoever is shown keys, roots and consents [LOG-6, SUC-2], as
// counts of signatures and of texts that are kept.
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "protocol/consent.hpp"
#include "protocol/statement.hpp"
#include "tests/federation/log/log_rig.hpp"
#include "tests/federation/log/signature_counter.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::OutgoingTransaction;
using protocol::SliceStatus;

// As many keys as a slice may show.
constexpr std::size_t most_keys = 64;

// A JWS of the same form whose signature is another's.
std::string with_bad_signature(std::string jws)
{
    const auto at = jws.rfind('.') + 1;
    jws[at] = jws[at] == 'A' ? 'B' : 'A';
    return jws;
}

// carol of c.example has posted in a channel of a.example, and b.example, which follows,
// doesn't know her server.
class ShownKeysTest : public ::testing::Test {
 protected:
    ShownKeysTest() : channel(shared_channel(a, b, "all"))
    {
        EXPECT_TRUE(a.append(a.event(
            channel, {"member.invite", "alice@a.example", R"({"user":"carol@c.example"})"})));
        settle_all(a, b);
        held = b.image(channel)->seq;
        EXPECT_EQ(hand_in(c, a, channel, {c.event(channel, {"member.join", "carol@c.example"})})
                      .at(0)
                      .status,
                  protocol::ItemStatus::accepted);
        b.close();
        std::erase_if(b.pins, [&](const trust::PinnedServer& pinned) {
            return pinned.server == c.identity.name;
        });
        b.open();
    }

    // Her join, with the key of her server as often as a slice may show one.
    [[nodiscard]] OutgoingTransaction shown()
    {
        auto made = slice(a, channel, held, all_entries);
        made.logs[0].keys.assign(most_keys, {c.identity.name, c.identity.key.public_key().x(), {}});
        return made;
    }
    // Signatures verified until the answer is there.
    [[nodiscard]] std::uint64_t cost_of(const OutgoingTransaction& transaction, SliceStatus status)
    {
        const auto before = signatures_verified();
        auto result = b.receive(a, transaction);
        const auto cost = signatures_verified() - before;
        for (const auto& log : result.logs) EXPECT_EQ(log.status, status);
        EXPECT_EQ(result.logs.size(), transaction.logs.size());
        return cost;
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
    std::int64_t held = 0;
};

// [LOG-6] The home's root and the author's, however often keys and seals are repeated.
TEST_F(ShownKeysTest, ARootIsVerifiedOnceForAllSealsAndSlices)
{
    auto made = shown();
    auto& seals = made.logs[0].seals;
    ASSERT_EQ(made.roots.size(), 2U);
    ASSERT_EQ(seals.size(), 1U);
    seals.assign(30, protocol::Seal(seals[0]));
    made.logs.assign(3, protocol::Slice(made.logs[0]));
    auto forged = made;
    forged.roots[1] = with_bad_signature(forged.roots[1]);
    EXPECT_EQ(cost_of(forged, SliceStatus::need_keys), 2U);
    EXPECT_EQ(cost_of(made, SliceStatus::ok), 2U);
    EXPECT_EQ(b.image(channel)->hash, a.image(channel)->hash);
}

// [SUC-2] Under one key of those that are shown, however often it is.
TEST_F(ShownKeysTest, AConsentIsVerifiedOnce)
{
    const auto consent =
        with_bad_signature(protocol::make_consent(c.identity.key, c.identity.name, channel, 2));
    auto made = shown();
    made.logs[0].entries = slice(a, channel, held, 1).logs[0].entries;
    ASSERT_EQ(made.logs[0].entries.size(), 1U);
    auto moving = a.event(
        channel, {"channel.move", "alice@a.example", R"({"consent":")" + consent + R"("})"});
    made.logs[0].entries[0].event = moving.event;
    made.logs[0].entries[0].content = moving.content;
    made.logs[0].seals.clear();
    made.roots.resize(1);
    rechain(made.logs[0]);
    sign_anew(a, made);
    EXPECT_EQ(cost_of(made, SliceStatus::need_keys), 2U);
}

protocol::Transaction with_consents(const Server& home, const ChannelId& channel, std::size_t count)
{
    protocol::Transaction transaction;
    auto& read = transaction.logs.emplace_back();
    auto& slice = read.value.emplace();
    slice.channel = channel;
    for (std::size_t i = 0; i < count; ++i) {
        auto& entry = slice.entries.emplace_back();
        entry.event = R"({"type":"channel.move"})";
        entry.content = R"({"consent":")" +
                        protocol::make_consent(home.identity.key, home.identity.name, channel,
                                               static_cast<std::int64_t>(i + 2)) +
                        R"("})";
    }
    slice.keys = {{home.identity.name, home.identity.key.public_key().x(), {}}};
    return transaction;
}

// Takes a turn of the loop whenever it gets one.
asio::awaitable<void> take_turns(const bool& is_over, int& turns)
{
    const auto executor = co_await asio::this_coro::executor;
    while (!is_over) {
        ++turns;
        co_await asio::post(executor, asio::use_awaitable);
    }
}

template <class T>
asio::awaitable<T> note_end(asio::awaitable<T> task, bool& is_over)
{
    auto result = co_await std::move(task);
    is_over = true;
    co_return result;
}

// How often others had a turn until `task` was over.
template <class T>
int turns_beside(World& world, asio::awaitable<T> task, T& result)
{
    bool is_over = false;
    int turns = 0;
    asio::co_spawn(world.io, take_turns(is_over, turns), asio::detached);
    result = world.run(note_end(std::move(task), is_over));
    return turns;
}

TEST_F(ShownKeysTest, ManyConsentsLetOthersHaveTheirTurns)
{
    const auto transaction = with_consents(c, channel, 100);
    CheckedConsents checked;
    auto keys = b.verifier->key_allowance(transaction);
    EXPECT_GE(turns_beside(b.world, b.verifier->check_consents(transaction, keys), checked), 3);
    EXPECT_EQ(checked.size(), 100U);
    EXPECT_TRUE(checked.begin()->second.holds);
}

TEST_F(ShownKeysTest, ManyRootsLetOthersHaveTheirTurns)
{
    const std::vector<std::string> texts(100, shown().roots.at(0));
    CheckedRoots checked;
    EXPECT_GE(turns_beside(b.world, b.verifier->check_roots(texts), checked), 3);
    ASSERT_EQ(checked.size(), 100U);
    EXPECT_TRUE(checked[99].root);
}

// Else each of a thousand heartbeats would hold a megabyte of roots.
TEST_F(ShownKeysTest, ASliceKeepsTheRootsThatItNames)
{
    const auto made = shown();
    auto texts = made.roots;
    texts.resize(40, "no root, but long");
    const auto roots = b.world.run(b.verifier->check_roots(texts));
    const auto check = [&](protocol::Slice shown_slice) {
        protocol::Read<protocol::Slice> read;
        read.value = std::move(shown_slice);
        return b.verifier->check_slice(std::move(read), roots, a.identity.name);
    };
    EXPECT_EQ(check(made.logs[0]).roots.size(), 2U);
    auto unproven = made.logs[0];
    unproven.latest = 0;
    const auto refused = check(unproven);
    EXPECT_TRUE(refused.problem);
    EXPECT_EQ(refused.roots.size(), 0U);
}

using Slices = std::vector<protocol::Read<protocol::Slice>>;

asio::awaitable<bool> hear(Verifier& verifier, CheckedRoots& roots, const Slices& slices,
                           std::function<bool(std::size_t)> may_hear)
{
    co_await verifier.hear_shown(roots, slices, std::move(may_hear));
    co_return true;
}

// [LOG-6] What is heard at once, and charged for, isn't more than a server keeps of another.
TEST_F(ShownKeysTest, StatementsOfOneServerAreBoundedOverAllSlices)
{
    b.pin(c);
    b.restart();
    c.identity.key = protocol::SigningKey::generate(c.world.random);
    auto under_a_new_key = sealed(c, channel, {c.event(channel, {"x", "carol@c.example"})});
    auto roots = b.world.run(b.verifier->check_roots(under_a_new_key.roots));
    ASSERT_TRUE(roots.at(0).key_missing);
    Slices slices;
    for (int i = 0; i < 3; ++i) {
        auto& keys = slices.emplace_back().value.emplace().keys;
        auto& statements =
            keys.emplace_back(protocol::ShownKey{c.identity.name, {}, {}}).statements;
        for (int j = 0; j < 500; ++j)
            statements.push_back(std::to_string(i) + " " + std::to_string(j % 250));
    }
    bool may = false;
    const auto heard = [&](std::size_t of_slices) {
        std::size_t charged = 0;
        const Slices shown_slices(slices.begin(),
                                  slices.begin() + static_cast<std::ptrdiff_t>(of_slices));
        std::function<bool(std::size_t)> may_hear = [&](std::size_t statements) {
            charged += statements;
            return may;
        };
        b.world.run(hear(*b.verifier, roots, shown_slices, std::move(may_hear)));
        return charged;
    };
    EXPECT_EQ(heard(1), 250U);
    EXPECT_EQ(heard(3), 576U);
    // Once they were heard they cost no more, as often as the slice comes again.
    EXPECT_EQ(heard(1), 250U);
    may = true;
    EXPECT_EQ(heard(1), 250U);
    EXPECT_EQ(heard(1), 0U);
}

}  // namespace
}  // namespace entente::federation::log_rig
