// What is done to a channel, its members and its messages, over HTTPS: which event each
// request asks for.
#include "rig.hpp"

namespace entente::api::testing {
namespace {

const std::string moderated_channels_path = "/api/v1/channels";
const std::string an_event = "RGVsZXRlIG1lIGFuZCBhbGwgb2YgbXkgZWRpdHMuLi4";

class Moderation : public ::testing::Test {
 protected:
    Moderation() : alice(rig.person("alice"))
    {
        const auto made =
            rig.post(moderated_channels_path, {{"txn", uuid(100)}, {"name", "room"}}, alice.access);
        channel = made.body.value("channel", "");
    }

    // The change that a request led to.
    json asked(const std::string& path, json body, const std::string& method = "POST")
    {
        body["txn"] = uuid(++txn);
        const auto answer =
            rig.request(method, moderated_channels_path + "/" + channel + path, body, alice.access);
        EXPECT_EQ(answer.status, 201) << answer.text;
        EXPECT_EQ(answer.body.value("status", ""), "accepted");
        json change;
        rig.on_io([&] {
            if (rig.channels.changes.empty()) return;
            const auto& last = rig.channels.changes.back();
            change = {{"type", last.type}, {"content", json::parse(last.members)}};
            if (last.target) change["target"] = protocol::to_base64url(*last.target);
        });
        return change;
    }
    std::string hint(const std::string& path, json body, const std::string& method = "POST")
    {
        body["txn"] = uuid(++txn);
        return rig
            .request(method, moderated_channels_path + "/" + channel + path, body, alice.access)
            .hint();
    }

    Rig rig;
    Person alice;
    std::string channel;
    int txn = 0;
};

TEST_F(Moderation, MembersAreJudgedWithAReasonOrWithout)
{
    const json bob{{"user", "bob@b.test"}};
    const json why{{"user", "bob@b.test"}, {"reason", "spam"}};
    EXPECT_EQ(asked("/kick", bob), (json{{"type", "member.kick"}, {"content", bob}}));
    EXPECT_EQ(asked("/kick", why), (json{{"type", "member.kick"}, {"content", why}}));
    EXPECT_EQ(asked("/ban", why), (json{{"type", "member.ban"}, {"content", why}}));
    EXPECT_EQ(asked("/unban", bob), (json{{"type", "member.unban"}, {"content", bob}}));
    const json role{{"user", "bob@b.test"}, {"role", "moderator"}};
    EXPECT_EQ(asked("/role", role), (json{{"type", "member.role"}, {"content", role}}));
    EXPECT_EQ(hint("/kick", {{"user", "bob"}}), "/user: name@server is needed");
    EXPECT_EQ(hint("/role", bob), "/role: is required");
    EXPECT_EQ(hint("/ban", {{"user", "bob@b.test"}, {"reason", std::string(1025, 'x')}}),
              "/reason: at most 1024 octets");
    EXPECT_EQ(hint("/ban", {{"user", "bob@b.test"}, {"reason", std::string(1024, 'x')}}), "");
}

TEST_F(Moderation, APatchSaysWhatChangesAndNothingElse)
{
    const json all{{"name", "r"},          {"topic", "t"},      {"avatar", "m"}, {"history", "all"},
                   {"retention", "relay"}, {"encryption", "x"}, {"public", true}};
    EXPECT_EQ(asked("", all, "PATCH"), (json{{"type", "channel.update"}, {"content", all}}));
    const json one{{"public", false}};
    EXPECT_EQ(asked("", one, "PATCH"), (json{{"type", "channel.update"}, {"content", one}}));
    EXPECT_EQ(hint("", {{"topic", 1}}, "PATCH"), "/topic: a string is needed");
    EXPECT_EQ(hint("", {{"topic", std::string(4097, 'x')}}, "PATCH"),
              "/topic: at most 4096 octets");
}

TEST_F(Moderation, SuccessorsAreAListOfServers)
{
    const json servers{{"servers", {"b.test", "c.test"}}};
    EXPECT_EQ(asked("/successors", servers),
              (json{{"type", "channel.successors"}, {"content", servers}}));
    EXPECT_EQ(hint("/successors", {{"servers", "b.test"}}),
              "/servers: a list of at most 32 strings is needed");
    EXPECT_EQ(hint("/successors", {{"servers", json::array({1})}}),
              "/servers: strings of at most 253 octets are needed");
    EXPECT_EQ(hint("/successors", {{"servers", std::vector<std::string>(33, "b.test")}}),
              "/servers: a list of at most 32 strings is needed");
    EXPECT_EQ(hint("/successors", {{"servers", std::vector<std::string>(32, "b.test")}}), "");
}

TEST_F(Moderation, AMoveIsAskedForAndLookedUp)
{
    const auto path = moderated_channels_path + "/" + channel + "/move";
    EXPECT_EQ(rig.get(path, alice.access).status, 404);
    EXPECT_EQ(hint("/move", {{"home", "not a server"}}), "/home: a server's name is needed");
    EXPECT_EQ(hint("/move", json::object()), "/home: is required");
    const auto asked_for = rig.post(path, {{"txn", uuid(99)}, {"home", "b.test"}}, alice.access);
    EXPECT_EQ(asked_for.status, 202);
    const json pending{{"home", "b.test"}, {"status", "pending"}};
    EXPECT_EQ(asked_for.body, pending);
    EXPECT_EQ(rig.get(path, alice.access).body, pending);
    rig.on_io([&] {
        auto& moving = rig.channels.moves.begin()->second;
        moving.state = federation::DeliveryState::accepted;
        moving.seq = 7;
    });
    EXPECT_EQ(rig.get(path, alice.access).body,
              (json{{"home", "b.test"}, {"status", "accepted"}, {"seq", 7}}));
    rig.on_io([&] {
        auto& moving = rig.channels.moves.begin()->second;
        moving = {moving.home, federation::DeliveryState::rejected, 0,
                  Error{Code::forbidden, "secret", {}, 0}};
    });
    const auto refused = rig.get(path, alice.access).body;
    EXPECT_EQ(refused.at("status"), "rejected");
    EXPECT_EQ(refused.at("problem").at("type"), "urn:entente:problem:forbidden");
}

TEST_F(Moderation, AMessageIsEditedDeletedAndReactedTo)
{
    const std::string message = "/messages/" + an_event;
    const json text{{"text", "better"}};
    EXPECT_EQ(asked(message + "/edit", {{"content", text}}),
              (json{{"type", "message.edit"}, {"content", text}, {"target", an_event}}));
    EXPECT_EQ(
        asked(message + "/delete", json::object()),
        (json{{"type", "message.delete"}, {"content", json::object()}, {"target", an_event}}));
    EXPECT_EQ(asked(message + "/delete", {{"reason", "typo"}})["content"],
              (json{{"reason", "typo"}}));
    EXPECT_EQ(
        asked(message + "/react", {{"key", "👍"}}),
        (json{{"type", "message.react"}, {"content", {{"key", "👍"}}}, {"target", an_event}}));
    EXPECT_EQ(hint(message + "/edit", json::object()), "/content: is required");
    EXPECT_EQ(hint(message + "/react", json::object()), "/key: is required");
    EXPECT_EQ(hint(message + "/react", {{"key", std::string(257, 'x')}}),
              "/key: at most 256 octets");
    const auto none = rig.post(moderated_channels_path + "/" + channel + "/messages/short/delete",
                               {{"txn", uuid(50)}}, alice.access);
    EXPECT_EQ(none.status, 404);
}

TEST_F(Moderation, ARepeatedTxnGetsTheFirstAnswer)
{
    const auto kick = [&] {
        return rig.post(moderated_channels_path + "/" + channel + "/kick",
                        {{"txn", uuid(7)}, {"user", "bob@b.test"}}, alice.access);
    };
    const auto first = kick();
    ASSERT_EQ(first.status, 201) << first.text;
    EXPECT_EQ(kick().text, first.text);
}

TEST_F(Moderation, ADmIsMadeOnceFoundAfterwardsAndJoinedByTheOther)
{
    const auto dm = [&](const Person& person, int number, const std::string& user) {
        return rig.post(moderated_channels_path + "/dm", {{"txn", uuid(number)}, {"user", user}},
                        person.access);
    };
    const auto first = dm(alice, 1, "bob@a.test");
    ASSERT_EQ(first.status, 201) << first.text;
    EXPECT_EQ(dm(alice, 2, "bob@a.test").body, first.body);
    const auto bob = rig.person("bob");
    EXPECT_EQ(dm(bob, 3, "alice@a.test").body, first.body);
    const std::string made = first.body["channel"];
    const auto seen = rig.get(moderated_channels_path + "/" + made, bob.access);
    EXPECT_EQ(seen.status, 200) << seen.text;
    EXPECT_EQ(seen.body["history"], "all");
    EXPECT_EQ(dm(alice, 4, "bob").hint(), "/user: name@server is needed");
}

TEST_F(Moderation, OnlyADmThatHasToBeMadeCountsAsAChannelOfTheDay)
{
    auto options = roomy_options();
    options.channels_a_day = 1;
    Rig strict{options};
    const auto carol = strict.person("carol");
    const auto dm = [&](int number, const std::string& user) {
        return strict
            .post(moderated_channels_path + "/dm", {{"txn", uuid(number)}, {"user", user}},
                  carol.access)
            .status;
    };
    EXPECT_EQ(dm(1, "bob@b.test"), 201);
    EXPECT_EQ(dm(2, "bob@b.test"), 201);
    EXPECT_EQ(dm(3, "dave@b.test"), 429);
}

}  // namespace
}  // namespace entente::api::testing
