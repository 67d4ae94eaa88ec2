// What servers earn and lose by their conduct: each limit from both sides, and that nothing
// counts against a server but what it has signed.
#include "trust/standing.hpp"

#include <gtest/gtest.h>

#include "tests/trust/statements_rig.hpp"

namespace entente::trust {
namespace {

using rig::day_ms;

const ConductFigures shipped;

class StandingTest : public ::testing::Test {
 protected:
    StandingTest() { ring.consider(rig::document({1}), rig::now); }

    Proof proof() const
    {
        return Proof::of_signature(ring, rig::ref(1), rig::key(1).sign("octets"), "octets", "body")
            .value();
    }
    static ServerStanding standing_with(std::int64_t accepted, Millis first_contact)
    {
        ServerStanding standing;
        count_accepted(standing, accepted, first_contact);
        return standing;
    }

    KeyRing ring;
};

TEST_F(StandingTest, AGuestBecomesKnownAfterSevenDaysAndAHundredEvents)
{
    const auto tier = [](std::int64_t accepted, Millis age) {
        return tier_by_conduct(standing_with(accepted, rig::now - age), Tier::guest, shipped,
                               rig::now);
    };
    EXPECT_EQ(tier(100, 7 * day_ms), Tier::known);
    EXPECT_EQ(tier(99, 7 * day_ms), Tier::guest);
    EXPECT_EQ(tier(100, 7 * day_ms - 1), Tier::guest);
    EXPECT_EQ(tier_by_conduct(ServerStanding{}, Tier::guest, shipped, rig::now), Tier::guest);
}

TEST_F(StandingTest, WhatIsEarnedFollowsTheConfiguredFigures)
{
    ConductFigures figures;
    figures.known_days = 2;
    figures.known_events = 5;
    figures.report_bars_days = 3;
    const auto tier = [&](std::int64_t accepted, Millis age, Millis upheld_ago) {
        auto standing = standing_with(accepted, rig::now - age);
        if (upheld_ago > 0) standing.last_upheld = rig::now - upheld_ago;
        return tier_by_conduct(standing, Tier::guest, figures, rig::now);
    };
    EXPECT_EQ(tier(5, 2 * day_ms, 0), Tier::known);
    EXPECT_EQ(tier(4, 2 * day_ms, 0), Tier::guest);
    EXPECT_EQ(tier(5, 2 * day_ms - 1, 0), Tier::guest);
    EXPECT_EQ(tier(5, 9 * day_ms, 3 * day_ms), Tier::known);
    EXPECT_EQ(tier(5, 9 * day_ms, 3 * day_ms - 1), Tier::guest);
}

TEST_F(StandingTest, FallsFollowTheConfiguredFigures)
{
    ConductFigures figures;
    figures.first_fall_hours = 2;
    figures.longest_fall_hours = 6;
    figures.fall_reporters = 2;
    ServerStanding standing;
    auto at = rig::now;
    for (const auto hours : {2, 4, 6, 6}) {
        const auto fall = fall_of(standing, Offence::fork, proof(), figures, at);
        ASSERT_TRUE(fall);
        EXPECT_EQ(fall->until, at + hours * day_ms / 24);
        at = fall->until;
    }
    EXPECT_TRUE(fells({2, 2}, figures));
    EXPECT_FALSE(fells({1, 2}, figures));
    EXPECT_FALSE(fells({2, 1}, figures));
}

TEST_F(StandingTest, NothingElseIsEarned)
{
    const auto standing = standing_with(1'000'000'000, rig::now - 10'000 * day_ms);
    EXPECT_EQ(tier_by_conduct(standing, Tier::guest, shipped, rig::now), Tier::known);
    for (const auto first : {Tier::blocked, Tier::quarantined, Tier::known, Tier::trusted})
        EXPECT_EQ(tier_by_conduct(standing, first, shipped, rig::now), first) << to_text(first);
}

TEST_F(StandingTest, TheDaysCountFromTheFirstAcceptedEvent)
{
    ServerStanding standing;
    count_accepted(standing, 0, rig::now - 9 * day_ms);
    EXPECT_EQ(standing, ServerStanding{});
    count_accepted(standing, 50, rig::now - 8 * day_ms);
    count_accepted(standing, 50, rig::now);
    EXPECT_EQ(standing.first_contact, rig::now - 8 * day_ms);
    EXPECT_EQ(tier_by_conduct(standing, Tier::guest, shipped, rig::now), Tier::known);
}

TEST_F(StandingTest, AFallLastsADayAndEachIsTwiceAsLongAsTheOneBefore)
{
    auto standing = standing_with(100, rig::now - 30 * day_ms);
    auto at = rig::now;
    for (const auto days : {1, 2, 4, 8, 16, 32, 64, 128, 256, 256}) {
        const auto fall = fall_of(standing, Offence::fork, proof(), shipped, at);
        ASSERT_TRUE(fall);
        EXPECT_EQ(fall->server, rig::server);
        EXPECT_EQ(fall->offence, Offence::fork);
        EXPECT_EQ(fall->at, at);
        EXPECT_EQ(fall->until, at + days * day_ms);
        EXPECT_EQ(fall->evidence, proof().evidence());
        EXPECT_EQ(tier_by_conduct(standing, Tier::guest, shipped, fall->until - 1),
                  Tier::quarantined);
        EXPECT_EQ(tier_by_conduct(standing, Tier::blocked, shipped, fall->until - 1),
                  Tier::blocked);
        EXPECT_EQ(tier_by_conduct(standing, Tier::guest, shipped, fall->until), Tier::guest);
        at = fall->until;
    }
}

TEST_F(StandingTest, AnOffenceWithinAFallDoesntDoubleIt)
{
    ServerStanding standing;
    const auto fall = fall_of(standing, Offence::malformed, proof(), shipped, rig::now);
    ASSERT_TRUE(fall);
    EXPECT_FALSE(fall_of(standing, Offence::fork, proof(), shipped, fall->until - 1));
    EXPECT_EQ(standing.fallen_until, fall->until);
    EXPECT_EQ(fall_of(standing, Offence::fork, proof(), shipped, fall->until)->until,
              fall->until + 2 * day_ms);
}

TEST_F(StandingTest, AFallBarsFromKnownUntilItIsPardoned)
{
    auto standing = standing_with(100, rig::now - 30 * day_ms);
    ASSERT_TRUE(fall_of(standing, Offence::equivocation, proof(), shipped, rig::now));
    EXPECT_EQ(tier_by_conduct(standing, Tier::guest, shipped, rig::now + 1'000 * day_ms),
              Tier::guest);
    pardon(standing);
    EXPECT_EQ(tier_by_conduct(standing, Tier::guest, shipped, rig::now), Tier::known);
    EXPECT_EQ(fall_of(standing, Offence::fork, proof(), shipped, rig::now)->until,
              rig::now + day_ms);
}

TEST_F(StandingTest, AnUpheldReportBarsFromKnownForThirtyDays)
{
    auto standing = standing_with(100, rig::now - 60 * day_ms);
    standing.last_upheld = rig::now;
    const auto at = [&](Millis later) {
        return tier_by_conduct(standing, Tier::guest, shipped, rig::now + later);
    };
    EXPECT_EQ(at(0), Tier::guest);
    EXPECT_EQ(at(30 * day_ms - 1), Tier::guest) << "and no less than at first contact";
    EXPECT_EQ(at(30 * day_ms), Tier::known);
    pardon(standing);
    EXPECT_EQ(at(0), Tier::known);
}

TEST_F(StandingTest, ThreeReportersOfThreeMessagesFellAndNobodyAlone)
{
    EXPECT_TRUE(fells({3, 3}, shipped));
    EXPECT_FALSE(fells({2, 3}, shipped));
    EXPECT_FALSE(fells({3, 2}, shipped));
    EXPECT_FALSE(fells({1, 1'000}, shipped));
    EXPECT_FALSE(fells({1'000, 1}, shipped));
    EXPECT_FALSE(fells({}, shipped));
}

TEST_F(StandingTest, FallsAreForgottenWithoutThePardonOfAReport)
{
    auto standing = standing_with(100, rig::now - 60 * day_ms);
    standing.last_upheld = rig::now;
    ASSERT_TRUE(fall_of(standing, Offence::key_conflict, proof(), shipped, rig::now));
    forget_falls(standing);
    EXPECT_EQ(standing.falls, 0);
    EXPECT_EQ(standing.fallen_until, 0);
    EXPECT_EQ(standing.last_upheld, rig::now);
}

TEST_F(StandingTest, AProofIsAServersOwnByItsPinnedKeyAlone)
{
    const auto made = [&](const KeyRef& by, const std::string& signature) {
        const auto proof = Proof::of_signature(ring, by, signature, "octets", "");
        return proof ? std::optional<Code>() : proof.error().code;
    };
    EXPECT_EQ(made(rig::ref(1), rig::key(1).sign("octets")), std::nullopt);
    EXPECT_EQ(made(rig::ref(1), rig::key(1).sign("others")), Code::signature_invalid);
    EXPECT_EQ(made(rig::ref(1), rig::key(2).sign("octets")), Code::signature_invalid);
    EXPECT_EQ(made(rig::ref(1), ""), Code::signature_invalid);
    EXPECT_EQ(made(rig::ref(2), rig::key(2).sign("octets")), Code::unknown_key);
    const KeyRef elsewhere{ServerName::trusted("victim.example"), rig::key(1).id()};
    EXPECT_EQ(made(elsewhere, rig::key(1).sign("octets")), Code::unknown_key);
    EXPECT_EQ(proof().server(), rig::server);
}

TEST_F(StandingTest, AStolenKeyProvesNothingOnceItIsRevoked)
{
    ring.consider(rig::document({2}, {rig::rotation(1, 2, rig::now - 1000),
                                      rig::revocation(1, rig::now - 500, rig::recovery())}),
                  rig::now);
    ASSERT_NE(ring.find_key(rig::ref(1)), nullptr);
    const auto proof =
        Proof::of_signature(ring, rig::ref(1), rig::key(1).sign("octets"), "octets", "");
    ASSERT_FALSE(proof);
    EXPECT_EQ(proof.error().code, Code::key_revoked);
}

TEST_F(StandingTest, EvidenceHoldsWhatWasSignedWithinItsBounds)
{
    EXPECT_EQ(proof().evidence(), "{\"key\":\"" + rig::ref(1).str() + R"(","signed":")" +
                                      protocol::to_base64url("octets") + R"(","signature":")" +
                                      protocol::to_base64url(rig::key(1).sign("octets")) +
                                      R"(","shown":")" + protocol::to_base64url("body") + "\"}");
    const auto evidence = [&](std::size_t signed_octets,
                              std::size_t shown) -> std::optional<std::string> {
        const std::string octets(signed_octets, 'o');
        const auto made = Proof::of_signature(ring, rig::ref(1), rig::key(1).sign(octets), octets,
                                              std::string(shown, 's'));
        return made ? std::optional{made->evidence()} : std::nullopt;
    };
    const auto largest = evidence(max_signed_octets, max_shown_octets);
    ASSERT_TRUE(largest);
    EXPECT_LE(largest->size(), max_evidence_octets);
    EXPECT_NE(largest->find("\"shown\""), std::string::npos);
    EXPECT_EQ(evidence(1, max_shown_octets + 1)->find("\"shown\""), std::string::npos);
    EXPECT_FALSE(evidence(max_signed_octets + 1, 1));
}

TEST_F(StandingTest, AConflictIsProvenByThePinsThatAreInOne)
{
    auto pins = *ring.find(rig::server);
    EXPECT_FALSE(Proof::of_conflict(pins));
    pins.conflict = true;
    const auto proof = Proof::of_conflict(pins, "{}");
    ASSERT_TRUE(proof);
    EXPECT_EQ(proof->server(), rig::server);
    EXPECT_EQ(proof->evidence(), R"({"server":"a.example","conflict":true,"shown":"e30"})");
    const auto has_shown = [&](std::size_t octets) {
        const auto made = Proof::of_conflict(pins, std::string(octets, 'x'));
        return made->evidence().find("\"shown\"") != std::string::npos;
    };
    EXPECT_TRUE(has_shown(max_shown_octets));
    EXPECT_FALSE(has_shown(max_shown_octets + 1));
}

TEST_F(StandingTest, WhatIsNotedBesidesIsLeftOutWhereTheEvidenceWouldBeTooLong)
{
    auto pins = *ring.find(rig::server);
    pins.conflict = true;
    auto proof = Proof::of_conflict(pins, "{}").value();
    const std::string before = R"({"server":"a.example","conflict":true,"shown":"e30")";
    proof.note_place(protocol::ChannelId::trusted("c@a.example"), 7);
    EXPECT_EQ(proof.evidence(), before + R"(,"channel":"c@a.example","seq":7})");

    const auto with_first = [&](std::size_t octets) {
        auto made = Proof::of_conflict(pins, "{}").value();
        made.note_first(std::string(octets, 'x'));
        return made.evidence().size();
    };
    // Of base64url four for three; the member's name, quotes and comma are eleven.
    constexpr std::size_t name = 11;
    const auto room = (max_evidence_octets - before.size() - 1 - name) * 3 / 4;
    EXPECT_GT(with_first(room), max_evidence_octets - 4);
    EXPECT_LE(with_first(room), max_evidence_octets);
    EXPECT_EQ(with_first(room + 3), before.size() + 1);
}

TEST_F(StandingTest, OffencesReadBackAsWhatTheyWere)
{
    for (const auto offence : {Offence::malformed, Offence::unentitled, Offence::equivocation,
                               Offence::fork, Offence::key_conflict, Offence::upheld_report})
        EXPECT_EQ(offence_from(to_text(offence)), offence);
    EXPECT_EQ(offence_from("rude"), std::nullopt);
}

}  // namespace
}  // namespace entente::trust
