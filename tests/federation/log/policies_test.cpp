// Stored policies at the points of the federation floor: each is seen to refuse, hold, limit or tag
// what passes without it.
#include "federation/channels/channel_changes.hpp"
#include "federation/channels/departures.hpp"
#include "storage/account_admin_store.hpp"
#include "storage/incoming_store.hpp"
#include "storage/join_request_store.hpp"
#include "storage/policy_store.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::EventResult;
using protocol::ItemStatus;
using trust::Tier;

const std::string bob = "bob@b.example";
const std::string carol = "carol@b.example";

// What it was refused with; "" where it wasn't.
template <class T>
std::string hint_of(const Result<T>& result)
{
    return result ? std::string() : result.error().hint;
}

class PoliciesHere : public ::testing::Test {
 protected:
    // In the place of what a's administrator had before.
    void put(const std::string& rule)
    {
        const auto stored = a.write([&](storage::WriteTransaction& transaction) {
            return storage::put_policy(transaction, a.identity.name,
                                       {"own", seen, R"({"version":1,"rules":[)" + rule + "]}",
                                        "root@a.example", "why", 5},
                                       a.policies);
        });
        ASSERT_TRUE(stored) << stored.error().hint;
        seen = *stored;
    }
    EventResult give(const std::string& who, const std::string& type = "message.create",
                     const std::string& members = hello)
    {
        return hand_in(b, a, channel, {b.event(channel, {type, who, members})}).at(0);
    }
    void expect_refused(const EventResult& result, Code code, const std::string& hint)
    {
        EXPECT_EQ(result.status, ItemStatus::rejected);
        ASSERT_TRUE(result.problem);
        EXPECT_EQ(result.problem->code, code);
        EXPECT_EQ(result.problem->detail, hint);
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId channel = shared_channel(a, b);
    std::int64_t seen = 0;
};

TEST_F(PoliciesHere, AnotherServersMessageIsRefusedByTheHome)
{
    EXPECT_EQ(give(bob).status, ItemStatus::accepted);
    put(R"({"id":"quiet","actions":["message.create"],"when":{"eq":["subject.server","b.example"]},)"
        R"("effects":["deny"]})");
    const auto before = a.image(channel)->seq;
    expect_refused(give(bob), Code::forbidden, "by the policy rule own@1/quiet");
    EXPECT_EQ(a.image(channel)->seq, before);
    EXPECT_TRUE(a.post("alice", channel, "still mine"));
    put(R"({"id":"quiet","actions":["message.create"],"when":{"eq":["subject.server","c.example"]},)"
        R"("effects":["deny"]})");
    EXPECT_EQ(give(bob).status, ItemStatus::accepted);
}

// What the table of section 8 refuses has its own answer, whatever policies say.
TEST_F(PoliciesHere, WhatTheProtocolRefusesNoPolicyAllows)
{
    put(R"({"id":"all","actions":["*"],"effects":["allow"]})");
    const auto result = give(carol);
    EXPECT_EQ(result.status, ItemStatus::rejected);
    EXPECT_EQ(result.problem->code, Code::not_member);
    EXPECT_EQ(give(bob, "channel.update", R"({"name":"mine"})").problem->code, Code::forbidden);
}

TEST_F(PoliciesHere, ALimitPutsAnotherServersMessagesOff)
{
    put(R"({"id":"slow","actions":["message.create"],"when":{"eq":["subject.local",false]},)"
        R"("effects":[{"limit":{"count":2,"seconds":60}}]})");
    EXPECT_EQ(give(bob).status, ItemStatus::accepted);
    EXPECT_EQ(give(bob).status, ItemStatus::accepted);
    const auto beyond = give(bob);
    EXPECT_EQ(beyond.status, ItemStatus::deferred);
    EXPECT_EQ(beyond.problem->code, Code::rate_limited);
    EXPECT_EQ(beyond.retry_after, 60);
    EXPECT_TRUE(a.post("alice", channel, "unlimited"));
    servers.world.clock.now += 60'000;
    EXPECT_EQ(give(bob).status, ItemStatus::accepted);
}

TEST_F(PoliciesHere, ALimitOfOwnUsersCountsEachByHimself)
{
    put(R"({"id":"slow","actions":["message.create"],)"
        R"("effects":[{"limit":{"count":1,"seconds":60}}]})");
    EXPECT_TRUE(a.post("alice", channel, "one"));
    const auto beyond = a.post("alice", channel, "two");
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().code, Code::rate_limited);
    EXPECT_EQ(beyond.error().hint, "by the policy rule own@1/slow");
    EXPECT_EQ(give(bob).status, ItemStatus::accepted);
}

TEST_F(PoliciesHere, ARepeatOfWhatWasTakenIsNotAskedAbout)
{
    const auto event = b.event(channel, {"message.create", bob, hello});
    ASSERT_EQ(hand_in(b, a, channel, {event}).at(0).status, ItemStatus::accepted);
    put(R"({"id":"no","actions":["message.*"],"effects":["deny"]})");
    EXPECT_EQ(hand_in(b, a, channel, {event}).at(0).status, ItemStatus::duplicate);
}

TEST_F(PoliciesHere, ARuleMayBeAboutOneChannelOrAboutItsRoles)
{
    put(R"({"id":"announcements","scope":"channel:)" + channel.str() +
        R"(","actions":["message.create"],"when":{"lt":["subject.channel_role","moderator"]},)"
        R"("effects":["deny"]})");
    expect_refused(give(bob), Code::forbidden, "by the policy rule own@1/announcements");
    EXPECT_TRUE(a.post("alice", channel, "an owner's"));
    EXPECT_EQ(give(bob, "message.react", R"({"key":"+"})").problem->code, Code::malformed)
        << "another action goes as far as ever";
    const auto other = shared_channel(a, b);
    EXPECT_EQ(hand_in(b, a, other, {b.event(other, {"message.create", bob, hello})}).at(0).status,
              ItemStatus::accepted);
}

TEST_F(PoliciesHere, ARuleMayBeAboutWhoIsActedOn)
{
    ASSERT_TRUE(a.change("alice", channel, changes::invite(b.user("carol"))));
    put(R"({"id":"kept","actions":["member.kick"],"when":{"all":[{"eq":["resource.invited",true]},)"
        R"({"eq":["resource.channel_role","none"]}]},"effects":["deny"]})");
    EXPECT_EQ(hint_of(a.change("alice", channel, changes::kick(b.user("carol"), ""))),
              "by the policy rule own@1/kept");
    EXPECT_TRUE(a.change("alice", channel, changes::kick(b.user("bob"), "")));
}

TEST_F(PoliciesHere, AnAccountsAgeAndRoleAreKnownOfOwnUsers)
{
    put(R"({"id":"young","actions":["message.create"],"when":{"all":[)"
        R"({"lt":["subject.account_age",86400]},{"lt":["subject.role","admin"]}]},)"
        R"("effects":["deny"]})");
    auto actor = a.actor("alice");
    const auto post = [&](trust::policy::ServerRole role, Millis age) {
        actor.txn = protocol::make_uuid7(servers.world.clock.now_ms(), servers.world.random);
        actor.person = {role, servers.world.clock.now_ms() - age, "192.0.2.7"};
        return servers.world.run(a.channels->post(actor, channel, hello)).has_value();
    };
    using enum trust::policy::ServerRole;
    EXPECT_FALSE(post(user, 86'399'000));
    EXPECT_TRUE(post(user, 86'400'000));
    EXPECT_TRUE(post(admin, 1'000));
    put(R"({"id":"there","actions":["message.create"],)"
        R"("when":{"eq":["context.network","192.0.2.7"]},"effects":["deny"]})");
    EXPECT_FALSE(post(admin, 1'000));
}

TEST_F(PoliciesHere, NoChannelIsBegunThatAPolicyRefuses)
{
    put(R"({"id":"few","actions":["channel.create"],"effects":[{"limit":{"count":1,"seconds":3600}}]})");
    NewChannel wanted;
    wanted.name = "garden";
    EXPECT_TRUE(servers.world.run(a.channels->create(a.actor("alice"), wanted)));
    const auto second = servers.world.run(a.channels->create(a.actor("alice"), wanted));
    EXPECT_EQ(hint_of(second), "by the policy rule own@1/few");
    EXPECT_TRUE(servers.world.run(a.channels->create(a.actor("bob"), wanted)));
    put(R"({"id":"none","actions":["member.invite"],"effects":["deny"]})");
    const auto direct =
        servers.world.run(a.channels->make_direct(a.actor("carol"), a.user("dave"), {}));
    EXPECT_EQ(hint_of(direct), "by the policy rule own@2/none");
    EXPECT_TRUE(servers.world.run(a.channels->list(a.user("carol")))->empty());
}

TEST_F(PoliciesHere, OwnUsersAreAskedAboutInChannelsElsewhereToo)
{
    const auto theirs = shared_channel(b, a);  // alice@b's, with bob@a
    EXPECT_TRUE(a.post("bob", theirs, "fine"));
    put(R"({"id":"none","actions":["message.create"],"when":{"ne":["resource.server","a.example"]},)"
        R"("effects":["deny"]})");
    EXPECT_EQ(hint_of(a.post("bob", theirs, "no more")), "by the policy rule own@1/none");
    EXPECT_TRUE(a.post("alice", channel, "here"));
    settle_all(a, b);
    EXPECT_EQ(b.texts(theirs), std::vector<std::string>{"fine"});
}

TEST_F(PoliciesHere, AJoinOfAChannelElsewhereIsAskedAboutBeforeItIsHeldHere)
{
    const auto theirs = b.create("alice", "since-join", true);
    put(R"({"id":"home","actions":["member.join"],"when":{"eq":["resource.server","b.example"]},)"
        R"("effects":["deny"]})");
    const auto join = [&] { return servers.world.run(a.channels->join(a.actor("eve"), theirs)); };
    EXPECT_EQ(hint_of(join()), "by the policy rule own@1/home");
    put(R"({"id":"home","actions":["member.join"],"when":{"eq":["resource.server","c.example"]},)"
        R"("effects":["deny"]})");
    EXPECT_EQ(join()->state, DeliveryState::pending);
}

TEST_F(PoliciesHere, AnAliasAndTheDirectoryAreAskedAbout)
{
    const auto alias = [&](const std::string& who, const std::string& name) {
        const auto parsed = protocol::parse_alias("#" + name + "@a.example", {}).value();
        return servers.world.run(a.directory->set_alias(a.user(who), parsed, channel));
    };
    const auto page = [&] {
        const Admitted admitted{b.identity.name, {}, Tier::known, {}};
        return servers.world.run(a.directory->answer_page(net::Request{}, admitted)).status;
    };
    EXPECT_TRUE(alias("alice", "garden"));
    EXPECT_EQ(page(), 200);
    put(R"({"id":"r","actions":["alias.set","directory.search"],"effects":["deny"]})");
    EXPECT_EQ(hint_of(alias("alice", "park")), "by the policy rule own@1/r");
    EXPECT_EQ(page(), 403);
}

TEST_F(PoliciesHere, NoPolicyKeepsADeletedAccountInAChannel)
{
    ASSERT_TRUE(a.change("alice", channel, changes::invite(a.user("eve"))));
    ASSERT_TRUE(servers.world.run(a.channels->join(a.actor("eve"), channel)));
    put(R"({"id":"stay","actions":["member.*"],"effects":["deny"]})");
    EXPECT_FALSE(servers.world.run(a.channels->leave(a.actor("eve"), channel)));
    const auto closed = a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
        auto eve = storage::find_user(transaction.db(), "eve");
        if (!eve) return fail(eve);
        auto done = storage::close_account(transaction.db(), eve->id, 5);
        return done ? Result<void>{} : fail(done);
    });
    ASSERT_TRUE(closed) << closed.error().detail;
    Departures departures(
        {*a.channels, *a.commits, a.null_log, servers.world.clock, a.identity.name});
    EXPECT_TRUE(servers.world.run(departures.step()));
    EXPECT_TRUE(servers.world.run(a.channels->list(a.user("eve")))->empty());
    EXPECT_FALSE(a.post("eve", channel, "still here"));
}

// A follower can't refuse what the home has ordered; it may put it off.
TEST_F(PoliciesHere, ALimitOfSlicesPutsThemOffAndADenialIsNone)
{
    const auto theirs = shared_channel(b, a);
    settle_all(a, b);
    put(R"({"id":"no","actions":["*"],"when":{"eq":["subject.server","b.example"]},"effects":["deny"]},{"id":"slow","actions":["slice.take"],)"
        R"("effects":[{"limit":{"count":1,"seconds":60,"of":"server"}}]})");
    const auto seq = a.image(theirs)->seq;
    ASSERT_TRUE(b.post("alice", theirs, "one"));
    EXPECT_EQ(deliver(b, a, slice(b, theirs, seq, all_entries)).status, protocol::SliceStatus::ok);
    ASSERT_TRUE(b.post("alice", theirs, "two"));
    const auto put_off = deliver(b, a, slice(b, theirs, seq + 1, all_entries));
    EXPECT_EQ(put_off.status, protocol::SliceStatus::deferred);
    EXPECT_EQ(put_off.retry_after, 60);
    servers.world.clock.now += 60'000;
    EXPECT_EQ(deliver(b, a, slice(b, theirs, seq + 1, all_entries)).status,
              protocol::SliceStatus::ok);
    EXPECT_EQ(a.image(theirs)->seq, seq + 2);
}

class JoinPolicies : public PoliciesHere {
 protected:
    JoinPolicies() { channel = a.create("alice", "since-join", true); }
    std::vector<storage::JoinRequest> asked()
    {
        return a
            .read([&](storage::Connection& db) -> Result<std::vector<storage::JoinRequest>> {
                auto row = storage::read_channel(db, channel);
                if (!row) return fail(row);
                return storage::join_requests(db, row->id);
            })
            .value();
    }
};

TEST_F(JoinPolicies, OneThatIsHeldIsShownToModeratorsWhoLetItInByAnInvitation)
{
    put(R"({"id":"ask","actions":["member.join"],"when":{"eq":["subject.invited",false]},)"
        R"("effects":[{"hold":"moderator"}]})");
    expect_refused(give(bob, "member.join", "{}"), Code::forbidden,
                   "a moderator is asked: join again once you are invited");
    ASSERT_EQ(asked().size(), 1U);
    EXPECT_EQ(asked()[0].user, bob);
    const auto own = servers.world.run(a.channels->join(a.actor("eve"), channel));
    ASSERT_FALSE(own) << "own users wait as well";
    EXPECT_EQ(own.error().code, Code::forbidden);
    EXPECT_EQ(asked().size(), 2U);
    ASSERT_TRUE(a.change("alice", channel, changes::invite(b.user("bob"))));
    EXPECT_EQ(give(bob, "member.join", "{}").status, ItemStatus::accepted);
    EXPECT_EQ(asked().size(), 1U);
}

TEST_F(JoinPolicies, WithoutThePolicyNobodyIsAsked)
{
    EXPECT_EQ(give(bob, "member.join", "{}").status, ItemStatus::accepted);
    EXPECT_TRUE(asked().empty());
}

// The rule that makes a quarantined server's users wait is a policy, and can be replaced.
TEST_F(JoinPolicies, TheShippedRuleCanBeReplaced)
{
    a.tier = Tier::quarantined;
    EXPECT_EQ(give(bob, "member.join", "{}").status, ItemStatus::rejected);
    const auto stored = a.write([&](storage::WriteTransaction& transaction) {
        return storage::put_policy(
            transaction, a.identity.name,
            {"tiers", 0,
             R"({"version":1,"rules":[{"id":"all","actions":["*"],)"
             R"("when":{"eq":["subject.local",false]},"effects":["allow"]}]})",
             "root@a.example", "open house", 5},
            a.policies);
    });
    ASSERT_TRUE(stored) << stored.error().hint;
    EXPECT_EQ(give(carol, "member.join", "{}").status, ItemStatus::accepted);
}

class InvitationPolicies : public PoliciesHere {
 protected:
    EventResult invite(const std::string& user = "alice@a.example")
    {
        const auto theirs = b.create("bob");
        const auto inner = b.event(theirs, {"member.invite", bob, R"({"user":")" + user + R"("})"});
        protocol::EventDraft draft;
        draft.type = "invite";
        draft.to = user;
        draft.sender = "b.example";
        draft.txn = protocol::make_uuid7(servers.world.clock.now_ms(), servers.world.random);
        draft.at = servers.world.clock.now_ms();
        draft.content = R"({"salt":"AAECAwQFBgcICQoLDA0ODw","channel":")" + theirs.str() +
                        R"(","name":"n","kind":"dm","encryption":"none","members":1,"invite":)" +
                        "{\"event\":" + protocol::json_string(inner.event) +
                        ",\"content\":" + protocol::json_string(inner.content) + "}}";
        protocol::OutgoingTransaction transaction;
        transaction.direct = {{protocol::write_event(draft), draft.content}};
        a.invited.clear();
        return a.receive(b, transaction).direct.at(0);
    }
    std::size_t waiting()
    {
        return a
            .read(
                [](storage::Connection& db) { return storage::requests_of(db, "alice@a.example"); })
            ->size();
    }
};

TEST_F(InvitationPolicies, OneMayBeRefusedHeldOrComeSilently)
{
    EXPECT_EQ(invite().status, ItemStatus::accepted);
    EXPECT_EQ(waiting(), 0U);
    put(R"({"id":"wait","actions":["invitation.receive"],)"
        R"("when":{"eq":["resource.id","alice@a.example"]},"effects":[{"hold":"user"}]})");
    EXPECT_EQ(invite().status, ItemStatus::accepted);
    EXPECT_EQ(waiting(), 1U);
    EXPECT_FALSE(a.invited.empty());
    put(R"({"id":"wait","actions":["invitation.receive"],)"
        R"("effects":[{"hold":"user"},{"tag":"no-push"}]})");
    EXPECT_EQ(invite().status, ItemStatus::accepted);
    EXPECT_EQ(waiting(), 2U);
    EXPECT_TRUE(a.invited.empty());
    put(R"({"id":"none","actions":["invitation.receive"],)"
        R"("when":{"eq":["subject.id","bob@b.example"]},"effects":["deny"]})");
    expect_refused(invite(), Code::forbidden, "by the policy rule own@3/none");
    EXPECT_EQ(waiting(), 2U);
}

TEST_F(InvitationPolicies, OneBeyondALimitComesAgainLater)
{
    put(R"({"id":"few","actions":["invitation.receive"],)"
        R"("effects":[{"limit":{"count":1,"seconds":600,"of":"server"}}]})");
    EXPECT_EQ(invite().status, ItemStatus::accepted);
    const auto beyond = invite();
    EXPECT_EQ(beyond.status, ItemStatus::deferred);
    EXPECT_EQ(beyond.retry_after, 600);
}

TEST_F(InvitationPolicies, AStrangersMayBeRefused)
{
    put(R"({"id":"strangers","actions":["invitation.receive"],)"
        R"("when":{"not":{"eq":["context.acquainted",true]}},"effects":["deny"]})");
    EXPECT_EQ(invite("eve@a.example").status, ItemStatus::rejected);
    EXPECT_EQ(invite().status, ItemStatus::accepted) << "alice and bob share a channel";
}

}  // namespace
}  // namespace entente::federation::log_rig
