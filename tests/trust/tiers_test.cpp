#include "trust/tiers.hpp"

#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace entente::trust {
namespace {

using protocol::ServerName;

const ServerName stranger = ServerName::trusted("stranger.example");
const ServerName friendly = ServerName::trusted("friend.example");
constexpr protocol::Millis today = 1'763'683'200'000;
const ServerName enemy = ServerName::trusted("enemy.example");

Tiers tiers_in(Mode mode)
{
    TierConfig config;
    config.mode = mode;
    config.servers = {{friendly, Tier::trusted}, {enemy, Tier::blocked}};
    return Tiers{std::move(config)};
}

TEST(Tiers, UnknownServersStartWhereTheModeSays)
{
    EXPECT_EQ(tiers_in(Mode::open).tier_of(stranger, today), Tier::guest);
    EXPECT_EQ(tiers_in(Mode::reviewed).tier_of(stranger, today), Tier::quarantined);
    EXPECT_EQ(tiers_in(Mode::allowlist).tier_of(stranger, today), Tier::blocked);
    EXPECT_EQ(tiers_in(Mode::closed).tier_of(stranger, today), Tier::blocked);
}

TEST(Tiers, AnAdministratorsEntryWinsButInAClosedHouse)
{
    for (auto mode : {Mode::open, Mode::reviewed, Mode::allowlist}) {
        EXPECT_EQ(tiers_in(mode).tier_of(friendly, today), Tier::trusted);
        EXPECT_EQ(tiers_in(mode).tier_of(enemy, today), Tier::blocked);
    }
    EXPECT_EQ(tiers_in(Mode::closed).tier_of(friendly, today), Tier::blocked);
}

TEST(Tiers, AKeyConflictQuarantinesAtBestAndNeverUnblocks)
{
    auto tiers = tiers_in(Mode::open);
    EXPECT_EQ(tiers.tier_of(friendly, true, today), Tier::quarantined);
    EXPECT_EQ(tiers.tier_of(enemy, true, today), Tier::blocked);
    EXPECT_EQ(tiers.tier_of(friendly, false, today), Tier::trusted);
}

TEST(Tiers, AProposalLetsInWhomTheModeAloneBlocksAndNobodyElse)
{
    const auto of = [](Mode mode, const ServerName& server) {
        auto tiers = tiers_in(mode);
        tiers.note_proposed(server, true);
        return tiers.explain(server, false, today);
    };
    EXPECT_EQ(of(Mode::open, stranger), (Verdicted{Tier::guest, Reason::first_contact}));
    EXPECT_EQ(of(Mode::reviewed, stranger), (Verdicted{Tier::quarantined, Reason::first_contact}));
    EXPECT_EQ(of(Mode::allowlist, stranger), (Verdicted{Tier::quarantined, Reason::peering}));
    EXPECT_EQ(of(Mode::closed, stranger), (Verdicted{Tier::blocked, Reason::closed}));
    EXPECT_EQ(of(Mode::allowlist, enemy), (Verdicted{Tier::blocked, Reason::configuration}));
    auto tiers = tiers_in(Mode::allowlist);
    tiers.note_proposed(stranger, true);
    tiers.note_proposed(stranger, false);
    EXPECT_EQ(tiers.tier_of(stranger, today), Tier::blocked);
}

// The administrator's own entry, then a list's, then what was earned or lost.
TEST(Tiers, WhoseWordItIsDecidesWhichCounts)
{
    auto tiers = tiers_in(Mode::open);
    const auto verdict = [&] { return tiers.explain(stranger, false, today); };
    EXPECT_EQ(verdict(), (Verdicted{Tier::guest, Reason::first_contact}));
    tiers.hold(stranger, {today - days_to_known_ms, events_to_known, 0, 0});
    EXPECT_EQ(verdict(), (Verdicted{Tier::known, Reason::earned}));
    ASSERT_TRUE(tiers.put(Source::list, stranger, Tier::quarantined));
    EXPECT_EQ(verdict(), (Verdicted{Tier::quarantined, Reason::list}));
    ASSERT_TRUE(tiers.put(Source::administrator, stranger, Tier::trusted));
    EXPECT_EQ(verdict(), (Verdicted{Tier::trusted, Reason::administrator}));
    tiers.drop(Source::administrator, stranger);
    tiers.drop(Source::list, stranger);
    EXPECT_EQ(verdict(), (Verdicted{Tier::known, Reason::earned}));
    tiers.hold(stranger, {today - days_to_known_ms, events_to_known, 1, today + 1});
    EXPECT_EQ(verdict(), (Verdicted{Tier::quarantined, Reason::fallen}));
}

TEST(Tiers, AnEntryMadeWhileItRunsWinsOverTheConfigurations)
{
    auto tiers = tiers_in(Mode::open);
    EXPECT_EQ(tiers.explain(enemy, false, today),
              (Verdicted{Tier::blocked, Reason::configuration}));
    ASSERT_TRUE(tiers.put(Source::administrator, enemy, Tier::known));
    EXPECT_EQ(tiers.tier_of(enemy, today), Tier::known);
    tiers.drop(Source::administrator, enemy);
    EXPECT_EQ(tiers.tier_of(enemy, today), Tier::blocked);
}

// Or whoever has a domain would have as many servers as he likes.
TEST(Tiers, WhatBlocksOrQuarantinesHoldsForTheNamesBelow)
{
    const auto named = [](const char* name) { return ServerName::trusted(name); };
    auto tiers = tiers_in(Mode::open);
    const auto verdict = [&](const char* name) { return tiers.explain(named(name), false, today); };
    ASSERT_TRUE(tiers.put(Source::list, named("evil.example"), Tier::blocked));
    EXPECT_EQ(verdict("evil.example"), (Verdicted{Tier::blocked, Reason::list}));
    const Verdicted below{Tier::blocked, Reason::list, named("evil.example")};
    EXPECT_EQ(verdict("a.evil.example"), below);
    EXPECT_EQ(verdict("c.a.evil.example"), below);
    const Verdicted first{Tier::guest, Reason::first_contact};
    for (const auto* beside : {"devil.example", "evil.example.org", "example", "x.example"})
        EXPECT_EQ(verdict(beside), first) << beside;

    // The narrowest wins, and what raises is for its own name alone.
    ASSERT_TRUE(tiers.put(Source::list, named("a.evil.example"), Tier::quarantined));
    EXPECT_EQ(verdict("c.a.evil.example"),
              (Verdicted{Tier::quarantined, Reason::list, named("a.evil.example")}));
    ASSERT_TRUE(tiers.put(Source::administrator, named("b.evil.example"), Tier::known));
    EXPECT_EQ(verdict("b.evil.example"), (Verdicted{Tier::known, Reason::administrator}));
    EXPECT_EQ(verdict("c.b.evil.example"), below);
    ASSERT_TRUE(tiers.put(Source::peering, named("d.evil.example"), Tier::trusted));
    EXPECT_EQ(verdict("d.evil.example"), (Verdicted{Tier::trusted, Reason::peering}));

    // The administrator's word above a name wins over all but his own on that name.
    EXPECT_EQ(verdict("x.enemy.example"), (Verdicted{Tier::blocked, Reason::configuration, enemy}));
    EXPECT_EQ(verdict("x.friend.example"), first);
    ASSERT_TRUE(tiers.put(Source::administrator, named("evil.example"), Tier::quarantined));
    const Verdicted ours{Tier::quarantined, Reason::administrator, named("evil.example")};
    for (const auto* name : {"c.a.evil.example", "d.evil.example", "x.evil.example"})
        EXPECT_EQ(verdict(name), ours) << name;
    EXPECT_EQ(verdict("b.evil.example").tier, Tier::known);
}

// A fall doesn't lift a stranger whom the mode blocks, nor change one that it quarantines.
TEST(Tiers, AFallNeverRaisesAndEndsByItself)
{
    for (const auto& [mode, during, after] : std::vector<std::tuple<Mode, Tier, Tier>>{
             {Mode::open, Tier::quarantined, Tier::guest},
             {Mode::reviewed, Tier::quarantined, Tier::quarantined},
             {Mode::allowlist, Tier::blocked, Tier::blocked},
             {Mode::closed, Tier::blocked, Tier::blocked}}) {
        auto tiers = tiers_in(mode);
        tiers.hold(stranger, {today, 1, 1, today + 1000});
        EXPECT_EQ(tiers.tier_of(stranger, today + 999), during) << to_text(mode);
        EXPECT_EQ(tiers.tier_of(stranger, today + 1000), after) << to_text(mode);
    }
}

TEST(Tiers, AKeyConflictIsWhyUnlessTheServerIsLowerAnyway)
{
    auto tiers = tiers_in(Mode::open);
    EXPECT_EQ(tiers.explain(friendly, true, today),
              (Verdicted{Tier::quarantined, Reason::key_conflict}));
    EXPECT_EQ(tiers.explain(enemy, true, today), (Verdicted{Tier::blocked, Reason::configuration}));
}

TEST(Tiers, WhoHasNeitherEarnedNorLostAnythingTakesNoRoom)
{
    auto tiers = tiers_in(Mode::open);
    for (int i = 0; i < 1'000; ++i)
        tiers.hold(ServerName::trusted("s" + std::to_string(i) + ".example"),
                   {today, events_to_known - 1, 0, 0});
    EXPECT_EQ(tiers.standings(), 0U);
    tiers.hold(stranger, {today, events_to_known, 0, 0});
    EXPECT_EQ(tiers.standings(), 1U);
    tiers.hold(stranger, {});
    EXPECT_EQ(tiers.standings(), 0U);
}

TEST(Tiers, WhatIsEarnedIsAsConfigured)
{
    TierConfig config;
    config.mode = Mode::open;
    config.conduct.known_days = 1;
    config.conduct.known_events = 5;
    Tiers tiers{std::move(config)};
    tiers.hold(stranger, {today - protocol::day_ms, 4, 0, 0});
    EXPECT_EQ(tiers.standings(), 0U);
    EXPECT_EQ(tiers.tier_of(stranger, today), Tier::guest);
    tiers.hold(stranger, {today - protocol::day_ms, 5, 0, 0});
    EXPECT_EQ(tiers.tier_of(stranger, today), Tier::known);
    EXPECT_EQ(tiers.tier_of(stranger, today - 1), Tier::guest);
}

TEST(Tiers, EntriesAndStandingsAreBounded)
{
    auto tiers = tiers_in(Mode::open);
    const auto name = [](std::size_t i) {
        return ServerName::trusted("s" + std::to_string(i) + ".example");
    };
    for (std::size_t i = 0; i < max_entries; ++i)
        ASSERT_TRUE(tiers.put(Source::list, name(i), Tier::blocked));
    EXPECT_EQ(tiers.put(Source::list, name(max_entries), Tier::blocked).error().code,
              Code::too_large);
    EXPECT_TRUE(tiers.put(Source::list, name(0), Tier::quarantined)) << "it has its place";
    EXPECT_TRUE(tiers.put(Source::administrator, name(max_entries), Tier::blocked));
    for (std::size_t i = 0; i <= max_standings; ++i)
        tiers.hold(name(i), {today, events_to_known, 0, 0});
    EXPECT_EQ(tiers.standings(), max_standings);
}

TEST(Tiers, NamesReadBackAsWhatTheyWere)
{
    for (auto tier : {Tier::blocked, Tier::quarantined, Tier::guest, Tier::known, Tier::trusted}) {
        EXPECT_EQ(tier_from(to_text(tier)), tier);
    }
    for (auto mode : {Mode::open, Mode::reviewed, Mode::allowlist, Mode::closed}) {
        EXPECT_EQ(mode_from(to_text(mode)), mode);
    }
    EXPECT_EQ(tier_from("Guest"), std::nullopt);
    EXPECT_EQ(mode_from(""), std::nullopt);
}

TEST(Tiers, TheShippedTableNeverGivesALowerTierMore)
{
    TierTable table;
    for (std::size_t row = 1; row < table.rows.size(); ++row) {
        EXPECT_LT(table.rows[row - 1].events, table.rows[row].events);
        EXPECT_LT(table.rows[row - 1].bytes, table.rows[row].bytes);
        EXPECT_LT(table.rows[row - 1].requests, table.rows[row].requests);
    }
    EXPECT_EQ(table.of(Tier::guest).events, 600);
    EXPECT_EQ(table.of(Tier::known).bytes, 200LL * 1024 * 1024);
}

}  // namespace
}  // namespace entente::trust
