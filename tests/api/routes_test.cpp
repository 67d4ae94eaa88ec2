// Channels, messages, health and metrics, over HTTPS.
#include "protocol/octets.hpp"
#include "rig.hpp"

namespace entente::api::testing {
namespace {

const std::string routes_channels_path = "/api/v1/channels";

std::string make_channel(Rig& rig, const Person& owner, int txn = 100)
{
    const auto made =
        rig.post(routes_channels_path, {{"txn", uuid(txn)}, {"name", "room"}}, owner.access);
    EXPECT_EQ(made.status, 201) << made.text;
    return made.body.value("channel", "");
}

std::string path_of(const std::string& channel, const std::string& rest = {})
{
    return routes_channels_path + "/" + channel + rest;
}

TEST(Routes, AChannelIsMadeOnceForATxn)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto first = make_channel(rig, alice);
    EXPECT_EQ(make_channel(rig, alice), first);
    EXPECT_NE(make_channel(rig, alice, 101), first);
    const auto list = rig.get(routes_channels_path, alice.access);
    ASSERT_EQ(list.body["channels"].size(), 2U);
    EXPECT_EQ(list.body["channels"][0]["name"], "room");
    EXPECT_EQ(list.body["channels"][0]["kind"], "group");
    EXPECT_EQ(rig.get(path_of(first), alice.access).body["channel"], first);
}

TEST(Routes, AUserMayMakeSoManyChannelsADay)
{
    auto options = roomy_options();
    options.channels_a_day = 2;
    Rig rig{options};
    const auto alice = rig.person("alice");
    make_channel(rig, alice, 1);
    make_channel(rig, alice, 2);
    const json body{{"txn", uuid(3)}, {"name", "room"}};
    EXPECT_EQ(rig.post(routes_channels_path, body, alice.access).status, 429);
    rig.clock.advance_s(86'400);
    const auto fresh = rig.post("/api/v1/auth/refresh", {{"refresh_token", alice.refresh}});
    EXPECT_EQ(rig.post(routes_channels_path, body, fresh.body["access_token"]).status, 201);
}

TEST(Routes, ABadChannelIsToldWhereItIsBad)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto hint = [&](const json& body) {
        return rig.post(routes_channels_path, body, alice.access).hint();
    };
    EXPECT_EQ(hint({{"name", "room"}}), "/txn: is required");
    EXPECT_EQ(hint({{"txn", "x"}, {"name", "room"}}), "/txn: a UUID in lower case is needed");
    EXPECT_EQ(hint({{"txn", uuid(1)}}), "/name: is required");
    EXPECT_EQ(hint({{"txn", uuid(1)}, {"name", "room"}, {"public", 1}}),
              "/public: true or false is needed");
}

TEST(Routes, AnInvitationIsListedAndJoined)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto bob = rig.person("bob");
    const auto channel = make_channel(rig, alice);
    EXPECT_EQ(rig.get(path_of(channel), bob.access).status, 404);
    EXPECT_EQ(rig.post(path_of(channel, "/join"), {{"txn", uuid(1)}}, bob.access).status, 404);
    const auto invited = rig.post(path_of(channel, "/invite"),
                                  {{"txn", uuid(2)}, {"user", "bob@a.test"}}, alice.access);
    EXPECT_EQ(invited.status, 201) << invited.text;
    EXPECT_EQ(invited.body["status"], "accepted");
    const auto waiting = rig.get("/api/v1/invitations", bob.access);
    ASSERT_EQ(waiting.body["invitations"].size(), 1U);
    EXPECT_EQ(waiting.body["invitations"][0]["channel"], channel);
    EXPECT_EQ(waiting.body["invitations"][0]["from"], "alice@a.test");
    EXPECT_EQ(rig.post(path_of(channel, "/join"), {{"txn", uuid(3)}}, bob.access).status, 201);
    EXPECT_EQ(rig.get("/api/v1/invitations", bob.access).body["invitations"].size(), 0U);
    EXPECT_EQ(rig.get(path_of(channel), bob.access).status, 200);
    EXPECT_EQ(rig.post(path_of(channel, "/leave"), {{"txn", uuid(4)}}, bob.access).status, 201);
    EXPECT_EQ(rig.get(path_of(channel), bob.access).status, 404);
    const auto bad =
        rig.post(path_of(channel, "/invite"), {{"txn", uuid(5)}, {"user", "bob"}}, alice.access);
    EXPECT_EQ(bad.hint(), "/user: name@server is needed");
}

TEST(Routes, MembersComeInPages)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto channel = make_channel(rig, alice);
    rig.on_io([&] {
        auto& log = rig.channels.logs.at(protocol::ChannelId::trusted(channel));
        for (const auto* name : {"bob@a.test", "carol@a.test", "dave@a.test"})
            log.members.insert(name);
    });
    const auto first = rig.get(path_of(channel, "/members?limit=3"), alice.access);
    ASSERT_EQ(first.body["members"].size(), 3U) << first.text;
    EXPECT_EQ(first.body["members"][0]["user"], "alice@a.test");
    const std::string next = first.body["next"];
    const auto second = rig.get(path_of(channel, "/members?limit=3&cursor=" + next), alice.access);
    ASSERT_EQ(second.body["members"].size(), 1U);
    EXPECT_EQ(second.body["members"][0]["user"], "dave@a.test");
    const std::string end = second.body["next"];
    const auto third = rig.get(path_of(channel, "/members?cursor=" + end), alice.access);
    EXPECT_EQ(third.body["members"].size(), 0U);
    EXPECT_TRUE(third.body["next"].is_null());
    EXPECT_EQ(rig.get(path_of(channel, "/members?limit=0"), alice.access).status, 400);
    EXPECT_EQ(rig.get(path_of(channel, "/members?limit=1000"), alice.access).status, 200);
    EXPECT_EQ(rig.get(path_of(channel, "/members?limit=1001"), alice.access).status, 400);
    EXPECT_EQ(rig.get(path_of(channel, "/members?cursor=*"), alice.access).status, 400);
}

TEST(Routes, ARepeatedMessageGetsTheFirstAnswer)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto channel = make_channel(rig, alice);
    const json body{{"txn", uuid(1)}, {"content", {{"text", "hello"}}}};
    const auto first = rig.post(path_of(channel, "/messages"), body, alice.access);
    ASSERT_EQ(first.status, 201) << first.text;
    EXPECT_EQ(first.body["status"], "accepted");
    EXPECT_EQ(first.body["seq"], 2);
    const auto again = rig.post(path_of(channel, "/messages"), body, alice.access);
    EXPECT_EQ(again.text, first.text);
    const auto page = rig.get(path_of(channel, "/messages"), alice.access);
    ASSERT_EQ(page.body["entries"].size(), 2U);
    EXPECT_EQ(page.body["entries"][1]["id"], first.body["event"]);
    EXPECT_EQ(page.body["entries"][1]["content"]["text"], "hello");
    EXPECT_EQ(page.body["entries"][1]["event"]["sender"], "alice@a.test");
    EXPECT_EQ(page.body["entries"][1]["at"], "2025-11-21T00:00:00.123Z");
}

TEST(Routes, MessagesPageUpAndDown)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto channel = make_channel(rig, alice);
    for (int i = 1; i <= 6; ++i)
        rig.post(path_of(channel, "/messages"), {{"txn", uuid(i)}, {"content", {{"n", i}}}},
                 alice.access);
    const auto seqs = [&](const std::string& query) {
        std::vector<int> found;
        const auto answer = rig.get(path_of(channel, "/messages" + query), alice.access);
        EXPECT_EQ(answer.status, 200) << answer.text;
        for (const auto& entry : answer.body["entries"]) found.push_back(entry["seq"]);
        return found;
    };
    EXPECT_EQ(seqs("?limit=2"), (std::vector<int>{6, 7}));
    EXPECT_EQ(seqs("?before=6&limit=2"), (std::vector<int>{4, 5}));
    EXPECT_EQ(seqs("?after=0&limit=3"), (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(seqs("?after=5"), (std::vector<int>{6, 7}));
    EXPECT_EQ(seqs("?after=7"), (std::vector<int>{}));
    for (const auto* query : {"?limit=0", "?limit=1001", "?limit=x", "?after=-1", "?before=0",
                              "?after=1&before=5", "?limit=1e2"})
        EXPECT_EQ(rig.get(path_of(channel, std::string{"/messages"} + query), alice.access).status,
                  400)
            << query;
}

TEST(Routes, ABodyOfAMessageRouteEndsAt128KiB)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto channel = make_channel(rig, alice);
    const auto send = [&](std::size_t size) {
        const auto body = R"({"txn":")" + uuid(1) + R"(","content":{}})";
        const auto padding = std::string(size - body.size(), ' ');
        return rig
            .post_text(path_of(channel, "/messages"), body + padding, "application/json",
                       alice.access)
            .status;
    };
    EXPECT_EQ(send(128 * 1024), 201);
    EXPECT_EQ(send(128 * 1024 + 1), 413);
}

TEST(Routes, ContentIsAnObject)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto channel = make_channel(rig, alice);
    const auto hint = [&](const json& content) {
        const json body{{"txn", uuid(1)}, {"content", content}};
        return rig.post(path_of(channel, "/messages"), body, alice.access).hint();
    };
    EXPECT_EQ(hint("text"), "/content: an object is needed");
    EXPECT_EQ(hint(nullptr), "/content: an object is needed");
}

// [RETRY-2]
TEST(Routes, DeliveryIsShownServerByServer)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto bob = rig.person("bob");
    const auto channel = make_channel(rig, alice);
    const auto posted = rig.post(path_of(channel, "/messages"),
                                 {{"txn", uuid(1)}, {"content", json::object()}}, alice.access);
    const std::string path =
        "/api/v1/messages/" + posted.body["event"].get<std::string>() + "/delivery";
    const auto delivery = rig.get(path, alice.access);
    ASSERT_EQ(delivery.status, 200) << delivery.text;
    EXPECT_EQ(delivery.body["status"], "accepted");
    EXPECT_EQ(delivery.body["servers"], (json{{"b.test", false}, {"c.test", true}}));
    EXPECT_EQ(rig.get(path, bob.access).status, 404);
    EXPECT_EQ(rig.get("/api/v1/messages/short/delivery", alice.access).status, 404);
}

TEST(Routes, WhatIsNoChannelIsNotFound)
{
    Rig rig;
    const auto alice = rig.person("alice");
    EXPECT_EQ(rig.get(path_of("nothing"), alice.access).status, 404);
    EXPECT_EQ(rig.get(path_of("%zz"), alice.access).status, 400);
    EXPECT_EQ(rig.get("/api/v1/nowhere", alice.access).status, 404);
    const auto channel = make_channel(rig, alice);
    auto encoded = channel;
    encoded.replace(encoded.find('@'), 1, "%40");
    EXPECT_EQ(rig.get(path_of(encoded), alice.access).status, 200);
}

TEST(System, HealthReadinessAndMetricsAreShown)
{
    Rig rig;
    EXPECT_EQ(rig.get("/health").body["status"], "ok");
    EXPECT_EQ(rig.get("/ready").status, 200);
    rig.on_io([&] {
        rig.ready = []() -> Result<void> { return fail(Code::unavailable, "the disk is full"); };
    });
    const auto not_ready = rig.get("/ready");
    EXPECT_EQ(not_ready.status, 503);
    EXPECT_EQ(not_ready.text.find("disk"), std::string::npos);
    const auto scraped = rig.get("/metrics");
    EXPECT_EQ(scraped.field("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_NE(
        scraped.text.find("entente_http_requests_total{listener=\"client\",class=\"5xx\"} 1\n"),
        std::string::npos)
        << scraped.text;
    EXPECT_NE(scraped.text.find("entente_http_request_seconds_count{listener=\"client\"} 3\n"),
              std::string::npos);
}

}  // namespace
}  // namespace entente::api::testing
