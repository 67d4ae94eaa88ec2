// News of people between servers: changes of users and devices, withdrawn invitations,
// reports [INBOX-14, INBOX-15, INBOX-16].
#include "federation/people/announcer.hpp"
#include "storage/announcement_store.hpp"
#include "storage/incoming_store.hpp"
#include "storage/policy_store.hpp"
#include "storage/report_store.hpp"
#include "tests/federation/log/people_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::ItemStatus;

class PeopleEvents : public ::testing::Test {
 protected:
    void until(const std::function<bool()>& condition)
    {
        while (!condition()) {
            servers.world.io.restart();
            servers.world.io.run_one();
        }
    }
    // What the API does when alice has changed.
    void change(const std::string& type)
    {
        const auto alice = a.server.user("alice");
        auto noted = a.server.write([&](storage::WriteTransaction& transaction) {
            return storage::put_announcement(transaction.db(), alice.str(), type);
        });
        ASSERT_TRUE(noted);
        const auto before = ids_owed_to_b();
        a.people->changed(alice);
        until([&] { return ids_owed_to_b() != before; });
    }
    std::vector<std::int64_t> ids_owed_to_b()
    {
        std::vector<std::int64_t> ids;
        for (const auto& row : a.server.outgoing_direct(b.server)) ids.push_back(row.id);
        return ids;
    }
    std::vector<storage::InvitationRow> invitations(const std::string& localpart)
    {
        return b.server
            .read([&](storage::Connection& db) {
                return storage::invitations_of(db, b.server.user(localpart).str());
            })
            .value();
    }
    std::vector<storage::ReportRow> reports(PeopleServer& on)
    {
        return on.server
            .read([](storage::Connection& db) { return storage::reports_after(db, 0, 10'000); })
            .value();
    }
    Result<void> report(const UserId& user, int txn, const std::string& reason = "spam")
    {
        auto actor = a.server.actor("alice");
        actor.txn = device_id(txn);
        return servers.world.run(
            a.people->report(actor, Report{user, std::nullopt, std::nullopt, reason}));
    }
    protocol::EventResult receive(const std::string& type, const std::string& sender,
                                  const std::string& to, const std::string& members)
    {
        EventAndContent made;
        made.content = R"({"salt":"AAECAwQFBgcICQoLDA0ODw")" + members + "}";
        protocol::EventDraft draft;
        draft.type = type;
        draft.to = to;
        draft.sender = sender;
        draft.txn = protocol::make_uuid7(servers.world.clock.now_ms(), servers.world.random);
        draft.at = servers.world.clock.now_ms();
        draft.content = made.content;
        made.event = protocol::write_event(draft);
        protocol::OutgoingTransaction transaction;
        transaction.direct.push_back(made);
        return b.server.receive(a.server, transaction).direct.at(0);
    }

    TwoPeopleServers two;
    Servers& servers = two.servers;
    PeopleServer& a = two.a;
    PeopleServer& b = two.b;
};

// [INBOX-14]
TEST_F(PeopleEvents, AChangeIsToldOncePerServerHoweverOftenItCame)
{
    shared_channel(a.server, b.server);
    change(device_changed);
    ASSERT_EQ(ids_owed_to_b().size(), 1U);
    // The one that waits may be under way: it is replaced, not left alone.
    change(device_changed);
    EXPECT_EQ(ids_owed_to_b().size(), 1U);
    change(profile_changed);
    EXPECT_EQ(ids_owed_to_b().size(), 2U);
    EXPECT_TRUE(a.server.outgoing_direct(servers.c).empty());
    EXPECT_EQ(a.server.woken.back(), "b.example");
    const auto results = a.deliver().value().direct;
    for (const auto& result : results) EXPECT_EQ(result.status, ItemStatus::accepted);
    EXPECT_TRUE(ids_owed_to_b().empty());
}

// [INBOX-14]
TEST_F(PeopleEvents, WhoHearsOfAChangeForgetsTheUserAndTellsThoseWhoKnowHim)
{
    shared_channel(a.server, b.server);
    const auto alice = a.server.user("alice");
    ASSERT_TRUE(servers.world.run(b.people->look_up(alice)));
    ASSERT_TRUE(servers.world.run(b.people->look_up(alice)));
    EXPECT_EQ(a.asked, 1);
    change(profile_changed);
    a.deliver();
    until([&] { return !b.heard.changed.empty(); });
    EXPECT_EQ(b.heard.changed[0].first, alice.str());
    EXPECT_EQ(b.heard.changed[0].second, std::vector<UserId>{b.server.user("bob")});
    ASSERT_TRUE(servers.world.run(b.people->look_up(alice)));
    EXPECT_EQ(a.asked, 2);
    // At home the user himself is told as well, for his other devices.
    until([&] { return !a.heard.changed.empty(); });
    EXPECT_EQ(a.heard.changed[0].second, std::vector<UserId>{alice});
}

TEST_F(PeopleEvents, WhatWasToBeToldWhenTheServerStoppedIsToldWhenItStarts)
{
    shared_channel(a.server, b.server);
    ASSERT_TRUE(a.server.write([&](storage::WriteTransaction& transaction) {
        return storage::put_announcement(transaction.db(), "alice@a.example", device_changed);
    }));
    a.restart();
    EXPECT_TRUE(ids_owed_to_b().empty());
    a.people->start();
    until([&] { return !ids_owed_to_b().empty(); });
}

// [INBOX-14]
TEST_F(PeopleEvents, AChangeIsTheUsersOwnToTell)
{
    EXPECT_EQ(receive(device_changed, "a.example", "b.example", "").problem->code, Code::forbidden);
    EXPECT_EQ(receive(device_changed, "carol@c.example", "b.example", "").problem->code,
              Code::forbidden);
    EXPECT_EQ(receive(device_changed, "carol@a.example", "b.example", "").status,
              ItemStatus::accepted);
}

// [INBOX-16]
TEST_F(PeopleEvents, AKickOfAnInvitedUserWithdrawsTheInvitationOverThere)
{
    const auto channel = a.server.create("alice");
    for (const char* name : {"bob", "dave"}) {
        ASSERT_TRUE(servers.world.run(
            a.server.channels->invite(a.server.actor("alice"), channel, b.server.user(name))));
    }
    a.deliver();
    ASSERT_EQ(invitations("bob").size(), 1U);
    ASSERT_TRUE(a.server.append(a.server.event(
        channel, {"member.kick", "alice@a.example", R"({"user":"bob@b.example","reason":""})"})));
    a.deliver();
    EXPECT_TRUE(invitations("bob").empty());
    EXPECT_EQ(b.withdrawn, std::vector<std::string>{"bob@b.example"});
    EXPECT_EQ(invitations("dave").size(), 1U);
    ASSERT_TRUE(a.server.append(a.server.event(
        channel, {"member.ban", "alice@a.example", R"({"user":"dave@b.example","reason":""})"})));
    a.deliver();
    EXPECT_TRUE(invitations("dave").empty());
}

TEST_F(PeopleEvents, ABanOfWhoWasNeverInvitedTellsHisServerNothing)
{
    const auto channel = a.server.create("alice");
    ASSERT_TRUE(a.server.append(a.server.event(
        channel, {"member.ban", "alice@a.example", R"({"user":"bob@b.example","reason":""})"})));
    EXPECT_TRUE(ids_owed_to_b().empty());
}

// [INBOX-16]
TEST_F(PeopleEvents, NobodyWithdrawsAnotherHomesInvitation)
{
    const auto channel = servers.c.create("carol");
    ASSERT_TRUE(servers.world.run(
        servers.c.channels->invite(servers.c.actor("carol"), channel, b.server.user("bob"))));
    ASSERT_TRUE(exchange(servers.c, b.server));
    ASSERT_EQ(invitations("bob").size(), 1U);
    const auto members = R"(,"channel":")" + channel.str() + "\"";
    EXPECT_EQ(receive("invite.withdraw", "a.example", "bob@b.example", members).status,
              ItemStatus::accepted);
    EXPECT_EQ(invitations("bob").size(), 1U);
    EXPECT_EQ(receive("invite.withdraw", "alice@a.example", "bob@b.example", members).problem->code,
              Code::forbidden);
}

// [INBOX-15]
TEST_F(PeopleEvents, AReportReachesTheModeratorsOfBothServersOnce)
{
    const auto bob = b.server.user("bob");
    ASSERT_TRUE(report(bob, 1));
    ASSERT_TRUE(report(bob, 1));
    for (const auto& other : {report(bob, 1, "insults"), report(a.server.user("carol"), 1)}) {
        ASSERT_FALSE(other);
        EXPECT_EQ(other.error().code, Code::conflict);
    }
    ASSERT_EQ(reports(a).size(), 1U);
    EXPECT_EQ(reports(a)[0].sender, "alice@a.example");
    EXPECT_EQ(reports(a)[0].reason, "spam");
    a.deliver();
    EXPECT_FALSE(a.deliver());
    ASSERT_EQ(reports(b).size(), 1U);
    // Who it was is for her own server's moderators.
    EXPECT_EQ(reports(b)[0].sender, "a.example");
    EXPECT_EQ(reports(b)[0].origin, "a.example");
    EXPECT_EQ(reports(b)[0].user, "bob@b.example");
}

// [INBOX-15]
TEST_F(PeopleEvents, AReportOfAUserHereStaysHereAndOneOfNobodyIsRefused)
{
    ASSERT_TRUE(report(a.server.user("carol"), 1));
    EXPECT_EQ(reports(a).size(), 1U);
    EXPECT_TRUE(ids_owed_to_b().empty());
    EXPECT_EQ(report(a.server.user("nobody"), 2).error().code, Code::not_found);
    EXPECT_EQ(
        report(a.server.user("carol"), 3, std::string(max_report_octets + 1, 'x')).error().code,
        Code::too_large);
    EXPECT_EQ(
        receive("report", "a.example", "b.example", R"(,"user":"nobody@b.example")").problem->code,
        Code::not_found);
    EXPECT_EQ(receive("report", "a.example", "b.example", "").problem->code, Code::malformed);
}

// Of what isn't taken over there its author hears, as of a message to a device.
TEST_F(PeopleEvents, ARefusedInvitationOrReportIsToldToTheDeviceThatMadeIt)
{
    a.add_device("alice", 1);
    const auto nobody = b.server.user("nobody");
    const auto refusal = [&](const Uuid& txn, const std::string& type) {
        return R"({"txn":")" + txn.str() + R"(","type":")" + type + R"(","user":")" + nobody.str() +
               "\"}";
    };
    auto actor = a.server.actor("alice");
    actor.device = device_id(1);
    const auto channel = a.server.create("alice");
    ASSERT_TRUE(servers.world.run(a.server.channels->invite(actor, channel, nobody)));
    const auto invited = actor.txn;
    actor.txn = device_id(9);
    ASSERT_TRUE(
        servers.world.run(a.people->report(actor, Report{nobody, std::nullopt, std::nullopt, ""})));
    EXPECT_TRUE(a.mail("alice", 1).empty());
    a.deliver();
    const auto news = a.mail("alice", 1);
    ASSERT_EQ(news.size(), 2U);
    EXPECT_EQ(news[0].body, refusal(invited, "invite"));
    EXPECT_EQ(news[1].body, refusal(actor.txn, "report"));
    for (const auto& one : news) EXPECT_EQ(one.problem, "not-found");
    EXPECT_FALSE(a.deliver());
}

// [INBOX-15]
TEST_F(PeopleEvents, AThousandReportsOfAServerAreOpenAtMost)
{
    ASSERT_TRUE(b.server.write([](storage::WriteTransaction& transaction) -> Result<void> {
        for (std::int64_t i = 0; i + 1 < storage::max_reports; ++i) {
            storage::ReportRow row;
            row.origin = "a.example";
            auto put = storage::put_report(transaction.db(), row, "b.example");
            if (!put) return put;
        }
        return {};
    }));
    const auto send = [&] {
        return receive("report", "a.example", "b.example", R"(,"user":"bob@b.example")").status;
    };
    EXPECT_EQ(send(), ItemStatus::accepted);
    EXPECT_EQ(send(), ItemStatus::rejected);
    ASSERT_TRUE(b.server.write([](storage::WriteTransaction& transaction) {
        return storage::close_report(transaction.db(), 1, "upheld", "root", 1);
    }));
    EXPECT_EQ(send(), ItemStatus::accepted);
}

// [INBOX-15] One who reports everything leaves the others theirs.
TEST_F(PeopleEvents, FiftyReportsOfAUserAreOpenAtMost)
{
    const auto alice = a.server.user("alice");
    for (int i = 1; i <= storage::max_reports_of_user; ++i) ASSERT_TRUE(report(alice, i)) << i;
    const auto beyond = report(alice, 51);
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().code, Code::forbidden);
    EXPECT_TRUE(report(alice, 50)) << "a repeat is none";
    auto dave = a.server.actor("dave");
    dave.txn = device_id(1);
    EXPECT_TRUE(servers.world.run(
        a.people->report(dave, Report{alice, std::nullopt, std::nullopt, "spam"})));
}

// [INBOX-15] However many servers report, there is an end, and none of them is shut out by a few.
TEST_F(PeopleEvents, TheReportsOfAllServersAreBounded)
{
    // A thousand by each of them at most.
    const auto put = [&](std::int64_t count) {
        EXPECT_TRUE(b.server.write([&](storage::WriteTransaction& transaction) {
            return transaction.db().execute(
                "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < " +
                std::to_string(count) +
                ") INSERT INTO report (origin, sender, user, channel, event, reason, at) "
                "SELECT 's' || (i % 10) || '.example', '', '', '', '', '', 1 FROM n");
        }));
    };
    const auto send = [&] {
        return receive("report", "a.example", "b.example", R"(,"user":"bob@b.example")").status;
    };
    put(storage::max_foreign_reports - 4);
    EXPECT_EQ(send(), ItemStatus::accepted);
    EXPECT_EQ(send(), ItemStatus::rejected) << "half of what is free";
    put(2);
    EXPECT_EQ(send(), ItemStatus::rejected);
    ASSERT_TRUE(b.server.write([](storage::WriteTransaction& transaction) {
        return transaction.db().execute(
            "UPDATE report SET closed_at = 1 WHERE origin = 'a.example'");
    }));
    EXPECT_EQ(send(), ItemStatus::accepted);
    ASSERT_TRUE(b.server.write([](storage::WriteTransaction& transaction) {
        return transaction.db().execute(
            "UPDATE report SET origin = 's0.example' WHERE origin = 'a.example'");
    }));
    EXPECT_EQ(send(), ItemStatus::accepted) << "the last";
    ASSERT_TRUE(b.server.write([](storage::WriteTransaction& transaction) {
        return transaction.db().execute(
            "UPDATE report SET origin = 's0.example' WHERE origin = 'a.example'");
    }));
    EXPECT_EQ(send(), ItemStatus::rejected);
    // They take no room of own users'.
    auto bob = b.server.actor("bob");
    EXPECT_TRUE(servers.world.run(
        b.people->report(bob, Report{bob.user, std::nullopt, std::nullopt, "myself"})));
}

// [INBOX-15]
TEST_F(PeopleEvents, APolicyRefusesAnothersServersReports)
{
    const auto send = [&] {
        return receive("report", "a.example", "b.example", R"(,"user":"bob@b.example")");
    };
    ASSERT_TRUE(b.server.write([&](storage::WriteTransaction& transaction) {
        return storage::put_policy(
            transaction, b.server.identity.name,
            {"own", 0,
             R"({"version":1,"rules":[{"id":"strangers","actions":["report.make"],)"
             R"("when":{"lt":["subject.tier","known"]},"effects":["deny"]}]})",
             "root@b.example", "why", 5},
            b.server.policies);
    }));
    b.server.tier = trust::Tier::guest;
    const auto refused = send();
    EXPECT_EQ(refused.status, ItemStatus::rejected);
    ASSERT_TRUE(refused.problem);
    EXPECT_EQ(refused.problem->code, Code::forbidden);
    EXPECT_EQ(refused.problem->detail, "by the policy rule own@1/strangers");
    EXPECT_TRUE(reports(b).empty());
    b.server.tier = trust::Tier::known;
    EXPECT_EQ(send().status, ItemStatus::accepted);
}

}  // namespace
}  // namespace entente::federation::log_rig
