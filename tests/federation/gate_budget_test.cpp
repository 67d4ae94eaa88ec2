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
    static Draft body_of(std::size_t octets)
    {
        Draft draft;
        draft.body.assign(octets, 'x');
        return draft;
    }
    // Octets a minute of who is `known`.
    void with_octets(std::int64_t octets)
    {
        us.tier_config.table.of(trust::Tier::known).bytes = octets;
        with_budget(1'000);
    }
    // Asked for an answer of `octets`.
    net::Response draw(std::size_t octets, const net::Request& request)
    {
        const auto answers = [octets](const net::Request&,
                                      const Admitted&) -> asio::awaitable<net::Response> {
            co_return text_response(200, std::string(octets, 'y'));
        };
        auto own = request;
        return world.run(us.gate->guard(answers, true)(own));
    }
    net::Response draw(std::size_t octets) { return draw(octets, sign(query())); }
    static std::int64_t retry_after(const net::Response& response)
    {
        const auto found = std::ranges::find(response.fields, std::string("Retry-After"),
                                             [](const auto& field) { return field.first; });
        return found == response.fields.end() ? 0 : std::stoll(found->second);
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

// Whatever a body holds: it is here before anything of it is read.
TEST_F(GateBudget, ABodyIsChargedWholeAndWhoIsInDebtWaits)
{
    with_octets(6'000);
    ASSERT_TRUE(admit(body_of(5'999)));
    ASSERT_TRUE(admit(body_of(3'001))) << "an octet is left";
    const auto refused = pass(sign(body_of(1)));
    EXPECT_EQ(refused.status, 429);
    // 3,000 octets of debt, and one to go on with.
    EXPECT_EQ(retry_after(refused), 31);
    world.clock.advance(30'000);
    EXPECT_EQ(refusal(body_of(1)), Code::rate_limited);
    world.clock.advance(1'000);
    EXPECT_EQ(refusal(body_of(1)), passes);
}

TEST_F(GateBudget, ABodyOfAllThatThereIsLeavesNothing)
{
    with_octets(6'000);
    ASSERT_TRUE(admit(body_of(6'000)));
    EXPECT_EQ(refusal(query()), Code::rate_limited);
}

TEST_F(GateBudget, WhatIsRefusedOrRepeatedIsNotCharged)
{
    with_octets(6'000);
    const auto first = sign(body_of(2'000));
    ASSERT_TRUE(admit(first));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(refusal(first), Code::replayed);
    ASSERT_TRUE(admit(body_of(3'999)));
    ASSERT_TRUE(admit(body_of(1'001)));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(refusal(body_of(5'000)), Code::rate_limited);
    world.clock.advance(11'000);
    EXPECT_EQ(refusal(body_of(1)), passes) << "1,000 octets of debt are paid";
}

TEST_F(GateBudget, AnAnswerIsChargedWhenItGoesAndTheNextRequestWaits)
{
    with_octets(6'000);
    EXPECT_EQ(draw(5'999).body.size(), 5'999U);
    EXPECT_EQ(draw(3'001).body.size(), 3'001U);
    const auto early = sign(query());
    const auto refused = draw(1, early);
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(retry_after(refused), 31);
    EXPECT_EQ(refusal(body_of(1)), Code::rate_limited) << "bodies and answers are one budget";
    world.clock.advance(31'000);
    EXPECT_EQ(draw(1, early).status, 200) << "its nonce wasn't spent";
}

TEST_F(GateBudget, NobodyElseWaitsForWhatOneHasDrawn)
{
    with_octets(6'000);
    Node other{world, "c.test"};
    us.tier_config.servers[other.identity.name] = trust::Tier::known;
    us.restart();
    EXPECT_EQ(draw(12'000).status, 200);
    EXPECT_EQ(draw(1).status, 429);
    auto theirs = sign(query());
    const auto now = world.clock.now_s();
    theirs.fields = protocol::sign_request(
        other.identity.key, other.identity.name, b_test, theirs.method, theirs.target, theirs.body,
        {now, now + 300}, protocol::to_base64url(world.random.octets(16)));
    EXPECT_EQ(draw(6'000, theirs).status, 200);
}

// Each page is larger than all that it may draw in a minute. It waits as it is told, and has the
// whole log all the same: a debt is one budget at most.
TEST_F(GateBudget, WhoWaitsAsToldDrawsALogHoweverLargeItsPagesAre)
{
    with_octets(6'000);
    int pages = 0;
    std::int64_t refusals = 0;
    const auto begun = world.clock.now_ms();
    while (pages < 20) {
        const auto answer = draw(50'000);
        if (answer.status == 200) {
            ++pages;
            continue;
        }
        ASSERT_EQ(answer.status, 429);
        ASSERT_LE(retry_after(answer), 61);
        world.clock.advance(retry_after(answer) * 1'000);
        ++refusals;
    }
    EXPECT_EQ(refusals, 19) << "what it is told is enough";
    EXPECT_LE(world.clock.now_ms() - begun, 20 * 61'000);
}

// In stock figures: 1 GiB of log in pages of 4 MiB.
TEST_F(GateBudget, AKnownFollowerHasAGibibyteInFiveMinutes)
{
    with_octets(trust::TierTable{}.of(trust::Tier::known).bytes);
    constexpr std::size_t page = 4 << 20;
    const auto begun = world.clock.now_ms();
    for (std::size_t drawn = 0; drawn < (1UL << 30);) {
        us.budgets->charge_bytes(a_test, trust::Tier::known, page, world.clock.now_ms());
        drawn += page;
        const auto next = draw(0);
        if (next.status == 429) world.clock.advance(retry_after(next) * 1'000);
    }
    EXPECT_LE(world.clock.now_ms() - begun, 5 * 60'000);
}

}  // namespace
}  // namespace entente::federation::testing_rig
