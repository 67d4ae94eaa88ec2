// What a socket's device is told of erased contents, and what it tells of itself.
#include "room.hpp"
#include "socket_client.hpp"

namespace entente::api::testing {
namespace {

TEST(Cursors, WhatWaitsForASocketIsReadAnewOnceItsContentIsErased)
{
    Room room;
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send(room.follow(0));
    EXPECT_EQ(socket.read_seqs(1), run_of(1, 1));
    room.commit(1);
    EXPECT_EQ(socket.read_seqs(1), run_of(2, 2));
    room.rig.on_io([&] {
        auto& channels = room.rig.channels;
        // Both before the socket is written to: the first still waits when the second comes.
        channels.commit(room.id, "alice@a.test", "message.create", {R"({"text":"secret"})"});
        auto& erased = channels.logs.at(room.id).entries.back();
        erased.content.reset();
        erased.deleted_by = 4;
        channels.commit(room.id, "alice@a.test", "message.delete", {"{}"});
    });
    std::vector<json> entries;
    while (entries.size() < 2) {
        const auto frame = socket.read_until("entries");
        for (const auto& entry : frame["entries"]) entries.push_back(entry);
    }
    EXPECT_EQ(entries[0]["seq"], 3);
    EXPECT_TRUE(entries[0]["content"].is_null()) << entries[0];
    EXPECT_EQ(entries[0]["deleted_by"], 4);
    EXPECT_EQ(entries[1]["seq"], 4);
    room.commit(1);
    EXPECT_EQ(socket.read_seqs(1), run_of(5, 5));
}

TEST(Cursors, ADeviceSaysHowFarItIsByFollowingAndByAcknowledging)
{
    Room room;
    room.commit(6);
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    const auto said = [&] {
        std::vector<std::int64_t> seqs;
        room.rig.on_io([&] {
            for (const auto& [user, channel, seq] : room.rig.channels.acknowledged) {
                EXPECT_EQ(user, room.alice.user);
                EXPECT_EQ(channel, room.channel);
                seqs.push_back(seq);
            }
        });
        return seqs;
    };
    socket.send(room.follow(0));
    EXPECT_EQ(socket.read_seqs(7), run_of(1, 7));
    EXPECT_EQ(said(), std::vector<std::int64_t>{});
    socket.send({{"have", {{room.channel, 7}}}, {"ping", true}});
    socket.read_until("pong");
    EXPECT_EQ(said(), std::vector<std::int64_t>{7});
    SocketClient later{room.rig.port(), room.rig.ticket(room.alice)};
    later.send(room.follow(5));
    EXPECT_EQ(later.read_seqs(2), run_of(6, 7));
    EXPECT_EQ(said(), (std::vector<std::int64_t>{7, 5}));
    SocketClient fresh{room.rig.port(), room.rig.ticket(room.alice)};
    fresh.send({{"follow", "all"}});
    fresh.read_until("following");
    EXPECT_EQ(said(), (std::vector<std::int64_t>{7, 5, 7}));
    socket.send({{"have", 7}});
    EXPECT_EQ(socket.read_until("problem")["problem"]["detail"],
              "/have: an object of channels is needed");
}

}  // namespace
}  // namespace entente::api::testing
