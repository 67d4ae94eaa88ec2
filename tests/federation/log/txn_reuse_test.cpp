// A txn that comes again with something else: nothing is done, and nobody is told that it was.
#include "federation/channels/channel_changes.hpp"
#include "federation/channels/repeats.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

// At the home itself, and at a follower before and after the home has answered.
enum class Where { home, follower_waiting, follower_settled };

class TxnReuse : public ::testing::TestWithParam<Where> {
 protected:
    TxnReuse() : channel(shared_channel(a, b)) { txn = who().actor(name()); }

    Server& who() { return GetParam() == Where::home ? a : b; }
    [[nodiscard]] static std::string name() { return GetParam() == Where::home ? "alice" : "bob"; }
    Result<Posted> change(ChannelChange wanted)
    {
        return who().world.run(who().channels->change(txn, channel, std::move(wanted)));
    }
    Result<Posted> first(const std::string& content)
    {
        auto posted = change(changes::post(content));
        if (GetParam() == Where::follower_settled) settle_all(a, b);
        return posted;
    }
    void expect_conflict(ChannelChange wanted)
    {
        auto refused = change(std::move(wanted));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::conflict);
        EXPECT_EQ(refused.error().hint, "/txn: came before with something else");
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId channel;
    Actor txn;
};

TEST_P(TxnReuse, WithAnotherContentIsAConflict)
{
    const auto posted = first(hello);
    ASSERT_TRUE(posted);
    expect_conflict(changes::post(R"({"text":"goodbye"})"));
    expect_conflict(changes::post(R"({"text":"hello","more":1})"));
    EXPECT_EQ(change(changes::post(hello))->event_id, posted->event_id);
}

TEST_P(TxnReuse, WithTheSameContentInOtherOctetsIsARepeat)
{
    const auto posted = first(R"({"text":"hello","n":[1,2]})");
    ASSERT_TRUE(posted);
    const auto again = change(changes::post(R"({ "n": [1, 2], "text": "hello" })"));
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(again->event_id, posted->event_id);
}

TEST_P(TxnReuse, ForAnotherOperationIsAConflict)
{
    const auto posted = first(hello);
    ASSERT_TRUE(posted);
    expect_conflict(changes::leave());
    expect_conflict(changes::edit(posted->event_id, hello));
    expect_conflict(changes::erase(posted->event_id, ""));
}

TEST_P(TxnReuse, ForAnotherTargetIsAConflict)
{
    const auto one = who().post(name(), channel, "one");
    const auto two = who().post(name(), channel, "two");
    ASSERT_TRUE(one && two);
    settle_all(a, b);
    ASSERT_TRUE(change(changes::react(one->event_id, "+")));
    if (GetParam() == Where::follower_settled) settle_all(a, b);
    expect_conflict(changes::react(two->event_id, "+"));
    expect_conflict(changes::react(one->event_id, "-"));
    EXPECT_TRUE(change(changes::react(one->event_id, "+")));
}

TEST_P(TxnReuse, InOneFrameIsToldOfTheSecondAlone)
{
    std::vector<Channels::Post> posts{{txn, channel, hello}, {txn, channel, R"({"text":"other"})"}};
    const auto results = who().world.run(who().channels->post_all(std::move(posts)));
    ASSERT_EQ(results.size(), 2U);
    EXPECT_TRUE(results[0]);
    ASSERT_FALSE(results[1]);
    EXPECT_EQ(results[1].error().code, Code::conflict);
}

// What has been erased can't be compared: the retry of a message that is deleted by now.
TEST_P(TxnReuse, OfADeletedMessageIsARepeat)
{
    const auto posted = first(hello);
    ASSERT_TRUE(posted);
    settle_all(a, b);
    ASSERT_TRUE(who().change(name(), channel, changes::erase(posted->event_id, "")));
    settle_all(a, b);
    const auto again = change(changes::post(hello));
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(again->event_id, posted->event_id);
    expect_conflict(changes::leave());
}

INSTANTIATE_TEST_SUITE_P(Places, TxnReuse,
                         ::testing::Values(Where::home, Where::follower_waiting,
                                           Where::follower_settled),
                         [](const auto& place) {
                             switch (place.param) {
                                 case Where::home: return "Home";
                                 case Where::follower_waiting: return "FollowerWaiting";
                                 case Where::follower_settled: return "FollowerSettled";
                             }
                             return "";
                         });

class TxnOfCreation : public ::testing::Test {
 protected:
    Result<ChannelId> create(const NewChannel& about)
    {
        return a.world.run(a.channels->create(txn, about));
    }
    Result<DirectChannel> direct(const std::string& peer, const std::string& retention = "keep")
    {
        NewChannel about;
        about.history = "all";
        about.retention = retention;
        return a.world.run(a.channels->make_direct(txn, b.user(peer), about));
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Actor txn = a.actor("alice");
};

TEST_F(TxnOfCreation, AnotherChannelIsAConflict)
{
    NewChannel garden;
    garden.name = "garden";
    const auto made = create(garden);
    ASSERT_TRUE(made);
    ASSERT_TRUE(a.change("alice", *made, {"channel.update", R"({"name":"yard"})", std::nullopt}));
    EXPECT_EQ(create(garden).value(), made.value());
    auto other = garden;
    other.name = "yard";
    ASSERT_FALSE(create(other));
    EXPECT_EQ(create(other).error().code, Code::conflict);
    ASSERT_FALSE(direct("bob"));
    EXPECT_EQ(direct("bob").error().code, Code::conflict);
}

TEST_F(TxnOfCreation, AnotherPeersDmIsAConflict)
{
    const auto made = direct("bob");
    ASSERT_TRUE(made);
    ASSERT_FALSE(direct("carol"));
    EXPECT_EQ(direct("carol").error().code, Code::conflict);
    // As it is there, its retention isn't asked.
    EXPECT_EQ(direct("bob", "days:7")->channel, made->channel);
    ASSERT_TRUE(a.change("alice", made->channel, changes::leave()));
    EXPECT_EQ(direct("bob")->channel, made->channel);
    ASSERT_FALSE(direct("bob", "days:7"));
    EXPECT_EQ(direct("bob", "days:7").error().code, Code::conflict);
}

TEST(Repeats, SayTheSameButForTheirSalts)
{
    const auto salted = [](const std::string& salt, const std::string& rest) {
        return R"({"salt":")" + salt + "\"" + rest;
    };
    const std::string one(22, 'A');
    const std::string two(22, 'B');
    EXPECT_TRUE(say_the_same(salted(one, "}"), salted(two, "}")));
    EXPECT_TRUE(say_the_same(salted(one, R"(,"n":1})"), salted(two, R"(, "n" : 1})")));
    EXPECT_FALSE(say_the_same(salted(one, R"(,"n":1})"), salted(two, R"(,"n":2})")));
    EXPECT_FALSE(say_the_same(salted(one, R"(,"n":1})"), salted(two, R"(,"n":"1"})")));
    // A salt of another length, as another program may have put there.
    EXPECT_TRUE(say_the_same(salted("short", R"(,"n":1})"), salted(two, R"(,"n":1})")));
}

}  // namespace
}  // namespace entente::federation::log_rig
