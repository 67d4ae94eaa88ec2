// What the server that a channel has moved to may bring a follower that knows nothing of the move,
// once the old home is gone [SUC-6, LOG-6].
#include "federation/channels/channel_changes.hpp"
#include "tests/federation/log/link_rig.hpp"
#include "tests/federation/log/succession_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::SliceStatus;

// Straight into the inbox of one server.
class Straight final : public net::Fetcher {
 public:
    Straight(Server& from, Server& peer) : from_(from), peer_(peer) {}

    asio::awaitable<Result<net::FetchedResponse>> fetch(net::Fetch fetch) override
    {
        if (fetch.method != "POST" || fetch.host != peer_.identity.name.str())
            co_return fail(Code::unavailable, "nothing but that inbox");
        auto answer = co_await answer_of(peer_, from_, fetch);
        co_return answer;
    }

 private:
    Server& from_;
    Server& peer_;
};

class NextHome : public SuccessionTest {
 protected:
    // What c is owed takes more than one transaction up to the move.
    void write_much(Server& home)
    {
        for (int i = 0; i < 60; ++i)
            ASSERT_TRUE(home.post("alice", channel, std::string(60'000, 'x')));
    }
    void move_here()
    {
        move_to(b);
        settle_all(a, b);
    }
    void erase_newest_of_bob()
    {
        ASSERT_TRUE(b.world.run(
            b.channels->change(b.actor("bob"), channel, changes::erase(erased, "gone"))));
    }
    void post_by_bob()
    {
        ASSERT_TRUE(b.post("bob", channel, "to be erased"));
        settle_all(a, b);
        erased = b.entries(channel, row(b).seq - 1).at(0).event_id;
    }
    // All that c doesn't hold of the epoch before.
    [[nodiscard]] protocol::OutgoingTransaction brought()
    {
        const auto after = row(c).seq;
        auto part = b.read([&](storage::Connection& db) {
            return read_provable(db, b.identity.name, storage::read_channel(db, channel).value(),
                                 after, {});
        });
        BatchDraft draft;
        draft.logs.push_back(std::move(part.value()));
        return sign_batch(draft, b.identity, servers.world.clock.now_ms());
    }
    void bring_up()
    {
        Straight way(b, c);
        LinksOf links(b, way, std::chrono::milliseconds{0});
        links->wake(c.identity.name);
        links.run([&] {
            ++servers.world.clock.now;  // a busy link rests between transactions
            return row(c).seq == row(b).seq;
        });
    }

    // Of a server that nobody knew: her join waits to be sent.
    void join_dora(Server& late)
    {
        for (auto* server : {&a, &b, &c}) {
            server->pin(late);
            late.pin(*server);
        }
        ASSERT_TRUE(a.world.run(a.channels->invite(a.actor("alice"), channel, late.user("dora"))));
        settle_all(a, late);
        ASSERT_TRUE(late.world.run(late.channels->join(late.actor("dora"), channel)));
    }

    Hash erased{};
};

// [SUC-6] By the move alone, since the slice that lacks a content doesn't reach that far.
TEST_F(NextHome, ShowsTheMoveToWhoDoesNotKnowOfIt)
{
    post_by_bob();
    write_much(a);
    settle_all(a, b);
    move_here();
    erase_newest_of_bob();
    // It says how far it is, and forgets who has asked.
    ASSERT_TRUE(exchange(b, c));
    ASSERT_EQ(b.cursor(channel, c)->seq, row(c).seq);
    c.restart();
    bring_up();
    EXPECT_EQ(home_at(c), "b.example");
    EXPECT_EQ(c.image(channel)->hash, b.image(channel)->hash);
    EXPECT_TRUE(texts(c) == texts(b));
}

// [SUC-6]
TEST_F(NextHome, LeavesOutNothingThatTheStateDependsOn)
{
    ASSERT_TRUE(
        a.append(a.event(channel, {"channel.update", "alice@a.example", R"({"name":"n"})"})));
    move_here();
    auto made = brought();
    made.logs[0].entries.at(0).content.reset();
    made.logs[0].entries[0].deleted_by = row(a).seq;
    const auto refused = deliver(b, c, made);
    EXPECT_EQ(refused.status, SliceStatus::refused);
    ASSERT_TRUE(refused.problem);
    EXPECT_EQ(refused.problem->code, Code::not_home);
}

// [SUC-6] Only the server that the move names.
TEST_F(NextHome, IsNobodyElseWhoShowsTheMove)
{
    post_by_bob();
    move_here();
    erase_newest_of_bob();
    const auto made = brought();
    auto& entry = made.logs[0].entries.at(0);
    ASSERT_FALSE(entry.content);
    Server other(servers.world, "m.example");
    c.pin(other);
    EXPECT_EQ(deliver(other, c, made).status, SliceStatus::refused);
    EXPECT_EQ(deliver(b, c, made).status, SliceStatus::ok);
    EXPECT_EQ(home_at(c), "b.example");
}

// [LOG-6] Its author's server is gone, and so is the home that knew it.
TEST_F(NextHome, ShowsTheKeysThatOnlyTheOldHomeKnew)
{
    Server gone(servers.world, "d.example");
    a.pin(gone);
    gone.pin(a);
    ASSERT_TRUE(a.append(
        a.event(channel, {"member.invite", "alice@a.example", R"({"user":"dora@d.example"})"})));
    ASSERT_EQ(hand_in(gone, a, channel, {gone.event(channel, {"member.join", "dora@d.example"})})
                  .at(0)
                  .status,
              protocol::ItemStatus::accepted);
    auto settled = exchange(a, b);
    ASSERT_TRUE(settled);
    ASSERT_TRUE(settled->keys_wanted.contains(channel.str()));
    Held shows;
    shows.keys[channel.str()] = {{gone.identity.name, gone.identity.key.public_key().x(), {}}};
    ASSERT_TRUE(exchange(a, b, shows));
    ASSERT_EQ(b.image(channel)->hash, a.image(channel)->hash);
    move_here();
    b.restart();
    bring_up();
    EXPECT_EQ(c.image(channel)->hash, b.image(channel)->hash);
}

// [SUC-7] [INBOX-18] The new home has consented with a log that ends before somebody's join.
TEST_F(NextHome, KnowsNothingYetOfWhoJoinedSinceAndLosesNothingOfTheirs)
{
    ASSERT_TRUE(wish(b));
    auto draft = a.read([&](storage::Connection& db) {
        return read_batch(db, a.identity.name, b.identity.name, BatchLimits{}, {});
    });
    ASSERT_TRUE(draft);
    auto consent = b.receive(a, sign_batch(*draft, a.identity, servers.world.clock.now_ms()));
    Server late(servers.world, "d.example");
    join_dora(late);
    settle_all(a, late);
    ASSERT_TRUE(a.world.run(a.settlement->settle(b.identity.name, *draft, std::move(consent))));
    ASSERT_EQ(standing().state, DeliveryState::accepted);
    settle_all(a, late);
    ASSERT_EQ(home_at(late), "b.example");

    ASSERT_TRUE(late.post("dora", channel, "one"));
    ASSERT_TRUE(exchange(late, b));
    ASSERT_TRUE(late.post("dora", channel, "two"));
    settle_all(a, b);
    settle_all(late, b);
    EXPECT_EQ(texts(b), (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(late.image(channel)->hash, b.image(channel)->hash);
}

// [LOG-2] [SUC-6] It would be taken for gone, and nobody would come back to it.
TEST_F(NextHome, WaitsForWhoseJoinTheOldHomeHasTakenAndWhoDoesNotKnowThatYet)
{
    Server late(servers.world, "d.example");
    join_dora(late);
    const auto lost = send_unheard(late, a);
    ASSERT_EQ(lost.submissions.at(0).events.at(0).status, protocol::ItemStatus::accepted);
    settle_all(a, b);
    move_here();

    auto told = exchange(b, late);
    ASSERT_TRUE(told);
    EXPECT_TRUE(told->awaiting_snapshot.contains(channel.str()));
    // Another than that one is told nothing, whatever it shows.
    const auto answer = late.receive(c, brought()).logs.at(0);
    EXPECT_EQ(answer.status, SliceStatus::not_following);

    ASSERT_TRUE(exchange(late, a));
    ASSERT_TRUE(exchange(late, b));
    settle_all(a, late);
    servers.world.clock.now += 60'000;
    settle_all(b, late);
    EXPECT_EQ(home_at(late), "b.example");
    EXPECT_EQ(late.image(channel)->hash, b.image(channel)->hash);
}

// [LOG-2] [SUC-6] Found by the simulation: who was asked first was gone for good, and the join
// stayed with it.
TEST_F(NextHome, TakesTheJoinThatTheOldHomeDoesNotAnswerAnyMore)
{
    Server late(servers.world, "d.example");
    join_dora(late);
    send_unheard(late, a);
    settle_all(a, b);
    move_here();

    late.woken.clear();
    ASSERT_TRUE(exchange(b, late));
    EXPECT_EQ(late.woken, std::vector<std::string>{"b.example"});
    ASSERT_TRUE(exchange(late, b));
    servers.world.clock.now += 60'000;
    // It says where its log ends.
    ASSERT_TRUE(exchange(b, late));
    settle_all(b, late);
    EXPECT_EQ(home_at(late), "b.example");
    EXPECT_EQ(late.image(channel)->hash, b.image(channel)->hash);
}

}  // namespace
}  // namespace entente::federation::log_rig
