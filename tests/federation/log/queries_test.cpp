// What is answered to who asks for a channel's state or its entries.
#include "federation/queries/queries.hpp"
#include "federation/log/past_state.hpp"
#include "protocol/problem.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

constexpr Code answered = Code::internal;

class QueriesTest : public ::testing::Test {
 protected:
    QueriesTest() : channel(shared_channel(a, b)) {}

    net::Response ask(Server& asked, const Server& asker, const ChannelId& name,
                      const std::optional<std::string>& log_query,
                      const std::string& snapshot_query = "")
    {
        net::Request request;
        request.method = "GET";
        request.captures = {name.str()};
        request.query = log_query.value_or(snapshot_query);
        const Admitted admitted{asker.identity.name, asker.identity.key_ref(), trust::Tier::known,
                                ""};
        Queries queries(asked.identity, *asked.commits, servers.world.clock);
        return servers.world.run(log_query ? queries.log(request, admitted)
                                           : queries.snapshot(request, admitted));
    }
    Code code_of(const net::Response& response)
    {
        if (response.status == 200) return answered;
        const auto problem = protocol::parse_problem(response.body);
        return problem ? problem->code : answered;
    }
    Code snapshot_code(Server& asked, const Server& asker, const ChannelId& name)
    {
        return code_of(ask(asked, asker, name, std::nullopt));
    }
    Code log_code(Server& asked, const Server& asker, const ChannelId& name,
                  const std::string& query = "")
    {
        return code_of(ask(asked, asker, name, query));
    }
    protocol::LogAnswer log(Server& asked, const Server& asker, const std::string& query)
    {
        auto read = protocol::parse_log_answer(ask(asked, asker, channel, query).body, {});
        EXPECT_TRUE(read) << (read ? "" : read.error().detail);
        return read.value_or(protocol::LogAnswer{});
    }
    protocol::Snapshot snapshot(const Server& asker, const std::string& query)
    {
        const auto answer = ask(a, asker, channel, std::nullopt, query);
        auto read = protocol::parse_snapshot_answer(answer.body, {});
        EXPECT_TRUE(read) << (read ? "" : read.error().detail);
        return read ? read->snapshot : protocol::Snapshot{};
    }
    void invite_carol()
    {
        ASSERT_TRUE(a.append(a.event(
            channel, {"member.invite", "alice@a.example", R"({"user":"carol@c.example"})"})));
    }
    void write(int messages)
    {
        for (int i = 0; i < messages; ++i) ASSERT_TRUE(a.post("alice", channel, "hello"));
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
};

// [QRY-1]
TEST_F(QueriesTest, ForAStrangerTheChannelIsNotFoundAndForAnInvitedServerItsLogIsnt)
{
    const auto nowhere = protocol::make_channel_id(a.identity.name, servers.world.clock.now_ms(),
                                                   servers.world.random);
    for (auto* asked : {&a, &b}) {
        for (const auto& name : {channel, nowhere}) {
            EXPECT_EQ(snapshot_code(*asked, c, name), Code::not_found);
            EXPECT_EQ(log_code(*asked, c, name), Code::not_found);
        }
    }
    invite_carol();
    EXPECT_EQ(snapshot_code(a, c, channel), answered);
    EXPECT_EQ(log_code(a, c, channel), Code::not_found);
    ASSERT_EQ(
        hand_in(c, a, channel, {c.event(channel, {"member.join", "carol@c.example"})}).at(0).status,
        protocol::ItemStatus::accepted);
    EXPECT_EQ(log_code(a, c, channel), answered);
}

// [QRY-1]
TEST_F(QueriesTest, OfAPublicChannelAnyoneSeesTheStateAndOnlyMembersTheLog)
{
    const auto open = a.create("alice", "since-join", true);
    EXPECT_EQ(snapshot_code(a, c, open), answered);
    EXPECT_EQ(log_code(a, c, open), Code::not_found);
}

// [QRY-2] [QRY-13] Whoever asks for what came before its join gets what came since, and is told
// where that begins.
TEST_F(QueriesTest, BelowTheAskersFloorAfterMeansTheFloor)
{
    write(2);
    const auto floor = a.cursor(channel, b)->floor;
    ASSERT_GT(floor, 1);
    for (const char* query : {"", "after=0", "after=1"}) {
        const auto slice = log(a, b, query).slice;
        EXPECT_EQ(slice.after.seq, floor) << query;
        EXPECT_EQ(slice.floor, floor) << query;
        EXPECT_EQ(slice.entries.size(), 2U);
    }
}

// [QRY-2] A follower holds more than the newcomer may have, and gives no more than the home.
TEST_F(QueriesTest, BelowTheAskersFloorAFollowerGivesNothingEither)
{
    write(2);
    invite_carol();
    ASSERT_EQ(
        hand_in(c, a, channel, {c.event(channel, {"member.join", "carol@c.example"})}).at(0).status,
        protocol::ItemStatus::accepted);
    write(1);
    settle_all(a, b);
    const auto floor = a.cursor(channel, c)->floor;
    ASSERT_GT(floor, b.image(channel)->floor + 1);
    for (auto* asked : {&a, &b}) {
        const auto slice = log(*asked, c, "after=0").slice;
        EXPECT_EQ(slice.after.seq, floor) << asked->identity.name.str();
        EXPECT_EQ(slice.floor, asked == &a ? floor : 0) << asked->identity.name.str();
        EXPECT_EQ(slice.entries.size(), 1U);
    }
    // The home has all of it coming, whenever its own data was put back.
    EXPECT_EQ(log(b, a, "after=0").slice.after.seq, b.image(channel)->floor);
}

// [QRY-13]
TEST_F(QueriesTest, TheStateAsOfTheAskersFloorIsGivenAndOfNoOtherEntry)
{
    const auto floor = a.cursor(channel, b)->floor;
    const auto then = snapshot(b, "");
    ASSERT_EQ(then.seq, floor);
    invite_carol();
    write(1'200);
    const auto now = snapshot(b, "");
    EXPECT_EQ(now.seq, a.image(channel)->seq);
    const auto as_of = [&](std::int64_t seq) { return "seq=" + std::to_string(seq); };
    const auto turned = snapshot(b, as_of(floor));
    EXPECT_EQ(turned.seq, then.seq);
    EXPECT_EQ(turned.epoch, then.epoch);
    EXPECT_EQ(turned.hash, then.hash);
    EXPECT_EQ(turned.at, then.at);
    EXPECT_EQ(turned.state, then.state);
    EXPECT_NE(turned.state, now.state);
    for (const auto seq : {floor - 1, floor + 1, now.seq, now.seq + 1})
        EXPECT_EQ(snapshot(b, as_of(seq)).seq, now.seq);
    // Who has no floor gets no other state than the present one.
    EXPECT_EQ(snapshot(c, as_of(floor)).seq, now.seq);
    for (const auto* bad : {"seq=0", "seq=-1", "seq=x", "seq="})
        EXPECT_EQ(code_of(ask(a, b, channel, std::nullopt, bad)), Code::malformed);
}

// [QRY-13] Many entries later as well, up to a bound.
TEST_F(QueriesTest, TheFoldOfAnEarlierStateIsBounded)
{
    write(2'100);
    invite_carol();
    ASSERT_EQ(
        hand_in(c, a, channel, {c.event(channel, {"member.join", "carol@c.example"})}).at(0).status,
        protocol::ItemStatus::accepted);
    const auto floor = a.cursor(channel, c)->floor;
    write(1);
    EXPECT_EQ(snapshot(c, "seq=" + std::to_string(floor)).seq, floor);
    const auto fold = [&](int pages) {
        return a
            .read([&](storage::Connection& db) -> Result<std::int64_t> {
                auto row = storage::read_channel(db, channel);
                if (!row) return fail(row);
                auto past = fold_stored(db, *row, floor, pages, {});
                if (!past) return fail(past);
                return past->seq;
            })
            .value();
    };
    EXPECT_EQ(fold(3), floor);
    EXPECT_LT(fold(2), floor);
}

// [QRY-3]
TEST_F(QueriesTest, NumbersOutOfTheirBoundsAreMalformedAndAbsentOnesHaveTheirDefaults)
{
    for (const char* query : {"after=-1", "after=", "after=x", "after=1x", "after=1.0", "limit=0",
                              "limit=-1", "limit=1001", "limit=x", "after=0&limit="})
        EXPECT_EQ(log_code(a, b, channel, query), Code::malformed) << query;
    write(120);
    EXPECT_EQ(log(a, b, "").slice.entries.size(), 100U);
    EXPECT_EQ(log(a, b, "limit=1").slice.entries.size(), 1U);
    EXPECT_EQ(log(a, b, "limit=1000").slice.entries.size(), 120U);
    const auto newest = a.image(channel)->seq;
    const auto last = log(a, b, "after=" + std::to_string(newest - 1));
    ASSERT_EQ(last.slice.entries.size(), 1U);
    EXPECT_EQ(last.slice.checkpoint.seq, newest);
}

// [QRY-14]
TEST_F(QueriesTest, BeyondTheEndTheHomeShowsItsEndAndAFollowerNothing)
{
    write(2);
    const auto end = a.image(channel)->seq;
    for (const auto after : {end, end + 1, end + 1'000'000}) {
        const auto query = "after=" + std::to_string(after);
        const auto slice = log(a, b, query).slice;
        EXPECT_TRUE(slice.entries.empty()) << after;
        EXPECT_EQ(slice.after.seq, end) << after;
        EXPECT_EQ(slice.checkpoint.seq, end) << after;
        EXPECT_EQ(slice.checkpoint.hash, a.image(channel)->hash) << after;
        EXPECT_EQ(log_code(b, a, channel, query), Code::not_found) << after;
    }
}

// [QRY-4]
TEST_F(QueriesTest, OnlyTheHomeGivesSnapshots)
{
    EXPECT_EQ(snapshot_code(b, a, channel), Code::not_home);
    EXPECT_EQ(snapshot_code(b, c, channel), Code::not_found);
    EXPECT_EQ(snapshot_code(a, b, channel), answered);
}

// [QRY-4] It can't sign one of its own.
TEST_F(QueriesTest, AFollowersAnswerEndsAtACheckpointThatItHolds)
{
    const auto held = b.image(channel)->seq;
    write(5);
    settle_all(a, b);
    const auto from = "after=" + std::to_string(held) + "&limit=";
    EXPECT_EQ(log_code(b, a, channel, from + "4"), Code::not_found);
    const auto answer = log(b, a, from + "100");
    EXPECT_EQ(answer.slice.entries.size(), 5U);
    EXPECT_EQ(answer.slice.checkpoint.seq, held + 5);
    const auto root =
        protocol::parse_signed_root(answer.roots.at(answer.slice.checkpoint.proof.root), {});
    ASSERT_TRUE(root);
    EXPECT_EQ(root->jws.key.server, a.identity.name);
}

// [LOG-15] [QRY-5]
TEST_F(QueriesTest, AnAnswerHasTheRootsOfItsOwnEntriesAndNoOthers)
{
    const auto held = a.image(channel)->seq;
    for (int i = 0; i < 3; ++i)
        ASSERT_EQ(
            hand_in(b, a, channel,
                    {b.event(channel, {"message.create", "bob@b.example", R"({"text":"x"})"})})
                .at(0)
                .status,
            protocol::ItemStatus::accepted);
    const auto answer = log(a, b, "after=" + std::to_string(held + 1) + "&limit=1");
    EXPECT_EQ(answer.slice.seals.size(), 1U);
    EXPECT_EQ(answer.roots.size(), 2U);  // the seal's and the home's own
}

}  // namespace
}  // namespace entente::federation::log_rig
