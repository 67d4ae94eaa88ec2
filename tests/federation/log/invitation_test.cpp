// Invitations as they come from other servers: what they must be to reach a user.
#include "storage/incoming_store.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::EventResult;
using protocol::ItemStatus;
using protocol::json_string;

const std::string salt = R"("salt":"AAECAwQFBgcICQoLDA0ODw")";

// A direct event from b, a right invitation of alice unless a test changes a part.
struct Letter {
    std::string type = "invite";
    std::string to = "alice@a.example";
    std::string sender = "b.example";
    ChannelId channel;  // that it names
    std::string inner_type = "member.invite";
    ChannelId inner_channel;
    std::string invites = "alice@a.example";
    std::string inviter = "bob@b.example";
    std::string behind_inner_content{};  // octets that its hash doesn't know
    Millis at_offset = 0;
};

class InvitationTest : public ::testing::Test {
 protected:
    Letter letter() { return {.channel = theirs, .inner_channel = theirs}; }
    EventResult send(const Letter& letter) { return send(letter, b); }
    EventResult send(const Letter& letter, Server& home)
    {
        const auto inner = b.event(letter.inner_channel, {letter.inner_type, letter.inviter,
                                                          "{\"user\":\"" + letter.invites + "\"}"});
        protocol::EventDraft draft;
        draft.type = letter.type;
        draft.to = letter.to;
        draft.sender = letter.sender;
        draft.txn = protocol::make_uuid7(servers.world.clock.now_ms(), servers.world.random);
        draft.at = servers.world.clock.now_ms() + letter.at_offset;
        draft.content = "{" + salt + ",\"channel\":" + json_string(letter.channel.str()) +
                        R"(,"name":"n","kind":"group","encryption":"none","members":1,"invite":)" +
                        "{\"event\":" + json_string(inner.event) +
                        ",\"content\":" + json_string(inner.content + letter.behind_inner_content) +
                        "}}";
        protocol::OutgoingTransaction transaction;
        transaction.direct.push_back({protocol::write_event(draft), draft.content});
        return a.receive(home, transaction).direct.at(0);
    }
    void expect_refused(const Letter& letter, Code code)
    {
        const auto result = send(letter);
        EXPECT_EQ(result.status, ItemStatus::rejected);
        ASSERT_TRUE(result.problem);
        EXPECT_EQ(result.problem->code, code);
        EXPECT_TRUE(a.invited.empty());
    }

    std::vector<storage::InvitationRow> held()
    {
        return a
            .read([](storage::Connection& db) {
                return storage::invitations_of(db, "alice@a.example");
            })
            .value();
    }
    void hold(std::int64_t count, const std::string& home)
    {
        const auto put = a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
            storage::InvitationRow row{"alice@a.example", "",     home, home, "n",
                                       "group",           "none", 1,    1};
            for (std::int64_t i = 0; i < count; ++i) {
                row.channel = std::to_string(i) + "@" + home;
                auto done = storage::put_invitation(transaction.db(), row);
                if (!done) return done;
            }
            return {};
        });
        ASSERT_TRUE(put);
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId theirs = b.create("bob");
};

// [INBOX-9]
TEST_F(InvitationTest, OneThatDoesNotHoldTogetherIsMalformed)
{
    auto other_type = letter();
    other_type.inner_type = "member.ban";
    expect_refused(other_type, Code::malformed);
    auto other_channel = letter();
    other_channel.inner_channel = b.create("bob");
    expect_refused(other_channel, Code::malformed);
    auto other_content = letter();
    other_content.behind_inner_content = " ";
    expect_refused(other_content, Code::malformed);
    auto other_user = letter();
    other_user.invites = "dave@a.example";
    expect_refused(other_user, Code::malformed);

    EXPECT_EQ(send(letter()).status, ItemStatus::accepted);
    EXPECT_EQ(a.invited, std::vector<std::string>{"alice@a.example"});
}

// [INBOX-4]
TEST_F(InvitationTest, OneInAnotherServersNameIsForbidden)
{
    auto in_anothers = letter();
    in_anothers.sender = "c.example";
    expect_refused(in_anothers, Code::forbidden);
}

// [INBOX-9]
TEST_F(InvitationTest, OneFromAUserIsForbiddenAndOneToNobodyIsNotFound)
{
    auto from_a_user = letter();
    from_a_user.sender = "bob@b.example";
    expect_refused(from_a_user, Code::forbidden);
    auto to_nobody = letter();
    to_nobody.to = to_nobody.invites = "nobody@a.example";
    expect_refused(to_nobody, Code::not_found);
    auto elsewhere = letter();
    elsewhere.to = elsewhere.invites = "carol@c.example";
    expect_refused(elsewhere, Code::not_found);
}

// [INBOX-9] Or whoever likes could invite in the name of somebody who is trusted.
TEST_F(InvitationTest, AnInviterOfAnotherServerIsTheHomesWordAlone)
{
    ASSERT_EQ(send(letter()).status, ItemStatus::accepted);
    ASSERT_EQ(held().size(), 1U);
    EXPECT_EQ(held()[0].sender, "bob@b.example");
    for (const auto* stranger : {"carol@c.example", "dave@a.example"}) {
        auto in_anothers_name = letter();
        in_anothers_name.inviter = stranger;
        ASSERT_EQ(send(in_anothers_name).status, ItemStatus::accepted);
        EXPECT_EQ(held()[0].sender, "b.example");
    }
}

// [INBOX-4] What the inviter's people call their channel is no fault of their server.
TEST_F(InvitationTest, ANameThatIsTooLongForOneIsCut)
{
    std::string name(511, 'x');
    name += "\xC3\xA4 and more";
    const auto channel = b.create("bob", "all");
    ASSERT_TRUE(b.append(b.event(
        channel, {"channel.update", "bob@b.example", "{\"name\":" + json_string(name) + "}"})));
    ASSERT_TRUE(b.world.run(b.channels->invite(b.actor("bob"), channel, a.user("alice"))));
    ASSERT_TRUE(exchange(b, a));
    ASSERT_EQ(held().size(), 1U);
    EXPECT_EQ(held()[0].name, std::string(511, 'x'));
}

// [INBOX-9]
TEST_F(InvitationTest, OneHomeGetsHalfOfWhatIsFree)
{
    const auto by_c = [&] {
        auto made = letter();
        made.sender = "c.example";
        made.channel = made.inner_channel = servers.c.create("carol");
        return made;
    };
    hold(max_invitations_per_user / 3, "b.example");
    ASSERT_EQ(send(letter()).status, ItemStatus::accepted);
    auto beyond = letter();
    beyond.channel = beyond.inner_channel = b.create("bob");
    const auto refused = send(beyond);
    ASSERT_TRUE(refused.problem);
    EXPECT_EQ(refused.problem->code, Code::forbidden);
    // Of one that is held there may be news all the same.
    EXPECT_EQ(send(letter()).status, ItemStatus::accepted);

    hold(max_invitations_per_user / 3, "d.example");
    const auto first = by_c();
    EXPECT_EQ(send(first, servers.c).status, ItemStatus::accepted);
    // And there it ends.
    hold(max_invitations_per_user - max_invitations_per_user / 3 * 2 - 2, "e.example");
    EXPECT_EQ(send(by_c(), servers.c).problem->code, Code::forbidden);
    EXPECT_EQ(send(first, servers.c).status, ItemStatus::accepted);
}

// [INBOX-4] [VER-1]
TEST_F(InvitationTest, ADirectEventOfAnUnknownTypeIsIgnored)
{
    auto unknown = letter();
    unknown.type = "future.thing";
    const auto result = send(unknown);
    EXPECT_EQ(result.status, ItemStatus::ignored);
    EXPECT_FALSE(result.problem);
    EXPECT_TRUE(a.invited.empty());
}

// [INBOX-4] What is older could have been applied and forgotten.
TEST_F(InvitationTest, OneOlderThanThirtyDaysIsMalformed)
{
    auto old = letter();
    old.at_offset = -direct_memory_ms - 1;
    expect_refused(old, Code::malformed);
    old.at_offset = -direct_memory_ms;
    EXPECT_EQ(send(old).status, ItemStatus::accepted);
}

// [EVT-5]
TEST_F(InvitationTest, OneFromTheNearFutureIsDeferred)
{
    auto early = letter();
    early.at_offset = 60'001;
    const auto deferred = send(early);
    EXPECT_EQ(deferred.status, ItemStatus::deferred);
    EXPECT_EQ(deferred.retry_after, 1);
    early.at_offset = 60'000 + 3'600'001;
    expect_refused(early, Code::malformed);
    EXPECT_TRUE(a.invited.empty());
    early.at_offset = 60'000;
    EXPECT_EQ(send(early).status, ItemStatus::accepted);
}

}  // namespace
}  // namespace entente::federation::log_rig
