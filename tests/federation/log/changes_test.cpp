// What users do with channels beside posting, at home and from afar: kicks, bans, roles,
// patches, edits, reactions, and the dm of two people.
#include "federation/channels/channel_changes.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

class Changes : public ::testing::Test {
 protected:
    Changes() : channel(shared_channel(a, b)) {}

    Code code_of(const Result<Posted>& result)
    {
        return result ? Code::internal : result.error().code;
    }
    // From a server that isn't the home: what the home said of it in the end.
    std::optional<Code> refusal_of(const Result<Posted>& posted)
    {
        EXPECT_TRUE(posted) << posted.error().detail;
        EXPECT_EQ(posted->state, DeliveryState::pending);
        settle_all(a, b);
        const auto row = b.submission(posted->event_id);
        if (!row || row->problem.empty()) return std::nullopt;
        return protocol::code_from_name(row->problem);
    }
    std::string state(Server& server) { return server.image(channel)->state; }
    bool says(Server& server, const std::string& text)
    {
        return state(server).find(text) != std::string::npos;
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId channel;
};

TEST_F(Changes, AKickEndsTheFollowingAndABanKeepsItEnded)
{
    ASSERT_TRUE(a.change("alice", channel, changes::kick(b.user("bob"), "enough")));
    settle_all(a, b);
    EXPECT_FALSE(says(b, "bob@b.example"));
    EXPECT_EQ(state(a), state(b));
    EXPECT_FALSE(a.cursor(channel, b));
    EXPECT_EQ(code_of(b.post("bob", channel, "still here?")), Code::not_found);

    ASSERT_TRUE(a.change("alice", channel, changes::ban(b.user("bob"), "")));
    EXPECT_TRUE(says(a, R"("banned":["bob@b.example"])"));
    const auto invited = a.world.run(a.channels->invite(a.actor("alice"), channel, b.user("bob")));
    EXPECT_EQ(code_of(invited), Code::forbidden);
    ASSERT_TRUE(a.change("alice", channel, changes::unban(b.user("bob"), "")));
    EXPECT_TRUE(a.world.run(a.channels->invite(a.actor("alice"), channel, b.user("bob"))));
    EXPECT_EQ(code_of(a.change("alice", channel, changes::kick(a.user("carol"), ""))),
              Code::not_found);
}

TEST_F(Changes, AModeratorFromAfarActsAndAMemberIsRefusedByTheHome)
{
    EXPECT_EQ(refusal_of(b.change("bob", channel, changes::kick(a.user("alice"), ""))),
              Code::forbidden);
    changes::ChannelPatch patch;
    patch.topic = "tulips";
    EXPECT_EQ(refusal_of(b.change("bob", channel, changes::update(patch))), Code::forbidden);

    ASSERT_TRUE(a.change("alice", channel, changes::set_role(b.user("bob"), "moderator")));
    settle_all(a, b);
    EXPECT_EQ(refusal_of(b.change("bob", channel, changes::update(patch))), std::nullopt);
    EXPECT_TRUE(says(a, R"("topic":"tulips")"));
    EXPECT_EQ(state(a), state(b));
    EXPECT_EQ(refusal_of(b.change("bob", channel, changes::set_successors({"b.example"}))),
              Code::forbidden);
    ASSERT_TRUE(a.change("alice", channel, changes::set_successors({"b.example", "c.example"})));
    EXPECT_TRUE(says(a, R"("successors":["b.example","c.example"])"));
    EXPECT_EQ(
        code_of(a.change("alice", channel, changes::set_successors({"b.example", "b.example"}))),
        Code::malformed);
}

TEST_F(Changes, ARepeatedTxnMeansTheSameChangeHereAndFromAfar)
{
    const auto kick = changes::ban(a.user("carol"), "");
    const auto actor = a.actor("alice");
    const auto first = a.world.run(a.channels->change(actor, channel, kick));
    const auto again = a.world.run(a.channels->change(actor, channel, kick));
    ASSERT_TRUE(first && again);
    EXPECT_EQ(first->seq, again->seq);
    EXPECT_EQ(first->event_id, again->event_id);

    const auto message = a.post("alice", channel, "hello");
    const auto react = changes::react(message->event_id, "+1");
    const auto bob = b.actor("bob");
    const auto pending = b.world.run(b.channels->change(bob, channel, react));
    EXPECT_EQ(refusal_of(pending), std::nullopt);
    const auto later = b.world.run(b.channels->change(bob, channel, react));
    ASSERT_TRUE(later);
    EXPECT_EQ(later->state, DeliveryState::accepted);
    EXPECT_EQ(later->event_id, pending->event_id);
}

TEST_F(Changes, OnlyTheAuthorEditsAndAnyMemberReacts)
{
    const auto message = a.post("alice", channel, "helo");
    ASSERT_TRUE(message);
    EXPECT_EQ(refusal_of(
                  b.change("bob", channel, changes::edit(message->event_id, R"({"text":"mine"})"))),
              Code::forbidden);
    EXPECT_TRUE(
        a.change("alice", channel, changes::edit(message->event_id, R"({"text":"hello"})")));
    EXPECT_EQ(code_of(a.change("alice", channel, changes::edit(message->event_id, "{}"))),
              Code::malformed);
    EXPECT_EQ(refusal_of(b.change("bob", channel, changes::react(message->event_id, "+1"))),
              std::nullopt);
    EXPECT_EQ(code_of(a.change("alice", channel, changes::react(Hash{}, "+1"))), Code::not_found);
    const auto entries = a.entries(channel, 0);
    EXPECT_NE(entries.back().entry.event.find(protocol::to_base64url(message->event_id)),
              std::string::npos);
}

// [MEM-16]
TEST_F(Changes, AChangeOfHistoryIsForLaterJoinsOfThisServerToo)
{
    ASSERT_TRUE(a.post("alice", channel, "early"));
    const auto joins = [&](const std::string& who) {
        ASSERT_TRUE(a.world.run(a.channels->invite(a.actor("alice"), channel, a.user(who))));
        ASSERT_TRUE(a.world.run(a.channels->join(a.actor(who), channel)));
    };
    const auto first_seen = [&](const std::string& who) {
        return a.world.run(a.channels->page_after(a.user(who), channel, 0, {1})).value().at(0).seq;
    };
    joins("carol");
    const auto join = a.image(channel)->seq;
    ASSERT_TRUE(a.post("alice", channel, "late"));
    changes::ChannelPatch patch;
    patch.history = "all";
    ASSERT_TRUE(a.change("alice", channel, changes::update(patch)));
    EXPECT_EQ(first_seen("carol"), join + 1);
    joins("dave");
    EXPECT_EQ(first_seen("dave"), 1);
    patch.history = "since-join";
    ASSERT_TRUE(a.change("alice", channel, changes::update(patch)));
    ASSERT_TRUE(a.change("alice", channel, changes::set_role(a.user("dave"), "moderator")));
    EXPECT_EQ(first_seen("dave"), 1);
    EXPECT_EQ(first_seen("carol"), join + 1);
}

class Direct : public Changes {
 protected:
    Result<DirectChannel> make(Server& server, const std::string& who, const UserId& peer)
    {
        NewChannel about;
        about.history = "all";
        return server.world.run(server.channels->make_direct(server.actor(who), peer, about));
    }
    std::optional<DirectChannel> find(Server& server, const std::string& who, const UserId& peer)
    {
        return server.world.run(server.channels->find_direct(server.user(who), peer)).value();
    }
};

TEST_F(Direct, CallsAtOnceMakeOneAndBothPeopleFindIt)
{
    std::vector<Result<DirectChannel>> made;
    int left = 4;
    for (int i = 0; i < 4; ++i) {
        // Two people, each twice, in one commit.
        const std::string who = i % 2 == 0 ? "alice" : "carol";
        const auto peer = a.user(i % 2 == 0 ? "carol" : "alice");
        asio::co_spawn(a.world.io, a.channels->make_direct(a.actor(who), peer, NewChannel{}),
                       [&](const std::exception_ptr&, Result<DirectChannel> one) {
                           made.push_back(std::move(one));
                           --left;
                       });
    }
    a.world.io.restart();
    while (left > 0) a.world.io.run_one();
    for (const auto& one : made) {
        ASSERT_TRUE(one) << one.error().detail;
        EXPECT_EQ(one->channel, made.front()->channel);
    }
    const auto name = made.front()->channel;
    EXPECT_EQ(a.image(name)->seq, 2);
    EXPECT_TRUE(find(a, "alice", a.user("carol"))->joined);
    EXPECT_EQ(find(a, "carol", a.user("alice"))->channel, name);
    EXPECT_FALSE(find(a, "carol", a.user("alice"))->joined);
    EXPECT_FALSE(find(a, "alice", a.user("dave")));
    // A group of the same two is no dm.
    EXPECT_NE(find(a, "alice", a.user("carol"))->channel, channel);
}

TEST_F(Direct, AnInvitationFromAfarIsTheDmAndWhatWasWrittenBeforeTheJoinIsSeen)
{
    const auto made = make(a, "alice", b.user("bob"));
    ASSERT_TRUE(made) << made.error().detail;
    ASSERT_TRUE(a.post("alice", made->channel, "are you there?"));
    settle_all(a, b);
    const auto found = find(b, "bob", a.user("alice"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->channel, made->channel);
    EXPECT_FALSE(found->joined);
    ASSERT_TRUE(make(b, "bob", a.user("alice")));
    EXPECT_EQ(make(b, "bob", a.user("alice"))->channel, made->channel);

    ASSERT_TRUE(b.world.run(b.channels->join(b.actor("bob"), made->channel)));
    settle_all(a, b);
    EXPECT_TRUE(find(b, "bob", a.user("alice"))->joined);
    const auto page =
        b.world.run(b.channels->page_after(b.user("bob"), made->channel, 0, {100})).value();
    ASSERT_GE(page.size(), 4U);
    EXPECT_NE(page[2].content->find("are you there?"), std::string::npos);
}

TEST_F(Direct, OneThatEitherHasLeftIsNoneAnyMore)
{
    const auto made = make(a, "alice", a.user("carol"));
    ASSERT_TRUE(made);
    ASSERT_TRUE(a.world.run(a.channels->join(a.actor("carol"), made->channel)));
    ASSERT_TRUE(a.world.run(a.channels->leave(a.actor("carol"), made->channel)));
    EXPECT_FALSE(find(a, "alice", a.user("carol")));
    const auto next = make(a, "alice", a.user("carol"));
    ASSERT_TRUE(next);
    EXPECT_NE(next->channel, made->channel);
}

TEST_F(Direct, OneselfAndStrangersOfThisServerAreNobody)
{
    EXPECT_EQ(make(a, "alice", a.user("alice")).error().code, Code::malformed);
    EXPECT_EQ(make(a, "alice", a.user("nobody")).error().code, Code::not_found);
    EXPECT_FALSE(find(a, "alice", a.user("nobody")));
}

}  // namespace
}  // namespace entente::federation::log_rig
