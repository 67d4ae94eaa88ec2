// Invitations of our users by the tier of who sends them: through, held for the user, held
// without a word, and how many an hour.
#include "federation/channels/channel_changes.hpp"
#include "storage/incoming_store.hpp"
#include "storage/join_request_store.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::ItemStatus;
using trust::Tier;

const std::string alice = "alice@a.example";

class Requests : public ::testing::Test {
 protected:
    void come_as(Tier tier)
    {
        a.tier = tier;
        a.invited.clear();
    }
    protocol::EventResult invite(const ChannelId& channel)
    {
        const auto inner =
            b.event(channel, {"member.invite", "bob@b.example", R"({"user":")" + alice + R"("})"});
        protocol::EventDraft draft;
        draft.type = "invite";
        draft.to = alice;
        draft.sender = "b.example";
        draft.txn = protocol::make_uuid7(servers.world.clock.now_ms(), servers.world.random);
        draft.at = servers.world.clock.now_ms();
        draft.content = R"({"salt":"AAECAwQFBgcICQoLDA0ODw","channel":")" + channel.str() +
                        R"(","name":"n","kind":"dm","encryption":"none","members":1,"invite":)" +
                        "{\"event\":" + protocol::json_string(inner.event) +
                        ",\"content\":" + protocol::json_string(inner.content) + "}}";
        protocol::OutgoingTransaction transaction;
        transaction.direct = {{protocol::write_event(draft), draft.content}};
        return a.receive(b, transaction).direct.at(0);
    }
    std::size_t open()
    {
        return a.read([](storage::Connection& db) { return storage::invitations_of(db, alice); })
            ->size();
    }
    std::size_t held()
    {
        return a.read([](storage::Connection& db) { return storage::requests_of(db, alice); })
            ->size();
    }
    bool is_told() const { return !a.invited.empty(); }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
};

TEST_F(Requests, KnownServersReachAUserAndThoseBelowAreHeld)
{
    struct Case {
        Tier tier;
        bool is_held, is_told;
    };
    std::size_t opened = 0, waiting = 0;
    for (const auto& [tier, holds, tells] :
         {Case{Tier::trusted, false, true}, Case{Tier::known, false, true},
          Case{Tier::guest, true, true}, Case{Tier::quarantined, true, false}}) {
        come_as(tier);
        ASSERT_EQ(invite(b.create("bob")).status, ItemStatus::accepted) << to_text(tier);
        (holds ? waiting : opened) += 1;
        EXPECT_EQ(open(), opened) << to_text(tier);
        EXPECT_EQ(held(), waiting) << to_text(tier);
        EXPECT_EQ(is_told(), tells) << to_text(tier);
    }
}

TEST_F(Requests, WhatTheUserHasLetInStaysSo)
{
    const auto channel = b.create("bob");
    come_as(Tier::guest);
    ASSERT_EQ(invite(channel).status, ItemStatus::accepted);
    EXPECT_EQ(held(), 1U);
    ASSERT_TRUE(a.write([&](storage::WriteTransaction& transaction) {
        return storage::release_invitation(transaction.db(), alice, channel.str());
    }));
    EXPECT_EQ(open(), 1U);
    // Brought up to date from a server that has fallen since.
    come_as(Tier::quarantined);
    ASSERT_EQ(invite(channel).status, ItemStatus::accepted);
    EXPECT_EQ(open(), 1U);
    EXPECT_EQ(held(), 0U);
    // And one that is held is let in by a server that has risen.
    const auto other = b.create("bob");
    ASSERT_EQ(invite(other).status, ItemStatus::accepted);
    EXPECT_EQ(held(), 1U);
    come_as(Tier::known);
    ASSERT_EQ(invite(other).status, ItemStatus::accepted);
    EXPECT_EQ(held(), 0U);
    EXPECT_EQ(open(), 2U);
}

// [INBOX-9] What strangers have sent takes no room of those who are known; and among them none
// takes all.
TEST_F(Requests, StrangersKeepOutNeitherThoseWhoAreKnownNorEachOther)
{
    const auto hold = [&](std::int64_t count, const std::string& home) {
        ASSERT_TRUE(a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
            storage::InvitationRow row{alice, "", home, home, "n", "group", "none", 1, 1, true};
            for (std::int64_t i = 0; i < count; ++i) {
                row.channel = std::to_string(i) + "@" + home;
                if (auto put = storage::put_invitation(transaction.db(), row); !put) return put;
            }
            return {};
        }));
    };
    const auto expect_full = [&] {
        const auto refused = invite(b.create("bob"));
        ASSERT_TRUE(refused.problem);
        EXPECT_EQ(refused.problem->code, Code::forbidden);
        EXPECT_EQ(refused.problem->detail, "the user has too many invitations open");
    };
    come_as(Tier::guest);
    hold(max_requests_of_home - 1, "b.example");
    const auto waits = b.create("bob");
    EXPECT_EQ(invite(waits).status, ItemStatus::accepted);
    expect_full();
    EXPECT_EQ(invite(waits).status, ItemStatus::accepted) << "news of one that is held";

    hold(250, "x.evil.example");
    hold(250, "y.evil.example");
    expect_full();
    come_as(Tier::trusted);
    EXPECT_EQ(invite(b.create("bob")).status, ItemStatus::accepted);
    EXPECT_EQ(invite(waits).status, ItemStatus::accepted);
    EXPECT_EQ(open(), 2U);
    EXPECT_EQ(held(), static_cast<std::size_t>(max_requests_of_home) - 1 + 500);
}

TEST_F(Requests, OneThatWaitsGoesOnWaitingWhereNoneComesThrough)
{
    come_as(Tier::guest);
    const auto waits = b.create("bob");
    ASSERT_EQ(invite(waits).status, ItemStatus::accepted);
    ASSERT_TRUE(a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
        storage::InvitationRow row{alice, "", "d.example", "d.example", "n", "group", "none", 1, 1};
        for (std::int64_t i = 0; i < max_invitations_per_user; ++i) {
            row.channel = std::to_string(i) + "@d.example";
            if (auto put = storage::put_invitation(transaction.db(), row); !put) return put;
        }
        return {};
    }));
    come_as(Tier::known);
    EXPECT_EQ(invite(waits).status, ItemStatus::accepted);
    EXPECT_EQ(held(), 1U);
    EXPECT_EQ(open(), static_cast<std::size_t>(max_invitations_per_user));
}

// [INBOX-8]
TEST_F(Requests, InvitationsEndAtTheTiersFigureOfAnHourAndComeAgainLater)
{
    for (const auto& [tier, most, again_s] :
         {std::tuple{Tier::quarantined, 10, 360}, std::tuple{Tier::guest, 60, 60}}) {
        come_as(tier);
        // Another budget of the same origin.
        servers.world.clock.now += 3'600'000;
        for (int i = 0; i < most; ++i)
            ASSERT_EQ(invite(b.create("bob")).status, ItemStatus::accepted) << i;
        const auto beyond = invite(b.create("bob"));
        EXPECT_EQ(beyond.status, ItemStatus::deferred) << to_text(tier);
        EXPECT_EQ(beyond.retry_after, again_s) << to_text(tier);
        servers.world.clock.now += Millis{again_s} * 1'000;
        EXPECT_EQ(invite(b.create("bob")).status, ItemStatus::accepted) << to_text(tier);
    }
}

// Joins of a public channel of a's.
class Joins : public Requests {
 protected:
    Joins() : channel(a.create("alice", "since-join", true)) {}

    protocol::EventResult join(const std::string& who = "bob@b.example")
    {
        return hand_in(b, a, channel, {b.event(channel, {"member.join", who})}).at(0);
    }
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

    ChannelId channel;
};

TEST_F(Joins, GuestsAndBetterJoinAPublicChannelByThemselves)
{
    const std::vector<std::pair<Tier, std::string>> all{
        {Tier::guest, "bob"}, {Tier::known, "carol"}, {Tier::trusted, "dave"}};
    for (const auto& [tier, who] : all) {
        come_as(tier);
        EXPECT_EQ(join(who + "@b.example").status, ItemStatus::accepted) << to_text(tier);
    }
    EXPECT_TRUE(asked().empty());
}

TEST_F(Joins, AServerInQuarantineNeedsAModerator)
{
    come_as(Tier::quarantined);
    const auto refused = join();
    EXPECT_EQ(refused.status, ItemStatus::rejected);
    EXPECT_EQ(refused.problem->code, Code::forbidden);
    ASSERT_EQ(asked().size(), 1U);
    EXPECT_EQ(asked()[0].user, "bob@b.example");
    EXPECT_EQ(asked()[0].at, servers.world.clock.now_ms());
    EXPECT_EQ(a.asked_moderators, std::vector{alice});
    servers.world.clock.now += 1'000;
    EXPECT_EQ(join().problem->code, Code::forbidden);
    ASSERT_EQ(asked().size(), 1U) << "asked once, however often it is tried";
    EXPECT_EQ(a.asked_moderators.size(), 1U) << "told once";
    EXPECT_EQ(asked()[0].at, servers.world.clock.now_ms());

    ASSERT_TRUE(a.change("alice", channel, changes::invite(b.user("bob"))));
    EXPECT_TRUE(asked().empty());
    EXPECT_EQ(join().status, ItemStatus::accepted);
    EXPECT_EQ(join().status, ItemStatus::duplicate);
}

TEST_F(Joins, ModeratorsHereAreToldAndMembersAreNot)
{
    for (const auto* who : {"carol", "dave"}) {
        ASSERT_TRUE(a.change("alice", channel, changes::invite(a.user(who))));
        ASSERT_TRUE(a.change(who, channel, changes::join()));
    }
    come_as(Tier::known);
    ASSERT_EQ(join("mod@b.example").status, ItemStatus::accepted);
    for (const auto& moderator : {a.user("carol"), b.user("mod")})
        ASSERT_TRUE(a.change("alice", channel, changes::set_role(moderator, "moderator")));
    come_as(Tier::quarantined);
    EXPECT_EQ(join().status, ItemStatus::rejected);
    EXPECT_EQ(a.asked_moderators, (std::vector{alice, a.user("carol").str()}));
}

TEST_F(Joins, WhoIsBannedAsksNobody)
{
    come_as(Tier::quarantined);
    join();
    ASSERT_TRUE(a.change("alice", channel, changes::ban(b.user("bob"), "")));
    EXPECT_TRUE(asked().empty());
    EXPECT_EQ(join().status, ItemStatus::rejected);
    EXPECT_TRUE(asked().empty());
}

TEST_F(Joins, OneServersDontKeepOutAnothersAndWhoIsDroppedIsTold)
{
    const auto ask = [&](int count, const std::string& server) {
        std::int64_t kept = 0;
        const auto put = a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
            auto row = storage::read_channel(transaction.db(), channel);
            if (!row) return fail(row);
            for (int i = 0; i < count; ++i) {
                auto done = storage::put_join_request(transaction.db(), row->id,
                                                      "u" + std::to_string(i) + "@" + server, i);
                if (!done) return fail(done);
                kept += *done == storage::JoinRequestKept::no_room ? 0 : 1;
            }
            return {};
        });
        EXPECT_TRUE(put);
        return kept;
    };
    come_as(Tier::quarantined);
    EXPECT_EQ(ask(19, "b.example"), 19);
    EXPECT_EQ(join().problem->detail, "a moderator is asked: join again once you are invited");
    EXPECT_EQ(ask(100, "b.example"), 19) << "those that wait are brought up to date";
    const auto dropped = join("carol@b.example");
    EXPECT_EQ(dropped.problem->code, Code::forbidden);
    EXPECT_EQ(dropped.problem->detail,
              "too many joins of this channel wait already, and no moderator was asked");
    EXPECT_EQ(asked().size(), std::size_t{storage::max_join_requests_of_server});
    EXPECT_EQ(ask(1, "honest.example"), 1);

    // The fuller it is, the less for each; and there it ends.
    for (int i = 0; i < 20; ++i) ask(20, "s" + std::to_string(i) + ".example");
    EXPECT_GT(asked().size(), 90U);
    for (int i = 20; i < 40; ++i) ask(20, "s" + std::to_string(i) + ".example");
    EXPECT_EQ(asked().size(), std::size_t{storage::max_join_requests});
    EXPECT_EQ(ask(1, "late.example"), 0);
}

}  // namespace
}  // namespace entente::federation::log_rig
