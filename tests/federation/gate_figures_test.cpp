// The figures of the shipped table of tiers, each from both sides, through the gate that enforces
// them: requests, octets of bodies and of answers, look-ups, files.
#include "tests/federation/gate_rig.hpp"

namespace entente::federation::testing_rig {
namespace {

using trust::Tier;

struct Row {
    Tier tier;
    std::int64_t requests, octets, look_ups, files;
};

// As docs/operate/trust.md and docs/reference/configuration.md have them, written once more: a
// changed default is to be noticed.
const Row rows[] = {{Tier::quarantined, 60, 4'194'304, 10, 10},
                    {Tier::guest, 600, 20'971'520, 60, 60},
                    {Tier::known, 6'000, 209'715'200, 600, 600},
                    {Tier::trusted, 600'000, 4'294'967'296, 6'000, 6'000}};

class GateFigures : public GateTest, public testing::WithParamInterface<Row> {
 protected:
    GateFigures()
    {
        us.tier_config.servers[a_test] = GetParam().tier;
        us.restart();
    }
    // Answers `octets` to a request with a body of as many as `sent`.
    int ask(Cost cost = Cost::none, std::size_t sent = 0, std::size_t octets = 0)
    {
        Draft draft;
        draft.method = sent > 0 ? "POST" : "GET";
        draft.body.assign(sent, 'x');
        const auto answers = [octets](const net::Request&,
                                      const Admitted&) -> asio::awaitable<net::Response> {
            co_return text_response(200, std::string(octets, 'y'));
        };
        auto request = sign(draft);
        return world.run(us.gate->guard(answers, sent == 0, cost)(request)).status;
    }
    // All of one budget but `left`, which requests of a test are to take.
    template <class Spend>
    void spend_all_but(std::int64_t left, std::int64_t most, Spend spend)
    {
        for (auto spent = left; spent < most; ++spent) ASSERT_TRUE(spend());
    }
    void leave_octets(std::int64_t left)
    {
        us.budgets->charge_bytes(a_test, GetParam().tier, GetParam().octets - left, now());
    }
    [[nodiscard]] Millis now() const { return world.clock.now_ms(); }
};

TEST_P(GateFigures, Requests)
{
    spend_all_but(2, GetParam().requests, [&] {
        return us.budgets->spend_request(a_test, GetParam().tier, now()).has_value();
    });
    EXPECT_EQ(ask(), 200);
    EXPECT_EQ(ask(), 200);
    EXPECT_EQ(ask(), 429);
    world.clock.advance(60'000 / GetParam().requests + 1);
    EXPECT_EQ(ask(), 200);
}

TEST_P(GateFigures, OctetsOfBodies)
{
    leave_octets(2'001);
    EXPECT_EQ(ask(Cost::none, 1'000), 200);
    EXPECT_EQ(ask(Cost::none, 1'000), 200);
    EXPECT_EQ(ask(Cost::none, 1'000), 200) << "one is left";
    EXPECT_EQ(ask(Cost::none, 1'000), 429);
    world.clock.advance(60'000);
    EXPECT_EQ(ask(Cost::none, 1'000), 200);
}

TEST_P(GateFigures, OctetsOfAnswers)
{
    leave_octets(2'000);
    EXPECT_EQ(ask(Cost::none, 0, 1'000), 200);
    EXPECT_EQ(ask(Cost::none, 0, 1'000), 200);
    EXPECT_EQ(ask(Cost::none, 0, 1'000), 429) << "none is left";
    world.clock.advance(60'000);
    EXPECT_EQ(ask(Cost::none, 0, 1'000), 200);
}

TEST_P(GateFigures, LookUps)
{
    spend_all_but(2, GetParam().look_ups, [&] {
        return us.budgets->spend_look_up(a_test, GetParam().tier, now()).has_value();
    });
    EXPECT_EQ(ask(Cost::look_up), 200);
    EXPECT_EQ(ask(Cost::look_up), 200);
    EXPECT_EQ(ask(Cost::look_up), 429);
    EXPECT_EQ(ask(), 200);
}

TEST_P(GateFigures, Files)
{
    spend_all_but(2, GetParam().files, [&] {
        return us.budgets->spend_media(a_test, GetParam().tier, now()).has_value();
    });
    EXPECT_EQ(ask(Cost::media), 200);
    EXPECT_EQ(ask(Cost::media), 200);
    EXPECT_EQ(ask(Cost::media), 429);
    EXPECT_EQ(ask(), 200);
}

INSTANTIATE_TEST_SUITE_P(Tiers, GateFigures, testing::ValuesIn(rows), [](const auto& info) {
    return std::string(trust::to_text(info.param.tier));
});

TEST_F(GateTest, WhoIsBlockedMaySpendNothing)
{
    us.tier_config.servers[a_test] = Tier::blocked;
    us.restart();
    Draft query;
    query.method = "GET";
    query.body.clear();
    for (const auto& draft : {Draft{}, query}) EXPECT_EQ(refusal(draft), Code::blocked);
}

}  // namespace
}  // namespace entente::federation::testing_rig
