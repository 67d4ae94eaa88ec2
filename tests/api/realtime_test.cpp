// The WebSocket: order, reconnects, posts, slow readers, sessions that end.
#include "room.hpp"
#include "socket_client.hpp"

namespace entente::api::testing {
namespace {

TEST(Realtime, ATicketOpensOneSocketWithinThirtySeconds)
{
    Room room;
    const auto ticket = room.rig.ticket(room.alice);
    EXPECT_EQ(SocketClient(room.rig.port(), ticket).status(), 101);
    EXPECT_EQ(SocketClient(room.rig.port(), ticket).status(), 401);
    EXPECT_EQ(SocketClient(room.rig.port(), "none").status(), 401);
    const auto in_time = room.rig.ticket(room.alice);
    const auto late = room.rig.ticket(room.alice);
    room.rig.clock.advance_s(29);
    EXPECT_EQ(SocketClient(room.rig.port(), in_time).status(), 101);
    room.rig.clock.advance_s(1);
    EXPECT_EQ(SocketClient(room.rig.port(), late).status(), 401);
}

TEST(Realtime, ATicketOfAnEndedSessionOpensNothing)
{
    Room room;
    const auto ticket = room.rig.ticket(room.alice);
    room.rig.post("/api/v1/auth/logout", json::object(), room.alice.access);
    EXPECT_EQ(SocketClient(room.rig.port(), ticket).status(), 401);
}

TEST(Realtime, AFollowerGetsEveryEntryBehindItsCursorInOrder)
{
    Room room;
    room.commit(20);
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send(room.follow(5));
    EXPECT_EQ(socket.read_seqs(16), run_of(6, 21));
    for (int i = 0; i < 10; ++i) room.commit(3);
    EXPECT_EQ(socket.read_seqs(30), run_of(22, 51));
}

TEST(Realtime, WhatIsCommittedWhileAPageIsReadIsNotMissed)
{
    Room room;
    room.rig.on_io([&] {
        room.rig.channels.while_reading = [&] {
            // Memberships may have changed: another page is read.
            room.rig.channels.commit(room.id, "carol@a.test", "member.leave", {"{}", "{}"});
            // And again while that page, which then is the last, is read.
            room.rig.channels.while_reading = [&] {
                room.rig.channels.commit(room.id, "alice@a.test", "message.create", {"{}"});
            };
        };
    });
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send(room.follow(0));
    EXPECT_EQ(socket.read_seqs(4), run_of(1, 4));
    room.commit(1);
    EXPECT_EQ(socket.read_seqs(1), run_of(5, 5));
}

// What happens while a page is read, each time.
struct Pages {
    Pages(Room& read, std::vector<std::string> committed)
        : room(read), contents(std::move(committed))
    {
        room.rig.on_io([&] { arm(); });
    }
    void arm()
    {
        room.rig.channels.while_reading = [this] {
            ++count;
            // Else a reader that goes on reading pages would do so for ever.
            if (count == 20) return;
            if (!contents.empty())
                room.rig.channels.commit(room.id, "alice@a.test", "message.create", contents);
            arm();
        };
    }
    int so_far()
    {
        int counted = 0;
        room.rig.on_io([&] { counted = count; });
        return counted;
    }
    Room& room;
    std::vector<std::string> contents;
    int count = 0;
};

TEST(Realtime, ABusyChannelIsFollowedLiveThoughSomethingIsCommittedDuringEachPage)
{
    Room room;
    Pages pages(room, {"{}", "{}"});
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send(room.follow(0));
    EXPECT_EQ(socket.read_seqs(3), run_of(1, 3));
    room.commit(3);
    EXPECT_EQ(socket.read_seqs(3), run_of(4, 6));
    EXPECT_EQ(pages.so_far(), 1);
}

TEST(Realtime, WhereMembershipsMayHaveChangedOneMorePageIsReadBeforeItGoesOnLive)
{
    Room room;
    Pages pages(room, {"{}"});
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send(room.follow(0));
    EXPECT_EQ(socket.read_seqs(2), run_of(1, 2));
    room.rig.on_io([&] {
        pages.contents.clear();
        room.rig.channels.commit(room.id, "carol@a.test", "member.leave", {"{}"});
    });
    EXPECT_EQ(socket.read_seqs(1), run_of(3, 3));
    room.commit(1);
    EXPECT_EQ(socket.read_seqs(1), run_of(4, 4));
    EXPECT_EQ(pages.so_far(), 3);
}

TEST(Realtime, AReconnectMissesNothingAndRepeatsNothing)
{
    Room room;
    std::vector<std::int64_t> seen;
    for (int round = 0; round < 5; ++round) {
        SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
        socket.send(room.follow(seen.empty() ? 0 : seen.back()));
        room.commit(7);
        for (const auto seq : socket.read_seqs(5)) seen.push_back(seq);
    }
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send(room.follow(seen.back()));
    const auto last = seen.back();
    for (const auto seq : socket.read_seqs(static_cast<std::size_t>(36 - last)))
        seen.push_back(seq);
    EXPECT_EQ(seen, run_of(1, 36));
}

TEST(Realtime, AllFromNowFollowsWhatIsJoinedLater)
{
    Room room;
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send({{"follow", "all"}});
    const auto following = socket.read_until("following");
    EXPECT_EQ(following["following"], (json{{room.channel, 1}}));
    room.commit(1);
    EXPECT_EQ(socket.read_seqs(1), run_of(2, 2));
    room.rig.post(channels_path, {{"txn", uuid(101)}, {"name", "second"}}, room.alice.access);
    const auto entries = socket.read_until("entries");
    EXPECT_EQ(entries["entries"][0]["seq"], 1);
    EXPECT_NE(entries["entries"][0]["channel"], room.channel);
}

TEST(Realtime, PostsAreAnsweredByOneArrayOfResultsInOrder)
{
    Room room;
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    json elsewhere = room.message(3);
    elsewhere["channel"] = "0192f0c1-0000-7000-8000-999999999999@a.test";
    json no_content = room.message(4);
    no_content.erase("content");
    socket.send(
        {{"posts", {room.message(1), room.message(2), elsewhere, no_content, 7, room.message(1)}}});
    const auto results = socket.read_until("results")["results"];
    ASSERT_EQ(results.size(), 6U);
    EXPECT_EQ(results[0]["txn"], uuid(1));
    EXPECT_EQ(results[0]["status"], "accepted");
    EXPECT_EQ(results[0]["seq"], 2);
    EXPECT_EQ(results[1]["seq"], 3);
    EXPECT_EQ(results[2]["status"], "refused");
    EXPECT_EQ(results[2]["problem"]["status"], 404);
    EXPECT_EQ(results[3]["problem"]["detail"], "/posts/3/content: is required");
    EXPECT_EQ(results[4]["problem"]["detail"], "/posts/4: an object is needed");
    EXPECT_EQ(results[5]["event"], results[0]["event"]);
    EXPECT_EQ(results[5]["seq"], 2);
}

TEST(Realtime, AFrameHoldsAThousandPosts)
{
    Room room;
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    json posts = json::array();
    for (int i = 0; i < 1000; ++i) posts.push_back(room.message(i));
    socket.send({{"posts", posts}});
    // In as many frames as there are commits.
    std::size_t answered = 0;
    while (answered < 1000) answered += socket.read_until("results")["results"].size();
    EXPECT_EQ(answered, 1000U);
    posts.push_back(room.message(1000));
    socket.send({{"posts", posts}});
    EXPECT_EQ(socket.read_until("problem")["problem"]["status"], 413);
}

TEST(Realtime, PoliciesAreToldWhoPosts)
{
    Room room;
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send({{"posts", {room.message(1)}}});
    EXPECT_EQ(socket.read_until("results")["results"][0]["status"], "accepted");
    const auto& posters = room.rig.channels.posters;
    ASSERT_EQ(posters.size(), 1U);
    EXPECT_EQ(posters[0].role, trust::policy::ServerRole::user);
    EXPECT_EQ(posters[0].network, "127.0.0.1");
    EXPECT_GT(posters[0].since, 0);
}

TEST(Realtime, EachPostIsChargedToTheUser)
{
    auto options = roomy_options();
    options.user = {1, 4};
    Room room{options};                                                 // one request
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};  // another
    socket.send({{"posts", {room.message(1), room.message(2), room.message(3)}}});
    const auto results = socket.read_until("results")["results"];
    EXPECT_EQ(results[1]["status"], "accepted");
    EXPECT_EQ(results[2]["status"], "refused");
    EXPECT_EQ(results[2]["problem"]["type"], "urn:entente:problem:rate-limited");
    EXPECT_EQ(results[2]["problem"]["retry_after"], 1);
}

TEST(Realtime, ABadFrameIsAnsweredAndTheSocketGoesOn)
{
    Room room;
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send_text("{");
    EXPECT_EQ(socket.read_until("problem")["problem"]["status"], 400);
    socket.send_text(R"({"follow":{"x":1}})");
    EXPECT_EQ(socket.read_until("problem")["problem"]["detail"], "/follow: a name is no channel");
    socket.send({{"posts", 1}});
    EXPECT_EQ(socket.read_until("problem")["problem"]["detail"], "/posts: an array is needed");
    socket.send(room.follow(-1));
    EXPECT_EQ(socket.read_until("problem")["problem"]["status"], 400);
    socket.send({{"unknown", true}});
    socket.send({{"ping", true}});
    EXPECT_EQ(socket.read_until("pong")["pong"], true);
}

TEST(Realtime, WhoIsNoMemberIsToldSo)
{
    Room room;
    const auto bob = room.rig.person("bob");
    SocketClient socket{room.rig.port(), room.rig.ticket(bob)};
    socket.send(room.follow(0));
    const auto told = socket.read_until("unfollowed")["unfollowed"];
    EXPECT_EQ(told["channel"], room.channel);
    EXPECT_EQ(told["problem"]["status"], 404);
    room.commit(1);
    socket.send({{"ping", true}});
    socket.read_until("pong");
    for (const auto& frame : socket.passed) EXPECT_FALSE(frame.contains("entries"));
}

TEST(Realtime, WhoLeavesGetsNothingOfTheSameCommitBehindIt)
{
    Room room;
    const auto bob = room.rig.person("bob");
    room.rig.on_io([&] { room.rig.channels.logs.at(room.id).members.insert("bob@a.test"); });
    SocketClient socket{room.rig.port(), room.rig.ticket(bob)};
    socket.send(room.follow(0));
    EXPECT_EQ(socket.read_seqs(1), run_of(1, 1));
    room.commit(1);
    EXPECT_EQ(socket.read_seqs(1), run_of(2, 2));
    room.rig.on_io([&] {
        room.rig.channels.logs.at(room.id).members.erase("bob@a.test");
        room.rig.channels.commit(room.id, "bob@a.test", "member.leave", {"{}", "{}"});
    });
    room.commit(1);
    socket.read_until("unfollowed");
    for (const auto& frame : socket.passed) EXPECT_FALSE(frame.contains("entries"));
}

TEST(Realtime, DeliveryAndInvitationsArePushed)
{
    Room room;
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send(room.follow(0));
    socket.read_seqs(1);
    const auto b = protocol::ServerName::trusted("b.test");
    room.rig.on_io([&] {
        auto& hub = room.rig.channels.listener();
        const auto alice = protocol::UserId::trusted("alice@a.test");
        federation::Posted posted;
        posted.state = federation::DeliveryState::rejected;
        posted.problem = Error{Code::forbidden, "inner", "", 0};
        hub.delivery_changed(room.id, alice, posted);
        hub.delivered_to(room.id, b, 4);
        hub.delivered_to(room.id, b, 9);
        hub.membership_changed(alice);
    });
    const auto state = socket.read_until("state")["state"];
    EXPECT_EQ(state[0]["status"], "rejected");
    EXPECT_EQ(state[0]["problem"]["type"], "urn:entente:problem:forbidden");
    EXPECT_EQ(state[0].dump().find("inner"), std::string::npos);
    const json last{{"channel", room.channel}, {"server", "b.test"}, {"delivered", 9}};
    EXPECT_EQ(state.back(), last);
    EXPECT_EQ(socket.read_until("request")["request"], true);
}

TEST(Realtime, AChannelThatStandsStillIsToldToThoseWhoFollowIt)
{
    Room room;
    const auto bob = room.rig.person("bob");
    SocketClient other{room.rig.port(), room.rig.ticket(bob)};
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send(room.follow(0));
    socket.read_seqs(1);
    other.send({{"ping", true}});
    other.read_until("pong");
    const federation::Stalled stalled{1'763'683'200'123,
                                      Error{Code::signature_invalid, "inner", {}, 0}};
    room.rig.on_io([&] { room.rig.channels.listener().channel_stalled(room.id, stalled); });
    const auto told = socket.read_until("state")["state"];
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0]["channel"], room.channel);
    EXPECT_EQ(told[0]["stalled"]["since"], "2025-11-21T00:00:00.123Z");
    EXPECT_EQ(told[0]["stalled"]["problem"]["type"], "urn:entente:problem:signature-invalid");
    EXPECT_EQ(told.dump().find("inner"), std::string::npos);
    room.rig.on_io([&] { room.rig.channels.listener().channel_stalled(room.id, std::nullopt); });
    const json over = json::array({{{"channel", room.channel}, {"stalled", nullptr}}});
    EXPECT_EQ(socket.read_until("state")["state"], over);
    other.send({{"ping", true}});
    other.read_until("pong");
    for (const auto& frame : other.passed) EXPECT_FALSE(frame.contains("state"));
}

TEST(Realtime, AFreezeAndItsEndAreToldToThoseWhoFollowTheChannel)
{
    Room room;
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send(room.follow(0));
    socket.read_seqs(1);
    for (const bool frozen : {true, false}) {
        room.rig.on_io([&] { room.rig.channels.listener().channel_frozen(room.id, frozen); });
        const json told = json::array({{{"channel", room.channel}, {"frozen", frozen}}});
        EXPECT_EQ(socket.read_until("state")["state"], told);
    }
}

// An own event that waits for a week, as the federation floor tells it.
federation::Delivery overdue_in(const Room& room, std::uint8_t number)
{
    federation::Delivery late;
    late.channel = room.id;
    late.event_id[0] = number;
    late.overdue = true;
    return late;
}

json overdue_item(const Room& room, std::uint8_t number)
{
    protocol::Hash event{};
    event[0] = number;
    return {{"channel", room.channel},
            {"event", protocol::to_base64url(event)},
            {"status", "pending"},
            {"overdue", true}};
}

// [RETRY-1]
TEST(Realtime, WhatIsOverdueIsPushedToItsAuthor)
{
    Room room;
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send({{"ping", true}});
    socket.read_until("pong");
    room.rig.on_io([&] {
        const auto late = overdue_in(room, 7);
        const federation::Posted posted{late.event_id, late.state, 0, {}, true};
        room.rig.channels.listener().delivery_changed(
            room.id, protocol::UserId::trusted("alice@a.test"), posted);
    });
    EXPECT_EQ(socket.read_until("state")["state"], json::array({overdue_item(room, 7)}));
}

TEST(Realtime, WhoFollowsAllIsToldWhatIsOverdueAlready)
{
    Room room;
    room.rig.on_io([&] {
        room.rig.channels.late["alice@a.test"] = {overdue_in(room, 1), overdue_in(room, 2)};
    });
    const auto bob = room.rig.person("bob");
    SocketClient other{room.rig.port(), room.rig.ticket(bob)};
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    other.send({{"follow", "all"}});
    other.read_until("following");
    socket.send({{"follow", "all"}});
    const json both = json::array({overdue_item(room, 1), overdue_item(room, 2)});
    EXPECT_EQ(socket.read_until("state")["state"], both);
    // Once: a change of the list of channels isn't a new beginning.
    room.rig.post(channels_path, {{"txn", uuid(101)}, {"name", "second"}}, room.alice.access);
    socket.read_until("entries");
    for (int i = 0; i < 2; ++i) {
        socket.send({{"ping", true}});
        socket.read_until("pong");
        other.send({{"ping", true}});
        other.read_until("pong");
    }
    for (const auto& frame : socket.passed) EXPECT_FALSE(frame.contains("state"));
    for (const auto& frame : other.passed) EXPECT_FALSE(frame.contains("state"));
}

TEST(Realtime, WhatMovedMeanwhileIsNotToldAsOverdue)
{
    Room room;
    room.rig.on_io([&] {
        room.rig.channels.late["alice@a.test"] = {overdue_in(room, 1), overdue_in(room, 2)};
        room.rig.channels.while_reading_overdue = [&] {
            const federation::Posted posted{
                overdue_in(room, 1).event_id, federation::DeliveryState::accepted, 9, {}};
            room.rig.channels.listener().delivery_changed(
                room.id, protocol::UserId::trusted("alice@a.test"), posted);
        };
    });
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send({{"follow", "all"}});
    json items = json::array();
    while (items.size() < 2) {
        const auto frame = socket.read_until("state");
        for (const auto& item : frame["state"]) items.push_back(item);
    }
    EXPECT_EQ(items[0]["status"], "accepted");
    EXPECT_EQ(items[1], overdue_item(room, 2));
    socket.send({{"ping", true}});
    socket.read_until("pong");
    EXPECT_FALSE(socket.passed.back().contains("state"));
}

TEST(Realtime, ALogoutEndsTheSocket)
{
    Room room;
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send({{"ping", true}});
    socket.read_until("pong");
    room.rig.post("/api/v1/auth/logout", json::object(), room.alice.access);
    EXPECT_FALSE(socket.read());
}

TEST(Realtime, AReaderThatDoesNotKeepUpGetsEverythingAtItsOwnPace)
{
    Room room;
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice), 4096};
    socket.send(room.follow(0));
    EXPECT_EQ(socket.read_seqs(1), run_of(1, 1));
    // The second answer is written after the last page was read: from then on commits are
    // pushed, until more waits than the sockets' buffers and the queue hold together.
    for (int i = 0; i < 2; ++i) {
        socket.send({{"ping", true}});
        socket.read_until("pong");
    }
    constexpr int commits = 600;
    for (int i = 0; i < commits; ++i) room.commit(1, 30'000);
    EXPECT_EQ(socket.read_seqs(commits), run_of(2, commits + 1));
    for (const auto& frame : socket.passed) EXPECT_FALSE(frame.contains("resync"));
    room.commit(1);
    EXPECT_EQ(socket.read_seqs(1), run_of(commits + 2, commits + 2));
}

TEST(Realtime, WhoLeavesMoreStatesUnreadThanFitGetsAResyncAndGoesOnByCursor)
{
    Room room;
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice), 4096};
    socket.send(room.follow(0));
    EXPECT_EQ(socket.read_seqs(1), run_of(1, 1));
    // What has become of one's own events can't be had again from the log.
    constexpr int states = 100'000;
    room.rig.on_io([&] {
        Posted posted;
        posted.state = DeliveryState::accepted;
        for (posted.seq = 1; posted.seq <= states; ++posted.seq)
            room.rig.channels.listener().delivery_changed(
                room.id, protocol::UserId::trusted("alice@a.test"), posted);
    });
    socket.read_until("resync");
    room.commit(3);
    socket.send(room.follow(1));
    EXPECT_EQ(socket.read_seqs(3), run_of(2, 4));
}

TEST(Realtime, StoppingTheDaemonEndsOpenSockets)
{
    Room room;
    SocketClient socket{room.rig.port(), room.rig.ticket(room.alice)};
    socket.send(room.follow(0));
    socket.read_seqs(1);
    room.rig.restart();
    while (socket.read()) {
    }
    SocketClient again{room.rig.port(), room.rig.ticket(room.alice)};
    again.send(room.follow(0));
    EXPECT_EQ(again.read_seqs(1), run_of(1, 1));
}

}  // namespace
}  // namespace entente::api::testing
