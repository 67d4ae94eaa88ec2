// What an origin's budget keeps out before it costs anything else.
#include <algorithm>
#include <tuple>

#include "tests/federation/gate_rig.hpp"

namespace entente::federation::testing_rig {
namespace {

class GateBudget : public GateTest {
 protected:
    static Draft query()
    {
        Draft draft;
        draft.method = "GET";
        draft.body.clear();
        return draft;
    }
};

// The many nonces of who asks too much would keep out everybody else's.
TEST_F(GateBudget, AQueryBeyondItSpendsNoNonce)
{
    with_budget(1);
    ASSERT_TRUE(admit(sign(query()), true));
    const auto early = sign(query());
    EXPECT_EQ(admit(early, true).error().code, Code::rate_limited);
    world.clock.advance(60'000);
    EXPECT_TRUE(admit(early, true));
    world.clock.advance(60'000);
    EXPECT_EQ(admit(early, true).error().code, Code::replayed);
}

TEST_F(GateBudget, AReplayedQueryCostsItsServerNothing)
{
    with_budget(2);
    const auto request = sign(query());
    ASSERT_TRUE(admit(request, true));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(admit(request, true).error().code, Code::replayed);
    EXPECT_TRUE(admit(sign(query()), true));
}

// [SIG-8] It would have this server call the address that the origin names, for each of them.
TEST_F(GateBudget, WhatIsBeyondItIsNotHeard)
{
    with_budget(1);
    std::size_t heard = 0;
    us.gate->on_proven([&](const ServerName&) { ++heard; });
    for (int i = 0; i < 5; ++i) std::ignore = admit(sign({}), i % 2 == 0);
    EXPECT_EQ(heard, 1U);
}

TEST_F(GateBudget, ARouteMayCostALookUpOrAFileAndSaysSoOnceTheyAreUsedUp)
{
    auto& row = us.tier_config.table.of(trust::Tier::known);
    row.look_ups = 2;
    row.media = 1;
    with_budget(100);
    const auto answers = [](const net::Request&,
                            const Admitted&) -> asio::awaitable<net::Response> {
        co_return net::json_answer("{}");
    };
    const auto ask = [&](Cost cost) {
        auto handler = us.gate->guard(answers, true, cost);
        auto request = sign(query());
        return world.run(handler(request));
    };
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(Cost::none).status, 200);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(ask(Cost::look_up).status, 200);
    const auto refused = ask(Cost::look_up);
    EXPECT_EQ(refused.status, 429);
    EXPECT_TRUE(std::ranges::any_of(refused.fields, [](const auto& field) {
        return field.first == "retry-after" || field.first == "Retry-After";
    }));
    EXPECT_TRUE(std::ranges::any_of(refused.fields, [](const auto& field) {
        return field.first == "signature" || field.first == "Signature";
    })) << "it is the origin's own doing, and told as such";
    EXPECT_EQ(ask(Cost::media).status, 200);
    EXPECT_EQ(ask(Cost::media).status, 429);
    EXPECT_EQ(ask(Cost::none).status, 200);
}

}  // namespace
}  // namespace entente::federation::testing_rig
