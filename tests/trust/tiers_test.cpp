#include "trust/tiers.hpp"

#include <gtest/gtest.h>

namespace entente::trust {
namespace {

using protocol::ServerName;

const ServerName stranger = ServerName::trusted("stranger.example");
const ServerName friendly = ServerName::trusted("friend.example");
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
    EXPECT_EQ(tiers_in(Mode::open).tier_of(stranger), Tier::guest);
    EXPECT_EQ(tiers_in(Mode::reviewed).tier_of(stranger), Tier::quarantined);
    EXPECT_EQ(tiers_in(Mode::allowlist).tier_of(stranger), Tier::blocked);
    EXPECT_EQ(tiers_in(Mode::closed).tier_of(stranger), Tier::blocked);
}

TEST(Tiers, AnAdministratorsEntryWinsButInAClosedHouse)
{
    for (auto mode : {Mode::open, Mode::reviewed, Mode::allowlist}) {
        EXPECT_EQ(tiers_in(mode).tier_of(friendly), Tier::trusted);
        EXPECT_EQ(tiers_in(mode).tier_of(enemy), Tier::blocked);
    }
    EXPECT_EQ(tiers_in(Mode::closed).tier_of(friendly), Tier::blocked);
}

TEST(Tiers, AKeyConflictQuarantinesAtBestAndNeverUnblocks)
{
    auto tiers = tiers_in(Mode::open);
    EXPECT_EQ(tiers.tier_of(friendly, true), Tier::quarantined);
    EXPECT_EQ(tiers.tier_of(enemy, true), Tier::blocked);
    EXPECT_EQ(tiers.tier_of(friendly, false), Tier::trusted);
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
