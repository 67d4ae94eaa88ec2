// How refusals are told: where a fault stands, when to come again, what can't be read at all.
#include "room.hpp"
#include "socket_client.hpp"

namespace entente::api::testing {
namespace {

class Refusals : public ::testing::Test {
 protected:
    void refuse_with(Error error)
    {
        room.rig.on_io([&] { room.rig.channels.refusal = std::move(error); });
    }
    [[nodiscard]] std::string messages(const std::string& rest = "") const
    {
        return "/api/v1/channels/" + room.id.str() + "/messages" + rest;
    }
    Answer post(const std::string& path, json body)
    {
        body["txn"] = uuid(1);
        return room.rig.post(path, body, room.alice.access);
    }

    Room room;
    const json content{{"text", 7}};
    const std::string event = "/" + std::string(43, 'A');
};

TEST_F(Refusals, OfAFullDiskSayWhenToComeAgainOnASocketToo)
{
    refuse_with({Code::unavailable, "SQLite 13: database or disk is full", {}, 0});
    const auto answer = post(messages(), {{"content", content}});
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.field("retry-after"), "10");
    EXPECT_EQ(answer.body["retry_after"], 10);

    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send({{"posts", {room.message(1)}}});
    EXPECT_EQ(socket.read_until("results")["results"][0]["problem"], answer.body);
    refuse_with({Code::rate_limited, "too many", {}, 60});
    socket.send({{"posts", {room.message(1)}}});
    EXPECT_EQ(socket.read_until("results")["results"][0]["problem"]["retry_after"], 60);
    refuse_with({Code::forbidden, "no", {}, 0});
    socket.send({{"posts", {room.message(1)}}});
    EXPECT_FALSE(socket.read_until("results")["results"][0]["problem"].contains("retry_after"));
}

TEST_F(Refusals, OfAContentNameTheMemberAsItStandsInTheRequest)
{
    refuse_with({Code::malformed, "/text: a string is needed", "/text: a string is needed", 0});
    EXPECT_EQ(post(messages(), {{"content", content}}).hint(), "/content/text: a string is needed");
    EXPECT_EQ(post(messages(event + "/edit"), {{"content", content}}).hint(),
              "/content/text: a string is needed");
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send({{"posts", {7, room.message(1)}}});
    const auto results = socket.read_until("results")["results"];
    EXPECT_EQ(results[0]["problem"]["detail"], "/posts/0: an object is needed");
    EXPECT_EQ(results[1]["problem"]["detail"], "/posts/1/content/text: a string is needed");

    refuse_with({Code::malformed, "/: is empty", "/: is empty", 0});
    EXPECT_EQ(post(messages(), {{"content", content}}).hint(), "/content: is empty");
    // The members of other changes stand in the body itself.
    refuse_with({Code::malformed, "/key: is empty", "/key: is empty", 0});
    EXPECT_EQ(post(messages(event + "/react"), {{"key", "+"}}).hint(), "/key: is empty");
    refuse_with({Code::conflict, "/txn: came before", "/txn: came before", 0});
    EXPECT_EQ(post(messages(), {{"content", content}}).hint(), "/txn: came before");
}

// A proxy's or a client's compression would else be taken for the text itself.
TEST_F(Refusals, OfAnEncodedBodyNameTheEncoding)
{
    const auto send = [&](const std::string& path, const std::string& encoding,
                          const std::string& type = "application/json") {
        const json body{{"txn", uuid(1)}, {"content", {{"n", 1}}}};
        return room.rig.post_text(path, body.dump(), type, room.alice.access, encoding);
    };
    for (const auto* encoding : {"gzip", "br", "identity, gzip"}) {
        const auto answer = send(messages(), encoding);
        EXPECT_EQ(answer.status, 415) << encoding;
        EXPECT_EQ(answer.code(), "unsupported") << encoding;
        EXPECT_EQ(answer.hint(), "bodies are sent without a Content-Encoding");
    }
    EXPECT_EQ(send("/api/v1/media", "gzip", "text/plain").status, 415);
    EXPECT_EQ(send("/api/v1/auth/login", "deflate").status, 415);
    EXPECT_EQ(send(messages(), "Identity").status, 201);
    EXPECT_EQ(send("/api/v1/media", "identity", "text/plain").status, 201);
}

}  // namespace
}  // namespace entente::api::testing
