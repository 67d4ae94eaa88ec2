#include "trust/budgets.hpp"

#include <functional>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace entente::trust {
namespace {

using protocol::Millis;
using protocol::ServerName;

constexpr Millis start = 1'763'683'200'000;
const ServerName origin = ServerName::trusted("a.example");

TEST(Bucket, GivesItsCapacityAndThenOnlyWhatRefills)
{
    Bucket bucket{60, 60'000, start};
    for (int i = 0; i < 60; ++i) EXPECT_TRUE(bucket.take(1, start));
    EXPECT_FALSE(bucket.take(1, start));
    EXPECT_EQ(bucket.seconds_until(1, start), 1);
    EXPECT_FALSE(bucket.take(1, start + 999));
    EXPECT_TRUE(bucket.take(1, start + 1000));
    EXPECT_FALSE(bucket.take(1, start + 1000));
}

TEST(Bucket, NeverHoldsMoreThanItsCapacity)
{
    Bucket bucket{5, 60'000, start};
    bucket.give_back(10);
    EXPECT_EQ(bucket.level(start + 3'600'000), 5);
    EXPECT_TRUE(bucket.is_full(start + 3'600'000));
}

TEST(Bucket, AClockSetBackGivesNothingAndTakesNothing)
{
    Bucket bucket{10, 60'000, start};
    ASSERT_TRUE(bucket.take(10, start));
    EXPECT_EQ(bucket.level(start - 600'000), 0);
    EXPECT_EQ(bucket.level(start - 600'000 + 6'000), 1);
}

TEST(Bucket, AChargeBeyondItIsBoundedByOneCapacity)
{
    Bucket bucket{10, 60'000, start};
    bucket.charge(1'000'000, start);
    EXPECT_EQ(bucket.level(start), -10);
    EXPECT_TRUE(bucket.take(10, start + 120'000));
}

TEST(Bucket, ResizingKeepsTheShareThatIsFilled)
{
    Bucket bucket{10, 60'000, start};
    ASSERT_TRUE(bucket.take(5, start));
    bucket.resize(100);
    EXPECT_EQ(bucket.level(start), 50);
}

TEST(Bucket, NothingEverComesFromAnEmptyTier)
{
    Bucket bucket{0, 60'000, start};
    EXPECT_FALSE(bucket.take(1, start + 600'000));
    EXPECT_GE(bucket.seconds_until(1, start), 1);
}

RC_GTEST_PROP(Bucket, NeverGivesMoreThanCapacityAndRefill, ())
{
    auto capacity = *rc::gen::inRange<std::int64_t>(1, 1000);
    auto steps =
        *rc::gen::container<std::vector<std::pair<std::int64_t, std::int64_t>>>(rc::gen::pair(
            rc::gen::inRange<std::int64_t>(0, 5000), rc::gen::inRange<std::int64_t>(1, 50)));
    Bucket bucket{capacity, 60'000, start};
    auto now = start;
    std::int64_t taken = 0;
    for (auto [wait, amount] : steps) {
        now += wait;
        if (bucket.take(amount, now)) taken += amount;
    }
    auto most = capacity + (now - start) * capacity / 60'000 + 1;
    RC_ASSERT(taken <= most);
}

RC_GTEST_PROP(Bucket, SaysWhenItWillGive, (std::uint16_t spent))
{
    Bucket bucket{600, 60'000, start};
    bucket.charge(spent, start);
    auto wait = bucket.seconds_until(1, start);
    RC_ASSERT(bucket.take(1, start + wait * 1000));
}

TEST(BucketTable, StaysBoundedForAnyNumberOfKeys)
{
    BucketTable table{1000, 10, 60'000};
    for (int i = 0; i < 100'000; ++i) {
        ASSERT_TRUE(table.of("key" + std::to_string(i), start).take(1, start));
    }
    EXPECT_EQ(table.size(), 1000U);
}

TEST(BucketTable, ForgetsTheLeastRecentlyUsedFirst)
{
    BucketTable table{2, 1, 60'000};
    ASSERT_TRUE(table.of("a", start).take(1, start));
    ASSERT_TRUE(table.of("b", start).take(1, start));
    EXPECT_FALSE(table.of("a", start).take(1, start));
    ASSERT_TRUE(table.of("c", start).take(1, start));
    EXPECT_FALSE(table.of("a", start).take(1, start));
    EXPECT_TRUE(table.of("b", start).take(1, start));
}

// [SIG-8]
TEST(Budgets, AnUnprovenSourceIsCutOffAndAProvenRequestCostsItNothing)
{
    BudgetOptions options;
    options.unproven_per_source = 2;
    Budgets budgets{TierTable{}, options};
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(budgets.spend_source("192.0.2.1", start));
        budgets.refund_source("192.0.2.1", start);
    }
    ASSERT_TRUE(budgets.spend_source("192.0.2.1", start));
    ASSERT_TRUE(budgets.spend_source("192.0.2.1", start));
    auto refused = budgets.spend_source("192.0.2.1", start);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::rate_limited);
    EXPECT_EQ(refused.error().retry_after, 30);
    EXPECT_TRUE(budgets.spend_source("192.0.2.2", start));
    EXPECT_TRUE(budgets.spend_source("192.0.2.1", start + 30'000));
}

TEST(Budgets, RequestsOfAnOriginEndAtItsTiersFigure)
{
    Budgets budgets{TierTable{}};
    for (int i = 0; i < 60; ++i) {
        ASSERT_TRUE(budgets.spend_request(origin, Tier::quarantined, start));
    }
    auto refused = budgets.spend_request(origin, Tier::quarantined, start);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::rate_limited);
    EXPECT_GE(refused.error().retry_after, 1);
}

// [INBOX-8]
TEST(Budgets, TheFirstItemIsAlwaysTakenSoThatThereIsProgress)
{
    TierTable table;
    table.rows[static_cast<std::size_t>(Tier::guest)].events = 2;
    table.rows[static_cast<std::size_t>(Tier::guest)].bytes = 100;
    Budgets budgets{table};
    EXPECT_TRUE(budgets.spend_events(origin, Tier::guest, 5, true, start));
    EXPECT_TRUE(budgets.spend_events(origin, Tier::guest, 1, true, start));
    EXPECT_FALSE(budgets.spend_events(origin, Tier::guest, 1, false, start));
    EXPECT_TRUE(budgets.spend_bytes(origin, Tier::guest, 4'000, true, start));
    EXPECT_FALSE(budgets.spend_bytes(origin, Tier::guest, 1, false, start));
}

TEST(Budgets, ClaimsEndAtTheTiersFigureAndAFullBudgetIsEnoughForAnyRequest)
{
    Budgets budgets{TierTable{}};
    EXPECT_FALSE(budgets.spend_claims(origin, Tier::blocked, 1, start));
    EXPECT_TRUE(budgets.spend_claims(origin, Tier::quarantined, 50, start));
    const auto over = budgets.spend_claims(origin, Tier::quarantined, 1, start);
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, Code::rate_limited);
    EXPECT_EQ(over.error().retry_after, 6);
    EXPECT_TRUE(budgets.spend_claims(origin, Tier::quarantined, 1, start + 6'000));
    const auto other = ServerName::trusted("b.example");
    EXPECT_TRUE(budgets.spend_claims(other, Tier::guest, 60, start));
    EXPECT_FALSE(budgets.spend_claims(other, Tier::guest, 1, start));
}

// [INBOX-20] Every figure of the table, from both sides, and that it comes back in its time.
TEST(Budgets, EachFigureOfEachTierIsWhatAnOriginMaySpend)
{
    using Spend = std::function<bool(Budgets&, Tier, protocol::Millis)>;
    struct Figure {
        const char* name;
        std::int64_t TierBudget::* most;
        protocol::Millis period;
        Spend spend;
    };
    const std::vector<Figure> figures{
        {"requests", &TierBudget::requests, 60'000,
         [](Budgets& b, Tier t, auto at) { return b.spend_request(origin, t, at).has_value(); }},
        {"events", &TierBudget::events, 60'000,
         [](Budgets& b, Tier t, auto at) {
             return b.spend_events(origin, t, 1, false, at).has_value();
         }},
        {"claims", &TierBudget::claims, 60'000,
         [](Budgets& b, Tier t, auto at) { return b.spend_claims(origin, t, 1, at).has_value(); }},
        {"signals", &TierBudget::signals, 60'000,
         [](Budgets& b, Tier t, auto at) { return b.spend_signal(origin, t, at); }},
        {"invitations", &TierBudget::invitations, 3'600'000,
         [](Budgets& b, Tier t, auto at) { return b.spend_invitation(origin, t, at).has_value(); }},
        {"look-ups", &TierBudget::look_ups, 60'000,
         [](Budgets& b, Tier t, auto at) { return b.spend_look_up(origin, t, at).has_value(); }},
        {"media", &TierBudget::media, 60'000,
         [](Budgets& b, Tier t, auto at) { return b.spend_media(origin, t, at).has_value(); }},
    };
    const TierTable table;
    for (const auto& figure : figures) {
        for (const auto tier :
             {Tier::blocked, Tier::quarantined, Tier::guest, Tier::known, Tier::trusted}) {
            const auto most = table.of(tier).*figure.most;
            Budgets budgets{table};
            std::int64_t taken = 0;
            while (taken <= most && figure.spend(budgets, tier, start)) ++taken;
            EXPECT_EQ(taken, most) << figure.name << " " << to_text(tier);
            EXPECT_EQ(figure.spend(budgets, tier, start + figure.period), most > 0)
                << figure.name << " " << to_text(tier);
        }
    }
}

// The same for bytes, which come many at a time.
TEST(Budgets, BytesEndAtTheTiersFigure)
{
    const TierTable table;
    for (const auto tier :
         {Tier::blocked, Tier::quarantined, Tier::guest, Tier::known, Tier::trusted}) {
        Budgets budgets{table};
        EXPECT_TRUE(budgets.spend_bytes(origin, tier, table.of(tier).bytes, false, start));
        EXPECT_FALSE(budgets.spend_bytes(origin, tier, 1, false, start)) << to_text(tier);
    }
}

// [INBOX-20]
TEST(Budgets, OnePeerOverBudgetCostsNoOther)
{
    Budgets budgets{TierTable{}};
    const auto other = ServerName::trusted("b.example");
    while (budgets.spend_invitation(origin, Tier::guest, start)) continue;
    while (budgets.spend_look_up(origin, Tier::guest, start)) continue;
    while (budgets.spend_media(origin, Tier::guest, start)) continue;
    EXPECT_TRUE(budgets.spend_invitation(other, Tier::guest, start));
    EXPECT_TRUE(budgets.spend_look_up(other, Tier::guest, start));
    EXPECT_TRUE(budgets.spend_media(other, Tier::guest, start));
    const auto refused = budgets.spend_invitation(origin, Tier::guest, start);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::rate_limited);
    EXPECT_EQ(refused.error().retry_after, 60);
}

// Of every budget a little, as an origin that has proven itself would.
void spend_of_all(Budgets& budgets, const ServerName& by, std::string_view source)
{
    ASSERT_TRUE(budgets.spend_source(source, start));
    ASSERT_TRUE(budgets.spend_request(by, Tier::guest, start));
    ASSERT_TRUE(budgets.spend_events(by, Tier::guest, 1, false, start));
    budgets.charge_bytes(by, Tier::guest, 1'000, start);
    ASSERT_TRUE(budgets.spend_claims(by, Tier::guest, 1, start));
    ASSERT_TRUE(budgets.spend_signal(by, Tier::guest, start));
    ASSERT_TRUE(budgets.spend_invitation(by, Tier::guest, start));
    ASSERT_TRUE(budgets.spend_look_up(by, Tier::guest, start));
    ASSERT_TRUE(budgets.spend_media(by, Tier::guest, start));
}

// [INBOX-20] 10,000 that are proven, and as many again as are remembered: each has its own, memory
// is bounded, and one that has used up its own doesn't get it back as long as it is remembered.
TEST(Budgets, TensOfThousandsOfProvenOriginsCostABoundedMemoryAndNobodyHisAllowance)
{
    const BudgetOptions options;
    const auto most = 8 * options.max_origins + options.max_sources;
    Budgets budgets{TierTable{}};
    const auto steady = ServerName::trusted("steady.example");
    const auto greedy = ServerName::trusted("greedy.example");
    while (budgets.spend_look_up(greedy, Tier::guest, start)) continue;
    int steady_served = 0;
    const auto come = [&](std::size_t first, std::size_t count) {
        for (auto i = first; i < first + count; ++i) {
            const auto number = std::to_string(i);
            spend_of_all(budgets, ServerName::trusted("s" + number + ".example"), number);
            if (i % 1'000 != 0) continue;
            spend_of_all(budgets, steady, "192.0.2.7");
            ++steady_served;
            EXPECT_FALSE(budgets.spend_look_up(greedy, Tier::guest, start)) << i;
        }
    };
    come(0, 10'000);
    EXPECT_EQ(budgets.buckets(), 9 * 10'001 + 1U) << "each has its own";
    come(10'000, 2 * options.max_origins);
    EXPECT_EQ(budgets.buckets(), most);
    EXPECT_EQ(steady_served, 50);
}

TEST(Budgets, SignalsEndAtTheTiersFigure)
{
    Budgets budgets{TierTable{}};
    EXPECT_FALSE(budgets.spend_signal(origin, Tier::quarantined, start));
    int taken = 0;
    const auto other = ServerName::trusted("b.example");
    for (int i = 0; i < 1'000; ++i) taken += budgets.spend_signal(other, Tier::guest, start);
    EXPECT_EQ(taken, 600);
}

}  // namespace
}  // namespace entente::trust
