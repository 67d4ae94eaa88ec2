// The figures of the shipped table of tiers, each from both sides, through the inbox and the
// answers to claims that enforce them: events, signals, invitations, one-time keys.
#include "tests/federation/log/people_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::ItemStatus;
using trust::Tier;

struct Row {
    Tier tier;
    std::int64_t events, signals, invitations, claims;
};

// As docs/operate/trust.md and docs/reference/configuration.md have them, written once more: a
// changed default is to be noticed.
const Row rows[] = {{Tier::quarantined, 60, 0, 10, 10},
                    {Tier::guest, 600, 600, 60, 60},
                    {Tier::known, 6'000, 6'000, 6'000, 600},
                    {Tier::trusted, 600'000, 600'000, 600'000, 6'000}};

constexpr Millis minute = 60'000;

// b.example comes to a.example in the tier of the row.
class Figures : public ::testing::Test, public ::testing::WithParamInterface<Row> {
 protected:
    Figures() : channel(shared_channel(a.server, b.server))
    {
        // With budgets of which nothing is spent.
        a.restart();
        a.server.tier = row.tier;
    }

    [[nodiscard]] Millis now() const { return servers.world.clock.now_ms(); }
    // All of one budget but `left`, which a test is to spend.
    template <class Spend>
    void spend_all_but(std::int64_t left, std::int64_t most, Spend spend)
    {
        for (auto spent = left; spent < most; ++spent) ASSERT_TRUE(spend());
    }
    std::vector<ItemStatus> hand_in_messages(int count)
    {
        std::vector<EventAndContent> events;
        for (int i = 0; i < count; ++i)
            events.push_back(b.server.event(channel, {"message.create", "bob@b.example", hello}));
        std::vector<ItemStatus> statuses;
        for (const auto& result : hand_in(b.server, a.server, channel, std::move(events)))
            statuses.push_back(result.status);
        return statuses;
    }
    ItemStatus invite()
    {
        const auto of = b.server.create("bob");
        const auto inner =
            b.server.event(of, {"member.invite", "bob@b.example", R"({"user":"alice@a.example"})"});
        protocol::EventDraft draft;
        draft.type = "invite";
        draft.to = "alice@a.example";
        draft.sender = "b.example";
        draft.txn = protocol::make_uuid7(now(), servers.world.random);
        draft.at = now();
        draft.content = R"({"salt":"AAECAwQFBgcICQoLDA0ODw","channel":")" + of.str() +
                        R"(","name":"n","kind":"dm","encryption":"none","members":1,"invite":)" +
                        "{\"event\":" + protocol::json_string(inner.event) +
                        ",\"content\":" + protocol::json_string(inner.content) + "}}";
        protocol::OutgoingTransaction transaction;
        transaction.direct = {{protocol::write_event(draft), draft.content}};
        return a.server.receive(b.server, transaction).direct.at(0).status;
    }
    std::vector<std::string> type(int count)
    {
        protocol::LiveSignal signal;
        signal.type = protocol::SignalType::typing;
        signal.channel = channel;
        signal.user = UserId::trusted("bob@b.example");
        signal.on = true;
        return a.receive_signals(b.server,
                                 {static_cast<std::size_t>(count), protocol::write_signal(signal)});
    }
    // What becomes of a claim of `count` one-time keys.
    std::optional<Code> claim(int count)
    {
        protocol::KeyClaims claims;
        claims.txn = protocol::make_uuid7(now(), servers.world.random);
        for (int i = 0; i < count; ++i)
            claims.claims.push_back({a.server.user("alice"), device_id(7), "x3dh"});
        const auto answer = servers.world.run(a.answer(
            b.server, "POST", "/federation/v1/keys/claim", protocol::write_key_claims(claims)));
        return answer && answer->problem ? std::optional(answer->problem->code) : std::nullopt;
    }

    const Row row = GetParam();
    TwoPeopleServers two;
    Servers& servers = two.servers;
    PeopleServer& a = two.a;
    PeopleServer& b = two.b;
    ChannelId channel;
    const ServerName origin = b.server.identity.name;
};

// [INBOX-8]
TEST_P(Figures, EventsOfAMinute)
{
    using enum ItemStatus;
    ASSERT_TRUE(a.server.budgets->spend_events(origin, row.tier, row.events - 2, false, now()));
    EXPECT_EQ(hand_in_messages(3), (std::vector{accepted, accepted, deferred}));
    // What comes back of it in the meantime, and no more.
    const auto wait = std::max<Millis>(minute / row.events, 1);
    servers.world.clock.now += wait;
    const auto again = static_cast<int>(wait * row.events / minute);
    std::vector<ItemStatus> expected(static_cast<std::size_t>(again), accepted);
    expected.push_back(deferred);
    EXPECT_EQ(hand_in_messages(again + 1), expected);
    servers.world.clock.now += minute;
    EXPECT_EQ(hand_in_messages(2), (std::vector{accepted, accepted}));
}

TEST_P(Figures, SignalsOfAMinute)
{
    const auto left = std::min<std::int64_t>(row.signals, 2);
    spend_all_but(left, row.signals,
                  [&] { return a.server.budgets->spend_signal(origin, row.tier, now()); });
    const auto statuses = type(3);
    EXPECT_EQ(std::ranges::count(statuses, "accepted"), left);
    servers.world.clock.now += minute;
    EXPECT_EQ(type(1).at(0), row.signals > 0 ? "accepted" : "ignored");
}

TEST_P(Figures, InvitationsOfAnHour)
{
    spend_all_but(2, row.invitations, [&] {
        return a.server.budgets->spend_invitation(origin, row.tier, now()).has_value();
    });
    EXPECT_EQ(invite(), ItemStatus::accepted);
    EXPECT_EQ(invite(), ItemStatus::accepted);
    EXPECT_EQ(invite(), ItemStatus::deferred);
    servers.world.clock.now += 60 * minute / row.invitations + 1;
    EXPECT_EQ(invite(), ItemStatus::accepted);
}

// [QRY-9]
TEST_P(Figures, ClaimsOfAMinute)
{
    ASSERT_TRUE(a.server.budgets->spend_claims(origin, row.tier, row.claims - 3, now()));
    EXPECT_EQ(claim(4), Code::rate_limited);
    EXPECT_EQ(claim(3), std::nullopt);
    EXPECT_EQ(claim(1), Code::rate_limited);
    servers.world.clock.now += minute / row.claims + 1;
    EXPECT_EQ(claim(1), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Tiers, Figures, ::testing::ValuesIn(rows), [](const auto& info) {
    return std::string(trust::to_text(info.param.tier));
});

}  // namespace
}  // namespace entente::federation::log_rig
