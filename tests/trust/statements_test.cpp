// What statements do to pins, rule by rule [KEY-2, KEY-3, KEY-4, KEY-10 to KEY-12].
#include <gtest/gtest.h>

#include "tests/trust/statements_rig.hpp"
#include "trust/intake.hpp"

namespace entente::trust {
namespace {

using namespace rig;

class StatementsTest : public testing::Test {
 protected:
    StatementsTest() { ring.consider(document({1}), now - day_ms); }

    PinVerdict read(const std::vector<int>& keys, std::vector<std::string> statements,
                    int recovery_key = 0)
    {
        return ring.consider(document(keys, std::move(statements), recovery_key), now);
    }
    // Statements that somebody hands on.
    void hear(std::vector<std::string> statements, Millis at = now)
    {
        auto judgement = ring.judge(server, statements, at);
        ASSERT_TRUE(judgement);
        ring.load(std::move(judgement->server));
    }
    // Nothing where the key may sign.
    std::optional<Code> refusal(int number, Millis at = now)
    {
        auto found = ring.request_key(ref(number), at);
        if (found) return std::nullopt;
        return found.error().code;
    }
    KeyStatus status(int number)
    {
        const auto* found = ring.find_key(ref(number));
        EXPECT_NE(found, nullptr) << number;
        return found == nullptr ? KeyStatus::lost : found->status;
    }
    bool is_in_conflict() { return ring.find(server)->conflict; }

    static constexpr std::optional<Code> signs = std::nullopt;
    KeyRing ring;
};

// [KEY-2]
TEST_F(StatementsTest, ARotationBringsTheNewKeyAndRetiresTheOld)
{
    EXPECT_EQ(read({2}, {rotation(1, 2, now - 10)}), PinVerdict::updated);
    EXPECT_FALSE(is_in_conflict());
    EXPECT_EQ(refusal(2), signs);
    EXPECT_EQ(status(2), KeyStatus::active);
    EXPECT_EQ(ring.find_key(ref(2))->from, now - 10);
    EXPECT_EQ(status(1), KeyStatus::retired);
    EXPECT_EQ(ring.find_key(ref(1))->until, now - 10);
}

// [KEY-2]
TEST_F(StatementsTest, AReplacedKeySignsForSevenDaysAndNotAMillisecondLonger)
{
    read({2}, {rotation(1, 2, now)});
    EXPECT_EQ(refusal(1, now + key_overlap_ms), signs);
    EXPECT_TRUE(ring.seal_key(ref(1), now, now + key_overlap_ms));
    EXPECT_EQ(refusal(1, now + key_overlap_ms + 1), Code::key_revoked);
    // However its root is dated.
    EXPECT_FALSE(ring.seal_key(ref(1), now, now + key_overlap_ms + 1));
    EXPECT_FALSE(ring.seal_key(ref(1), now + key_overlap_ms + 1, now));
    // For a log that is written it stays.
    EXPECT_NE(ring.find_key(ref(1)), nullptr);
}

// [KEY-2]
TEST_F(StatementsTest, AChainIsFollowedWhateverItsOrder)
{
    EXPECT_EQ(
        read({4}, {rotation(3, 4, now - 10), rotation(1, 2, now - 30), rotation(2, 3, now - 20)}),
        PinVerdict::updated);
    EXPECT_EQ(refusal(4), signs);
    EXPECT_EQ(status(3), KeyStatus::retired);
}

TEST_F(StatementsTest, AChainWithAHoleIsAConflictUntilItIsFilled)
{
    EXPECT_EQ(read({3}, {rotation(2, 3, now - 10)}), PinVerdict::conflict);
    EXPECT_EQ(refusal(3), Code::key_conflict);
    EXPECT_EQ(refusal(1), signs);
    EXPECT_EQ(read({3}, {rotation(1, 2, now - 20)}), PinVerdict::updated);
    EXPECT_FALSE(is_in_conflict());
    EXPECT_EQ(refusal(3), signs);
}

// [KEY-4]
TEST_F(StatementsTest, AConflictLeavesTheApiAndEndsWhenTheDocumentAgrees)
{
    auto stranger = document({7});
    stranger.api = "https://thief.example";
    EXPECT_EQ(ring.consider(stranger, now), PinVerdict::conflict);
    EXPECT_EQ(ring.find(server)->api, "https://chat.a.example");
    EXPECT_EQ(refusal(7), Code::key_conflict);
    EXPECT_EQ(read({2}, {rotation(1, 2, now)}), PinVerdict::updated);
    EXPECT_FALSE(is_in_conflict());
    EXPECT_EQ(refusal(7), Code::unknown_key);
}

TEST_F(StatementsTest, OnlyTheReplacedKeyOrTheRecoveryKeyRotates)
{
    // By the new key itself, by a stranger, by a recovery key that isn't pinned.
    for (const auto* signer : {&key(2), &key(9), &recovery(1)})
        EXPECT_EQ(read({2}, {rotation(1, 2, now, *signer)}), PinVerdict::conflict);
    // A signature that doesn't verify under the key that it names.
    auto forged = rotation(1, 2, now);
    forged.replace(forged.size() - 86, 86, std::string(86, 'A'));
    EXPECT_EQ(read({2}, {forged}), PinVerdict::conflict);
    EXPECT_EQ(read({2}, {rotation(1, 2, now, recovery())}), PinVerdict::updated);
    EXPECT_EQ(refusal(2), signs);
}

TEST_F(StatementsTest, AnotherServersStatementsMeanNothing)
{
    const auto other =
        protocol::make_rotation(ServerName::trusted("b.example"), key(1).id(), key(2), now, key(1));
    EXPECT_EQ(read({2}, {other}), PinVerdict::conflict);
    EXPECT_TRUE(ring.find(server)->statements.empty());
}

// [VER-1]
TEST_F(StatementsTest, WhatIsntAStatementIsPassedOver)
{
    EXPECT_EQ(read({2}, {"", "a.b.c", rotation(1, 2, now)}), PinVerdict::updated);
    EXPECT_EQ(ring.find(server)->statements.size(), 1U);
}

// [KEY-12]
TEST_F(StatementsTest, AStatementMayBeAMinuteAheadAndNoMore)
{
    EXPECT_EQ(read({2}, {rotation(1, 2, now + 60'001)}), PinVerdict::conflict);
    EXPECT_EQ(read({3}, {rotation(1, 3, now + 60'000)}), PinVerdict::updated);
}

// [KEY-2]
TEST_F(StatementsTest, TheRotationThatWasPinnedFirstStands)
{
    read({2}, {rotation(1, 2, now - 10)});
    EXPECT_EQ(read({3}, {rotation(1, 3, now - 1000)}), PinVerdict::conflict);
    EXPECT_EQ(refusal(2), signs);
    EXPECT_EQ(refusal(3), Code::key_conflict);
    EXPECT_EQ(status(3), KeyStatus::lost);
    EXPECT_EQ(ring.find_key(ref(3))->revoked_at, now - 1000);
    // A document that lists both is as much of a conflict.
    EXPECT_EQ(read({2, 3}, {}), PinVerdict::conflict);
    EXPECT_EQ(read({2}, {}), PinVerdict::updated);
    EXPECT_EQ(refusal(3), Code::key_revoked);
}

// [KEY-2]
TEST_F(StatementsTest, TwoRotationsAtOnceAreAConflictThatTheRecoveryKeyEnds)
{
    const auto one = rotation(1, 2, now - 10), other = rotation(1, 3, now - 20);
    EXPECT_EQ(read({2}, {one, other}), PinVerdict::conflict);
    EXPECT_EQ(refusal(1), signs);
    EXPECT_EQ(refusal(2), Code::key_conflict);
    EXPECT_EQ(refusal(3), Code::key_conflict);
    EXPECT_EQ(read({2}, {one}), PinVerdict::conflict);
    EXPECT_EQ(read({2}, {rotation(1, 2, now, recovery())}), PinVerdict::updated);
    EXPECT_EQ(refusal(2), signs);
    EXPECT_EQ(refusal(3), Code::key_revoked);
}

// [KEY-2]
TEST_F(StatementsTest, TheRecoveryKeysRotationWinsWheneverItComes)
{
    read({2}, {rotation(1, 2, now - 10)});
    ASSERT_EQ(refusal(2), signs);
    EXPECT_EQ(read({3}, {rotation(1, 3, now - 5, recovery())}), PinVerdict::updated);
    EXPECT_EQ(refusal(3), signs);
    EXPECT_EQ(refusal(2), Code::key_revoked);
    EXPECT_EQ(status(2), KeyStatus::lost);
    // And whatever the loser does.
    EXPECT_EQ(read({4}, {rotation(2, 4, now - 11)}), PinVerdict::conflict);
    EXPECT_EQ(refusal(4), Code::key_conflict);
}

// [KEY-2]
TEST_F(StatementsTest, AmongTheRecoveryKeysTheLatestThenTheLowerKeyWins)
{
    hear({rotation(1, 2, now - 5, recovery()), rotation(1, 3, now - 9, recovery())});
    EXPECT_EQ(refusal(2), signs);
    EXPECT_EQ(refusal(3), Code::key_revoked);
    hear({rotation(1, 4, now - 4, recovery()), rotation(1, 5, now - 4, recovery())});
    const auto lower = key(4).id() < key(5).id() ? 4 : 5;
    EXPECT_EQ(refusal(lower), signs);
    EXPECT_EQ(refusal(lower == 4 ? 5 : 4), Code::key_revoked);
    EXPECT_EQ(refusal(2), Code::key_revoked);
}

TEST_F(StatementsTest, TheSameKeyTwiceIsNoRival)
{
    read({2}, {rotation(1, 2, now - 10), rotation(1, 2, now - 9)});
    EXPECT_FALSE(is_in_conflict());
    EXPECT_EQ(refusal(2), signs);
    read({2}, {rotation(1, 2, now - 10, recovery())});
    EXPECT_FALSE(is_in_conflict());
    EXPECT_EQ(refusal(2), signs);
}

TEST_F(StatementsTest, ARotationCountsIfItIsBeforeItsKeysRevocation)
{
    read({1}, {revocation(1, now - 10, recovery())});
    EXPECT_EQ(read({2}, {rotation(1, 2, now - 10)}), PinVerdict::conflict);
    EXPECT_EQ(refusal(2), Code::key_conflict);
    EXPECT_EQ(read({3}, {rotation(1, 3, now - 11)}), PinVerdict::updated);
    EXPECT_EQ(refusal(3), signs);
    EXPECT_EQ(refusal(1), Code::key_revoked);
}

// [KEY-11]
TEST_F(StatementsTest, ABackDatedRevocationUnmakesTheRotationUnlessTheRecoveryKeyStandsForIt)
{
    const auto own = rotation(1, 2, now - 10);
    read({2}, {own});
    EXPECT_EQ(read({2}, {revocation(1, now - 20, recovery())}), PinVerdict::conflict);
    EXPECT_EQ(refusal(2), Code::key_conflict);
    // A thief who dates back gains nothing: another rotation was pinned first.
    hear({rotation(1, 8, now - 30)});
    EXPECT_EQ(status(8), KeyStatus::lost);
    const auto statement = protocol::parse_statement(own, {});
    EXPECT_EQ(read({2}, {protocol::sign_again(*statement, recovery())}), PinVerdict::updated);
    EXPECT_EQ(refusal(2), signs);
    EXPECT_EQ(ring.find_key(ref(1))->revoked_at, now - 20);
}

// [KEY-3]
TEST_F(StatementsTest, TheRecoveryKeyMayDateARevocationBack)
{
    read({2}, {rotation(1, 2, now - 10)});
    ASSERT_EQ(refusal(1), signs);
    hear({revocation(1, now - 5, recovery())});
    EXPECT_EQ(refusal(1), Code::key_revoked);
    EXPECT_EQ(ring.find_key(ref(1))->revoked_at, now - 5);
    EXPECT_FALSE(ring.seal_key(ref(1), now - 1000, now));
    EXPECT_EQ(refusal(2), signs);
    hear({revocation(1, now - 7, recovery())});
    EXPECT_EQ(ring.find_key(ref(1))->revoked_at, now - 7);
    EXPECT_NE(ring.find_key(ref(1)), nullptr);
}

// [KEY-3]
TEST_F(StatementsTest, AKeysOwnRevocationCountsFromItsReceiptAtTheEarliest)
{
    hear({rotation(1, 2, now - 10), revocation(1, now - 1000, key(1))}, now);
    EXPECT_EQ(ring.find_key(ref(1))->revoked_at, now);
    EXPECT_EQ(refusal(1), Code::key_revoked);
    // It can't unmake what replaced it.
    EXPECT_EQ(refusal(2), signs);
}

TEST_F(StatementsTest, ARevocationOfTomorrowTakesEffectThen)
{
    hear({revocation(1, now + 60'000, key(1))}, now);
    EXPECT_EQ(refusal(1, now + 59'999), signs);
    EXPECT_EQ(refusal(1, now + 60'000), Code::key_revoked);
}

TEST_F(StatementsTest, NobodyElseRevokes)
{
    read({2}, {rotation(1, 2, now - 10)});
    hear({revocation(1, now - 5, key(2)), revocation(2, now - 5, key(1)),
          revocation(2, now - 5, recovery(7))});
    EXPECT_EQ(refusal(1), signs);
    EXPECT_EQ(refusal(2), signs);
}

// [KEY-3]
TEST_F(StatementsTest, ARecoveryReplacesTheRecoveryKey)
{
    EXPECT_EQ(read({1}, {}, 1), PinVerdict::conflict);
    EXPECT_EQ(read({1}, {new_recovery(0, 1, now - 100)}, 1), PinVerdict::updated);
    EXPECT_EQ(*ring.recovery_key(server), recovery(1).public_key());
    // The new one may date back; the old one counts up to its replacement.
    hear({rotation(1, 2, now - 500, recovery(1))});
    EXPECT_EQ(refusal(2), signs);
    hear({rotation(1, 3, now - 99, recovery(0))});
    EXPECT_EQ(refusal(2), signs);
    EXPECT_EQ(refusal(3), Code::key_revoked);
    hear({rotation(1, 4, now - 100, recovery(0))});
    EXPECT_EQ(refusal(4), signs);
    EXPECT_EQ(refusal(2), Code::key_revoked);
}

// [KEY-3]
TEST_F(StatementsTest, OfTwoRecoveriesByOneKeyTheEarlierStands)
{
    hear({new_recovery(0, 1, now - 100)});
    EXPECT_EQ(*ring.recovery_key(server), recovery(1).public_key());
    hear({new_recovery(0, 2, now - 99)});
    EXPECT_EQ(*ring.recovery_key(server), recovery(1).public_key());
    hear({new_recovery(0, 3, now - 101)});
    EXPECT_EQ(*ring.recovery_key(server), recovery(3).public_key());
    // What the loser has said counts no more.
    hear({rotation(1, 2, now, recovery(1))});
    EXPECT_EQ(status(2), KeyStatus::lost);
}

// [KEY-12]
TEST_F(StatementsTest, OfTwoRecoveriesAtOneTimeTheLowerKeyStands)
{
    hear({new_recovery(0, 1, now - 100), new_recovery(0, 2, now - 100)});
    const auto lower = recovery(1).id() < recovery(2).id() ? 1 : 2;
    EXPECT_EQ(*ring.recovery_key(server), recovery(lower).public_key());
}

// [KEY-12]
TEST_F(StatementsTest, RecoveryKeysMakeNoCircles)
{
    hear({new_recovery(0, 1, now - 100), new_recovery(1, 0, now - 90)});
    EXPECT_EQ(*ring.recovery_key(server), recovery(1).public_key());
    hear({new_recovery(1, 2, now - 80)});
    EXPECT_EQ(*ring.recovery_key(server), recovery(2).public_key());
}

TEST_F(StatementsTest, SigningKeysMakeNoCircles)
{
    read({2}, {rotation(1, 2, now - 100)});
    hear({rotation(2, 1, now - 90)});
    EXPECT_EQ(status(1), KeyStatus::retired);
    EXPECT_EQ(ring.find_key(ref(1))->until, now - 100);
}

// [KEY-10]
// A server that lost its newer keys, or whose stolen key was rotated by the thief first.
TEST_F(StatementsTest, TheRecoveryKeyPutsAKeyInThePlaceOfOneThatLost)
{
    read({2}, {rotation(1, 2, now - 100)});
    const auto ours = rotation(1, 3, now - 90);
    EXPECT_EQ(read({3}, {ours}), PinVerdict::conflict);
    EXPECT_EQ(read({4}, {rotation(3, 4, now - 80, recovery())}), PinVerdict::updated);
    EXPECT_EQ(refusal(4), signs);
    EXPECT_EQ(refusal(2), signs);
    // It stands for the earlier rotation as well: the thief's key is out.
    hear({protocol::sign_again(*protocol::parse_statement(ours, {}), recovery())});
    EXPECT_EQ(refusal(2), Code::key_revoked);
    EXPECT_EQ(refusal(4), signs);
    EXPECT_EQ(status(3), KeyStatus::retired);
}

TEST_F(StatementsTest, AKeyThatWasOldWhenWeMetRotatesNoMore)
{
    KeyRing newcomer;
    auto met = document({2}, {rotation(1, 2, now - 100)});
    met.old_keys.push_back({key(1).public_key(), now - day_ms, now - 100, 0});
    EXPECT_EQ(newcomer.consider(met, now), PinVerdict::pinned);
    EXPECT_FALSE(newcomer.find(server)->conflict);
    EXPECT_EQ(newcomer.find_key(ref(1))->until, now - 100);
    auto judgement = newcomer.judge(server, {rotation(1, 8, now - 1000)}, now);
    newcomer.load(std::move(judgement->server));
    EXPECT_FALSE(newcomer.request_key(ref(8), now));
    EXPECT_TRUE(newcomer.request_key(ref(2), now));
}

TEST_F(StatementsTest, FirstContactAppliesTheStatements)
{
    KeyRing newcomer;
    auto met = document({2}, {rotation(1, 2, now - 100), revocation(1, now - 200, recovery())});
    met.old_keys.push_back({key(1).public_key(), now - day_ms, now - 100, 0});
    EXPECT_EQ(newcomer.consider(met, now), PinVerdict::pinned);
    EXPECT_FALSE(newcomer.find(server)->conflict);
    EXPECT_EQ(newcomer.find_key(ref(1))->status, KeyStatus::revoked);
    EXPECT_TRUE(newcomer.request_key(ref(2), now));
}

TEST_F(StatementsTest, AFirstDocumentThatIsAtOddsWithItsStatementsIsAConflict)
{
    KeyRing newcomer;
    auto met = document({2}, {rotation(1, 2, now - 100), rotation(1, 3, now - 90, recovery())});
    met.old_keys.push_back({key(1).public_key(), now - day_ms, now - 100, 0});
    EXPECT_EQ(newcomer.consider(met, now), PinVerdict::pinned);
    EXPECT_TRUE(newcomer.find(server)->conflict);
    EXPECT_EQ(newcomer.request_key(ref(2), now).error().code, Code::key_conflict);
    EXPECT_TRUE(newcomer.request_key(ref(3), now));
}

// [KEY-6]
TEST_F(StatementsTest, HandedOnStatementsNeverPin)
{
    EXPECT_FALSE(ring.judge(ServerName::trusted("c.example"), {rotation(1, 2, now)}, now));
}

TEST_F(StatementsTest, HandedOnStatementsDontEndADocumentsConflict)
{
    read({7}, {});
    hear({rotation(1, 2, now)});
    EXPECT_TRUE(is_in_conflict());
    EXPECT_EQ(refusal(2), signs);
}

// [KEY-12]
TEST_F(StatementsTest, AStaleDocumentIsNoConflict)
{
    read({2}, {rotation(1, 2, now - 10), new_recovery(0, 1, now - 10)}, 1);
    EXPECT_EQ(read({1}, {}, 0), PinVerdict::agrees);
    EXPECT_EQ(refusal(2), signs);
    EXPECT_EQ(status(1), KeyStatus::retired);
}

// [KEY-2]
TEST_F(StatementsTest, SixtyFourWaitAndTheOldestGoesForTheNext)
{
    for (int i = 0; i <= static_cast<int>(max_waiting_statements); ++i)
        hear({rotation(100 + i, 200 + i, now)});
    const auto& held = ring.find(server)->statements;
    ASSERT_EQ(held.size(), max_waiting_statements);
    EXPECT_EQ(held.front().statement.text, rotation(101, 201, now));
    hear({rotation(1, 101, now), rotation(1, 100, now, recovery())});
    EXPECT_EQ(ring.find_key(ref(200)), nullptr);
    EXPECT_NE(ring.find_key(ref(201)), nullptr);
}

// [KEY-12]
TEST_F(StatementsTest, AStolenKeyCantUseUpTheRoomOfTheRecoveryKey)
{
    std::vector<std::string> flood;
    for (int i = 0; i < 2 * static_cast<int>(max_statements_by_keys); ++i)
        flood.push_back(revocation(1, now - i, key(1)));
    hear({flood.begin(), flood.begin() + max_statements_at_once});
    hear({flood.begin() + max_statements_at_once, flood.end()});
    EXPECT_EQ(ring.find(server)->statements.size(), max_statements_by_keys);
    EXPECT_EQ(read({2}, {rotation(1, 2, now)}), PinVerdict::conflict);
    EXPECT_EQ(read({2}, {rotation(1, 2, now, recovery())}), PinVerdict::updated);
    EXPECT_EQ(refusal(2), signs);
    EXPECT_EQ(ring.find(server)->statements.size(), max_statements_by_keys + 1);
}

TEST_F(StatementsTest, WhatHasNoEffectGoesWhereRoomIsNeeded)
{
    read({2}, {rotation(1, 2, now - 1000)});
    std::vector<std::string> losers;
    for (int i = 0; i < static_cast<int>(max_statements_by_keys); ++i)
        losers.push_back(rotation(1, 9, now - 2000 - i));
    hear(losers);
    EXPECT_EQ(ring.find(server)->statements.size(), max_statements_by_keys);
    EXPECT_EQ(read({3}, {rotation(2, 3, now)}), PinVerdict::updated);
    EXPECT_EQ(refusal(3), signs);
    EXPECT_EQ(ring.find(server)->statements.size(), max_statements_by_keys);
}

TEST_F(StatementsTest, NoMoreAreReadAtOnceThanTheBound)
{
    std::vector<std::string> many(max_statements_at_once, "junk");
    for (std::size_t i = 0; i < many.size(); ++i) many[i] += std::to_string(i);
    auto beyond = many;
    beyond.push_back(rotation(1, 2, now));
    hear(beyond);
    EXPECT_EQ(refusal(2), Code::unknown_key);
    many.back() = rotation(1, 2, now);
    hear(many);
    EXPECT_EQ(refusal(2), signs);
}

// [KEY-2] [KEY-4] What nobody can decide is the administrator's to decide, once.
TEST_F(StatementsTest, TwoRotationsAtOnceStaySettledOnceTheyAre)
{
    const std::vector<std::string> both{rotation(1, 2, now - 10), rotation(1, 3, now - 10)};
    ASSERT_EQ(read({2}, both), PinVerdict::conflict);
    ring.load(ring.keep(document({2}, both), now).server);
    EXPECT_FALSE(is_in_conflict());
    EXPECT_EQ(refusal(1), signs);
    EXPECT_EQ(refusal(2), Code::key_conflict);
    hear(both);
    EXPECT_FALSE(is_in_conflict());
    EXPECT_EQ(read({2}, both), PinVerdict::agrees);
    EXPECT_EQ(read({3}, both), PinVerdict::conflict);

    ring.load(ring.accept(document({3}, both), now).server);
    EXPECT_FALSE(is_in_conflict());
    EXPECT_EQ(refusal(3), signs);
    EXPECT_NE(refusal(1), signs);
    EXPECT_NE(refusal(2), signs);
    EXPECT_EQ(read({3}, both), PinVerdict::agrees);
}

}  // namespace
}  // namespace entente::trust
