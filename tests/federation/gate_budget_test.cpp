// What an origin's budget keeps out before it costs anything else.
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

}  // namespace
}  // namespace entente::federation::testing_rig
