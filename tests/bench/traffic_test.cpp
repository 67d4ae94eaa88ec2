// What a bench has to find: messages that got lost, came twice, late or changed. The
// servers are played here, in the words of docs/reference/client-api.md.
#include "tests/bench/traffic.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace entente::bench {
namespace {

using nlohmann::json;

constexpr std::size_t writer = 0, reader = 1;

class TrafficTest : public ::testing::Test {
 protected:
    // The posts that the writer has sent since the last call.
    std::vector<json> posts() { return std::exchange(posts_, {}); }
    void open(std::size_t window, std::size_t posts_a_frame = 500)
    {
        const auto send = [this](std::size_t socket, std::string_view frame) {
            EXPECT_EQ(socket, writer);
            ++frames_;
            const auto sent = json::parse(frame.substr(frame.find('{')));
            for (const auto& post : sent.at("posts")) posts_.push_back(post);
        };
        const FlowPlan plan{"c@a.test", writer, {reader}, window};
        traffic_ = std::make_unique<Traffic>(2, send, std::vector{plan}, posts_a_frame);
        traffic_->keep_latencies(true);
        traffic_->open();
    }
    void say(std::size_t socket, const json& frame)
    {
        traffic_->take(socket, frame.dump(), wall_now());
    }
    static std::string id_of(const json& post)
    {
        const std::string txn = post.at("txn");
        return txn.substr(txn.size() - 8) + std::string(35, 'x');
    }
    void result(const json& post, const std::string& status)
    {
        // As a server orders the members.
        nlohmann::ordered_json one{
            {"txn", post.at("txn")}, {"event", id_of(post)}, {"status", status}};
        traffic_->take(writer, nlohmann::ordered_json{{"results", {one}}}.dump(), wall_now());
    }
    void state(const json& post, const std::string& status)
    {
        nlohmann::ordered_json one{
            {"channel", "c@a.test"}, {"event", id_of(post)}, {"status", status}};
        traffic_->take(writer, nlohmann::ordered_json{{"state", {one}}}.dump(), wall_now());
    }
    void entry(const json& post, std::int64_t seq, const std::string& text = {})
    {
        nlohmann::ordered_json event{{"v", 1}, {"type", "message.create"}, {"channel", "c@a.test"}};
        event["txn"] = post.at("txn");
        nlohmann::ordered_json content{{"salt", "s"}};
        content["text"] = text.empty() ? post.at("content").at("text").get<std::string>() : text;
        nlohmann::ordered_json one{{"channel", "c@a.test"},
                                   {"seq", seq},
                                   {"at", "now"},
                                   {"id", id_of(post)},
                                   {"event", event}};
        one["content"] = content;
        traffic_->take(reader, nlohmann::ordered_json{{"entries", {one}}}.dump(), wall_now());
    }

    std::unique_ptr<Traffic> traffic_;
    std::size_t frames_ = 0;

 private:
    std::vector<json> posts_;
};

TEST_F(TrafficTest, AMessageIsDoneOnceItIsAcceptedAndReadAndMakesRoomForTheNext)
{
    open(2);
    const auto first = posts();
    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(first[0].at("content").at("text").get<std::string>().size(), text_octets);
    EXPECT_NE(first[0].at("txn"), first[1].at("txn"));

    result(first[0], "accepted");
    EXPECT_EQ(traffic_->done(), 0);
    entry(first[0], 7);
    EXPECT_EQ(traffic_->done(), 1);
    traffic_->send_waiting();
    EXPECT_EQ(posts().size(), 1U);

    entry(first[1], 8);
    EXPECT_EQ(traffic_->done(), 1);
    result(first[1], "pending");
    EXPECT_EQ(traffic_->done(), 1);
    state(first[1], "accepted");
    EXPECT_EQ(traffic_->done(), 2);
    EXPECT_EQ(traffic_->latencies().size(), 2U);
}

TEST_F(TrafficTest, AStateMayComeBeforeTheResultThatNamesTheEvent)
{
    open(1);
    const auto post = posts().at(0);
    entry(post, 1);
    state(post, "accepted");
    EXPECT_EQ(traffic_->done(), 0);
    result(post, "pending");
    EXPECT_EQ(traffic_->done(), 1);
    EXPECT_FALSE(traffic_->judge().any());
}

TEST_F(TrafficTest, AFrameHasAtMostSoManyPosts)
{
    open(10, 4);
    EXPECT_EQ(posts().size(), 10U);
    EXPECT_EQ(frames_, 3U);
}

TEST_F(TrafficTest, WhatIsStillUnderWayIsLost)
{
    open(3);
    const auto sent = posts();
    result(sent[0], "accepted");
    entry(sent[0], 1);
    result(sent[1], "accepted");
    entry(sent[2], 2);
    EXPECT_EQ(traffic_->judge().lost, 2);
}

TEST_F(TrafficTest, AnEntryThatComesTwiceIsDoubled)
{
    open(2);
    const auto sent = posts();
    entry(sent[0], 1);
    EXPECT_EQ(traffic_->judge().doubled, 0);
    entry(sent[0], 2);
    EXPECT_EQ(traffic_->judge().doubled, 1);
}

TEST_F(TrafficTest, AnAcceptanceThatComesTwiceIsDoubled)
{
    open(1);
    const auto post = posts().at(0);
    result(post, "accepted");
    result(post, "accepted");
    EXPECT_EQ(traffic_->judge().doubled, 1);
}

TEST_F(TrafficTest, AnEntryBeforeTheOneThatItFollowsIsOutOfOrder)
{
    open(3);
    const auto sent = posts();
    entry(sent[1], 1);
    EXPECT_EQ(traffic_->judge().out_of_order, 1);
}

TEST_F(TrafficTest, ASequenceThatDoesntRiseIsOutOfOrder)
{
    open(2);
    const auto sent = posts();
    entry(sent[0], 9);
    entry(sent[1], 9);
    EXPECT_EQ(traffic_->judge().out_of_order, 1);
}

TEST_F(TrafficTest, AnotherTextOrAnUnknownMessageIsChanged)
{
    open(2);
    const auto sent = posts();
    std::string text = sent[0].at("content").at("text");
    text.back() = '!';
    entry(sent[0], 1, text);
    EXPECT_EQ(traffic_->judge().changed, 1);
    auto unknown = sent[1];
    std::string txn = unknown.at("txn");
    txn.back() = '9';
    unknown["txn"] = txn;
    entry(unknown, 2);
    EXPECT_EQ(traffic_->judge().changed, 2);
}

TEST_F(TrafficTest, ARefusalAProblemAndAResyncAreFaults)
{
    open(2);
    const auto sent = posts();
    nlohmann::ordered_json refused{
        {"txn", sent[0].at("txn")}, {"status", "refused"}, {"problem", "full"}};
    traffic_->take(writer, nlohmann::ordered_json{{"results", {refused}}}.dump(), wall_now());
    EXPECT_EQ(traffic_->judge().refused, 1);
    result(sent[1], "pending");
    state(sent[1], "rejected");
    EXPECT_EQ(traffic_->judge().refused, 2);
    say(reader, {{"problem", json::object()}});
    EXPECT_EQ(traffic_->judge().refused, 3);
    say(reader, {{"resync", true}});
    EXPECT_EQ(traffic_->judge().resyncs, 1);
}

TEST_F(TrafficTest, EntriesOfOthersAreLeftAlone)
{
    open(1);
    const auto post = posts().at(0);
    auto other = post;
    other["txn"] = "01934c00-0000-7000-8000-000000000000";
    entry(other, 1);
    EXPECT_FALSE(traffic_->judge().changed > 0);
    result(post, "accepted");
    entry(post, 2);
    EXPECT_EQ(traffic_->done(), 1);
    EXPECT_FALSE(traffic_->judge().any());
}

}  // namespace
}  // namespace entente::bench
