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

}  // namespace
}  // namespace entente::api::testing
