// What the doctor makes of facts, each bound from both sides.
#include "daemon/ctl/health.hpp"

#include <gtest/gtest.h>

#include "daemon/check_database.hpp"
#include "daemon/ctl/text.hpp"

namespace entente::daemon::ctl {
namespace {

using Kind = Finding::Kind;

constexpr protocol::Millis noon = 1'763'683'200'000;

bool advises(const Finding& finding, const std::string& text)
{
    return finding.remedy.find(text) != std::string::npos;
}

TEST(Health, AClockIsRightThatSomebodySets)
{
    EXPECT_EQ(judge_clock(ClockState{true, most_clock_error_us}).kind, Kind::fine);
    EXPECT_EQ(judge_clock(ClockState{true, most_clock_error_us + 1}).kind, Kind::warning);
    const auto unset = judge_clock(ClockState{false, 0});
    EXPECT_EQ(unset.kind, Kind::warning);
    EXPECT_TRUE(advises(unset, "timedatectl set-ntp true"));
    EXPECT_EQ(judge_clock(std::nullopt).kind, Kind::unknown);
    EXPECT_TRUE(kernel_clock().has_value());
}

TEST(Health, ANameNeedsAnAddressThatOthersCanReach)
{
    EXPECT_EQ(judge_addresses("a.example", {"127.0.1.1", "9.9.9.9"}, false).kind, Kind::fine);
    EXPECT_EQ(judge_addresses("a.example", {"2620:fe::fe"}, false).kind, Kind::fine);
    const auto inside = judge_addresses("a.example", {"127.0.1.1", "10.0.0.5"}, false);
    EXPECT_EQ(inside.kind, Kind::warning);
    EXPECT_NE(inside.found.find("10.0.0.5"), std::string::npos);
    const auto none = judge_addresses("a.example", {}, false);
    EXPECT_EQ(none.kind, Kind::fault);
    EXPECT_TRUE(advises(none, "AAAA record for a.example"));
    EXPECT_EQ(judge_addresses("a.example", {}, true).kind, Kind::warning);
}

TEST(Health, ADiskIsFullBeforeNothingIsLeft)
{
    constexpr auto disk = little_room_octets * 100;
    EXPECT_EQ(judge_disk(little_room_octets, disk).kind, Kind::fine);
    EXPECT_EQ(judge_disk(little_room_octets - 1, disk).kind, Kind::warning);
    EXPECT_EQ(judge_disk(least_room_octets, disk).kind, Kind::warning);
    const auto full = judge_disk(least_room_octets - 1, disk);
    EXPECT_EQ(full.kind, Kind::fault);
    EXPECT_EQ(full.found, "1023 KiB of 100 GiB are free");
}

TEST(Health, ACertificateIsRenewedTwoWeeksBefore)
{
    const auto judge = [](protocol::Millis left) {
        return judge_certificate("[::]:443", noon + left, noon);
    };
    EXPECT_EQ(judge(days_to_renew * protocol::day_ms).kind, Kind::fine);
    EXPECT_EQ(judge(days_to_renew * protocol::day_ms - 1).kind, Kind::warning);
    EXPECT_EQ(judge(1).kind, Kind::warning);
    EXPECT_EQ(judge(0).kind, Kind::fault);
    EXPECT_EQ(judge(0).subject, "certificate of [::]:443");
    EXPECT_TRUE(advises(judge(0), "systemctl reload ententd"));
}

TEST(Health, TheDocumentIsThisServersOwn)
{
    Config config;
    config.server.name = protocol::ServerName::trusted("a.example");
    config.federation.api = "https://chat.a.example";
    protocol::ServerDocument document;
    document.api = config.federation.api;
    EXPECT_EQ(judge_document(config, document, "").kind, Kind::fine);
    const auto stranger = judge_document(config, document, "some-key");
    EXPECT_EQ(stranger.kind, Kind::fault);
    EXPECT_NE(stranger.found.find("some-key"), std::string::npos);
    document.api = "https://a.example";
    EXPECT_EQ(judge_document(config, document, "").kind, Kind::fault);
    const Result<protocol::ServerDocument> none = fail(Code::unavailable, "connect: refused");
    const auto missing = judge_document(config, none, "");
    EXPECT_EQ(missing.kind, Kind::fault);
    EXPECT_NE(missing.found.find("connect: refused"), std::string::npos);
    EXPECT_TRUE(advises(missing, "curl -v https://a.example/.well-known/entente"));
    EXPECT_TRUE(advises(missing, R"({"delegate":"https://chat.a.example"})"));
}

TEST(Health, AWriteTakesLessThanASecond)
{
    EXPECT_EQ(judge_writes(slow_write_us).kind, Kind::fine);
    EXPECT_EQ(judge_writes(slow_write_us + 1).kind, Kind::warning);
    EXPECT_EQ(judge_writes(std::nullopt).kind, Kind::fault);
}

TEST(Health, OutsideIsWhereAnotherServerComesFrom)
{
    EXPECT_EQ(judge_reach(3, noon - 1000, noon - 9000, noon).kind, Kind::fine);
    EXPECT_EQ(judge_reach(3, 0, noon - 9000, noon).kind, Kind::warning);
    EXPECT_EQ(judge_reach(0, 0, noon - 9000, noon).kind, Kind::unknown);
}

TEST(Health, APeerMayBeBehindForADay)
{
    PeerSums peers;
    peers.known = 3;
    peers.behind = 1;
    peers.worst = "b.example";
    peers.oldest_at = noon - long_behind;
    EXPECT_EQ(judge_peers(peers, noon).kind, Kind::fine);
    peers.oldest_at = noon - long_behind - 1;
    const auto late = judge_peers(peers, noon);
    EXPECT_EQ(late.kind, Kind::warning);
    EXPECT_TRUE(advises(late, "ententctl peer show b.example"));
    peers = {};
    peers.skewed = 1;
    EXPECT_EQ(judge_peers(peers, noon).kind, Kind::warning);
}

TEST(CtlText, OctetsAreShownInTheLargestUnitThatFits)
{
    EXPECT_EQ(octets_text(0), "0 B");
    EXPECT_EQ(octets_text(1023), "1023 B");
    EXPECT_EQ(octets_text(1024), "1.0 KiB");
    EXPECT_EQ(octets_text(10 * 1024), "10 KiB");
    EXPECT_EQ(octets_text(1024 * 1024), "1.0 MiB");
    EXPECT_EQ(octets_text(std::uintmax_t{5} << 40U), "5.0 TiB");
}

}  // namespace
}  // namespace entente::daemon::ctl
