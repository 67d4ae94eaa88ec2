// The API's small parts, without a server.
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "api/access_token.hpp"
#include "api/client_frame.hpp"
#include "api/json_body.hpp"
#include "api/metrics.hpp"
#include "api/out_queue.hpp"
#include "api/rates.hpp"
#include "api/wire.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/slice.hpp"

namespace entente::api {
namespace {

const protocol::SigningKey& key()
{
    static const auto made = [] {
        protocol::start_crypto();
        return protocol::SigningKey::from_seed(std::string(32, 'k')).value();
    }();
    return made;
}

AccessClaims some_claims()
{
    AccessClaims claims;
    claims.subject = "alice@a.example";
    claims.key = key().id();
    claims.role = "user";
    claims.issued = 1'000;
    claims.expires = 1'900;
    return claims;
}

RC_GTEST_PROP(AccessToken, WhatIsWrittenIsRead, ())
{
    auto claims = some_claims();
    for (auto& octet : claims.device.octets) octet = *rc::gen::arbitrary<std::uint8_t>();
    for (auto& octet : claims.session.octets) octet = *rc::gen::arbitrary<std::uint8_t>();
    claims.role = *rc::gen::element<std::string>("user", "admin", "superadmin");
    claims.expires = *rc::gen::inRange<std::int64_t>(2, 9'000'000'000);
    const auto token = write_access_token(key(), claims);
    const auto read = check_access_token(token, key().public_key(), claims.expires - 1);
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->subject == claims.subject);
    RC_ASSERT(read->device == claims.device);
    RC_ASSERT(read->session == claims.session);
    RC_ASSERT(read->key == claims.key);
    RC_ASSERT(read->role == claims.role);
    RC_ASSERT(read->expires == claims.expires);
    RC_ASSERT(!check_access_token(token, key().public_key(), claims.expires));
}

RC_GTEST_PROP(AccessToken, AnyChangedOctetIsRefused, ())
{
    const auto token = write_access_token(key(), some_claims());
    auto changed = token;
    const auto at = *rc::gen::inRange<std::size_t>(0, token.size());
    changed[at] = *rc::gen::arbitrary<char>();
    RC_PRE(changed != token);
    RC_ASSERT(!check_access_token(changed, key().public_key(), 1'500));
}

TEST(AccessToken, AnotherKeysTokenIsRefused)
{
    const auto other = protocol::SigningKey::from_seed(std::string(32, 'o')).value();
    const auto token = write_access_token(other, some_claims());
    EXPECT_TRUE(check_access_token(token, other.public_key(), 1'500));
    const auto refused = check_access_token(token, key().public_key(), 1'500);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unauthenticated);
}

TEST(AccessToken, ItIsAtMost2048OctetsLong)
{
    auto claims = some_claims();
    const auto size_with = [&](std::size_t subject) {
        claims.subject = std::string(subject, 'a');
        return write_access_token(key(), claims);
    };
    std::size_t subject = 1;
    while (size_with(subject + 1).size() <= max_access_token_octets) ++subject;
    EXPECT_TRUE(check_access_token(size_with(subject), key().public_key(), 1'500));
    EXPECT_FALSE(check_access_token(size_with(subject + 1), key().public_key(), 1'500));
}

TEST(Rates, ABurstIsSpentAndRefills)
{
    Rates rates{{2, 3}, 10};
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(rates.take("a", 0));
    EXPECT_EQ(rates.take("a", 0).error().code, Code::rate_limited);
    EXPECT_EQ(rates.take("a", 0).error().retry_after, 1);
    EXPECT_FALSE(rates.take("a", 499));
    EXPECT_TRUE(rates.take("a", 500));
    EXPECT_FALSE(rates.take("a", 500));
    EXPECT_TRUE(rates.take("b", 500));
}

TEST(Rates, AClockSetBackRefillsNothing)
{
    Rates rates{{1, 1}, 10};
    EXPECT_TRUE(rates.take("a", 10'000));
    EXPECT_FALSE(rates.take("a", 5'000));
    EXPECT_FALSE(rates.take("a", 5'999));
    EXPECT_TRUE(rates.take("a", 6'000));
}

TEST(Rates, TheNumberOfKeysIsBounded)
{
    Rates rates{{1, 2}, 100};
    for (int i = 0; i < 10'000; ++i) {
        EXPECT_TRUE(rates.take(std::to_string(i), i));
        EXPECT_LE(rates.size(), 100U);
    }
}

std::shared_ptr<const QueuedEntries> queued(const char* channel, std::int64_t first,
                                            std::string json)
{
    return std::make_shared<QueuedEntries>(
        QueuedEntries{protocol::ChannelId::trusted(channel), first, first, std::move(json)});
}

TEST(OutQueue, DropsOfAChannelWhatEndsAtASeqAndNothingElse)
{
    protocol::SharedRoom room(queue_room);
    OutQueue queue(room);
    const auto a = protocol::ChannelId::trusted("a");
    queue.push_entries(queued("a", 4, R"({"a":4})"));
    queue.push_entries(queued("b", 4, R"({"b":4})"));
    queue.push_entries(queued("a", 5, R"({"a":5})"));
    EXPECT_EQ(queue.drop_until(a, 3), 4);
    EXPECT_EQ(queue.drop_until(a, 4), 5);
    EXPECT_EQ(queue.take(), R"({"entries":[{"b":4},{"a":5}]})");
    queue.written();
    queue.push_entries(queued("a", 6, R"({"a":6})"));
    EXPECT_EQ(queue.drop_until(a, 6), std::nullopt);
    EXPECT_EQ(queue.octets(), 0U);
    EXPECT_EQ(queue.taken(), queue.pushed());
}

TEST(OutQueue, WhatWaitsOfAChannelIsTakenBackAndNothingElse)
{
    protocol::SharedRoom room(queue_room);
    OutQueue queue(room);
    queue.push_entries(queued("a", 4, R"({"a":4})"));
    queue.push_entries(queued("b", 9, R"({"b":9})"));
    queue.push_entries(queued("a", 5, R"({"a":5})"));
    EXPECT_EQ(queue.take_back(protocol::ChannelId::trusted("a")), 4);
    EXPECT_EQ(queue.take_back(protocol::ChannelId::trusted("a")), std::nullopt);
    EXPECT_LT(queue.taken(), queue.pushed());
    EXPECT_EQ(queue.take(), R"({"entries":[{"b":9}]})");
    queue.written();
    EXPECT_EQ(queue.octets(), 0U);
    // Who waits for what was pushed before waits for nothing that has been taken back.
    queue.push_entries(queued("a", 6, R"({"a":6})"));
    queue.take_back(protocol::ChannelId::trusted("a"));
    EXPECT_EQ(queue.taken(), queue.pushed());
    EXPECT_FALSE(queue.take());
}

TEST(OutQueue, GathersEntriesIntoOneFrame)
{
    protocol::SharedRoom room(queue_room);
    OutQueue queue(room);
    EXPECT_FALSE(queue.take());
    queue.push_entries(queued("a", 1, R"({"seq":1},{"seq":2})"));
    queue.push_entries(queued("a", 3, R"({"seq":3})"));
    EXPECT_EQ(queue.take(), R"({"entries":[{"seq":1},{"seq":2},{"seq":3}]})");
    queue.written();
    EXPECT_EQ(queue.octets(), 0U);
    EXPECT_FALSE(queue.take());
}

TEST(OutQueue, OverflowLeavesNothingButAResync)
{
    protocol::SharedRoom room(queue_room);
    OutQueue queue(room);
    const auto half = queued("a", 1, std::string(max_queue_octets / 2, 'x'));
    queue.push_entries(half);
    EXPECT_TRUE(queue.fits(half->json.size()));
    queue.push_entries(half);
    EXPECT_EQ(queue.octets(), max_queue_octets);
    EXPECT_FALSE(queue.fits(1));
    EXPECT_FALSE(queue.push_frame("x"));
    EXPECT_EQ(queue.octets(), 0U);
    EXPECT_EQ(queue.pushed(), queue.taken());
    EXPECT_EQ(queue.take(), R"({"resync":true})");
    queue.written();
    EXPECT_FALSE(queue.take());
}

TEST(OutQueue, AFrameUnderWayCounts)
{
    protocol::SharedRoom room(queue_room);
    OutQueue queue(room);
    EXPECT_TRUE(queue.push_frame(std::string(max_queue_octets, 'x')));
    ASSERT_TRUE(queue.take());
    EXPECT_FALSE(queue.push_frame("x"));
    queue.written();
    EXPECT_TRUE(queue.push_frame("x"));
}

TEST(OutQueue, WhoHoldsNothingFindsRoomWhereOthersHoldAllTheyMay)
{
    protocol::SharedRoom room(queue_room);
    std::vector<std::unique_ptr<OutQueue>> greedy;
    const auto large = queued("a", 1, std::string(max_queue_octets, 'x'));
    while (room.held() < plenty_queue_octets) {
        auto& queue = *greedy.emplace_back(std::make_unique<OutQueue>(room));
        ASSERT_TRUE(queue.fits(large->json.size()));
        queue.push_entries(large);
    }
    EXPECT_LE(room.held(), plenty_queue_octets + max_queue_octets);

    OutQueue late(room);
    EXPECT_EQ(late.most(), least_queue_octets);
    EXPECT_TRUE(late.push_frame(std::string(least_queue_octets, 'x')));
    EXPECT_FALSE(late.fits(1));
    EXPECT_FALSE(greedy.front()->fits(1));

    greedy.resize(greedy.size() / 2);
    EXPECT_EQ(late.most(), max_queue_octets);
    EXPECT_TRUE(late.fits(1));
}

TEST(OutQueue, WhatGoesWithItsSocketGivesItsRoomBack)
{
    protocol::SharedRoom room(queue_room);
    {
        OutQueue queue(room);
        EXPECT_TRUE(queue.push_frame("a frame"));
        EXPECT_TRUE(queue.push_state("{}"));
        EXPECT_TRUE(queue.push_delivered("channel", "server", 3));
        EXPECT_TRUE(queue.take());
        EXPECT_GT(room.held(), 0U);
    }
    EXPECT_EQ(room.held(), 0U);
}

TEST(Metrics, AreWrittenAsPrometheusReadsThem)
{
    Metrics metrics;
    metrics.counter("b_total", "Bees.", "kind=\"x\"").add(3);
    EXPECT_EQ(metrics.counter("b_total", "Bees.", "kind=\"x\"").value(), 3U);
    metrics.ask("a", "Now.", "gauge", "", [] { return 1.5; });
    auto& seconds = metrics.histogram("c_seconds", "Time.");
    seconds.observe(0.001);
    seconds.observe(0.002);
    seconds.observe(99);
    const auto text = metrics.text();
    EXPECT_TRUE(
        text.starts_with("# HELP a Now.\n# TYPE a gauge\na 1.5\n# HELP b_total Bees.\n"
                         "# TYPE b_total counter\nb_total{kind=\"x\"} 3\n"))
        << text;
    EXPECT_NE(text.find("c_seconds_bucket{le=\"0.001\"} 1\nc_seconds_bucket{le=\"0.005\"} 2\n"),
              std::string::npos);
    EXPECT_NE(
        text.find("c_seconds_bucket{le=\"+Inf\"} 3\nc_seconds_sum 99.003\nc_seconds_count 3\n"),
        std::string::npos);
}

TEST(Wire, TimesAreRfc3339WithMilliseconds)
{
    EXPECT_EQ(time_text(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(time_text(1'709'164'799'999), "2024-02-28T23:59:59.999Z");
    EXPECT_EQ(time_text(1'709'164'800'001), "2024-02-29T00:00:00.001Z");
}

TEST(Wire, AChannelThatStandsStillSaysSoAndNoOtherDoes)
{
    federation::ChannelSummary channel;
    EXPECT_EQ(summary_json(channel).find("stalled"), std::string::npos);
    channel.stalled = federation::Stalled{0, Error{Code::malformed, "inner", {}, 0}};
    const auto text = summary_json(channel);
    EXPECT_NE(text.find(R"("stalled":{"since":"1970-01-01T00:00:00.000Z","problem":{"type":)"
                        R"("urn:entente:problem:malformed")"),
              std::string::npos)
        << text;
    EXPECT_EQ(text.find("inner"), std::string::npos);
}

TEST(Wire, AnEntrySaysItsMarksInOrder)
{
    const auto channel =
        protocol::ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example");
    federation::ClientEntry entry;
    entry.event = "{}";
    EXPECT_EQ(entry_json(channel, entry).find("marks"), std::string::npos);
    entry.marks = protocol::bit(protocol::Mark::withheld) | protocol::bit(protocol::Mark::late);
    EXPECT_NE(entry_json(channel, entry).find(R"("marks":["late","withheld"])"), std::string::npos);
    entry.marks = 0xff;
    EXPECT_NE(entry_json(channel, entry)
                  .find(R"("marks":["late","key-revoked","key-retired","no-effect","unverified",)"
                        R"("withheld"])"),
              std::string::npos);
}

// [LOG-1] A hostile home's entries are held whatever they are; nothing in them becomes part of
// another entry.
TEST(Wire, WhatBreaksTheJsonRulesIsNotEmbedded)
{
    const auto channel =
        protocol::ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example");
    federation::ClientEntry entry;
    entry.event = R"({"v":1})";
    entry.content = R"( {"text":"hello"})";
    EXPECT_NE(entry_json(channel, entry).find(R"("event":{"v":1},"content": {"text":"hello"})"),
              std::string::npos);
    for (const auto* content :
         {R"({}},{"seq":1,"event":{"sender":"alice@a.example"},"content":{"text":"forged"})",
          R"(null,"marks":[],"content":{"text":"forged"})", "]", "", R"({"text":"forged)",
          R"({"text":"forged","text":"forged"})", R"("forged")", R"(["forged"])",
          R"({"text":"forged\ud800"})"}) {
        entry.content = content;
        const auto text = entry_json(channel, entry);
        EXPECT_NE(text.find(R"("event":{"v":1},"content":null})"), std::string::npos) << text;
        EXPECT_TRUE(protocol::check_json(text)) << text;
    }
    entry.content = R"({"text":"hello"})";
    for (const auto* event : {R"({"v":1,"x":"\ud800"})", R"({"v":1,"v":1})", R"({"v":1.5})", ""}) {
        entry.event = event;
        const auto text = entry_json(channel, entry);
        EXPECT_NE(text.find(R"("event":{},"content":{"text":"hello"}})"), std::string::npos)
            << text;
    }
}

TEST(Wire, OnlyWhatIsOverdueSaysSo)
{
    federation::Delivery delivery;
    EXPECT_EQ(delivery_json(delivery, 0).find("overdue"), std::string::npos);
    delivery.overdue = true;
    EXPECT_NE(delivery_json(delivery, 0).find(R"("status":"pending","overdue":true)"),
              std::string::npos);
}

TEST(Segment, IsPercentDecodedOrRefused)
{
    EXPECT_EQ(decode_segment("a%40b"), "a@b");
    EXPECT_EQ(decode_segment("%c3%A4"), "\xc3\xa4");
    for (const auto* bad : {"%", "%4", "%g0", "%0g"}) EXPECT_FALSE(decode_segment(bad)) << bad;
}

RC_GTEST_PROP(ClientFrame, AnyOctetsAreReadOrRefused, (const std::string& text))
{
    const auto frame = parse_client_frame(text, {});
    if (!frame) {
        const auto code = frame.error().code;
        RC_ASSERT(code == Code::malformed || code == Code::too_large);
    }
}

const std::string a_channel = "019aa3b5-ec00-7001-8001-000000000001@a.example";

TEST(ClientFrame, SignalsAreReadByChannel)
{
    const auto frame =
        parse_client_frame(R"({"typing":{")" + a_channel + R"(":false},"presence":{")" + a_channel +
                               R"(":"away"},"read":{")" + a_channel + R"(":41}})",
                           {});
    ASSERT_TRUE(frame) << frame.error().hint;
    ASSERT_EQ(frame->signals.size(), 3U);
    EXPECT_EQ(frame->signals[0].type, protocol::SignalType::typing);
    EXPECT_FALSE(frame->signals[0].on);
    EXPECT_EQ(frame->signals[1].status, "away");
    EXPECT_EQ(frame->signals[2].seq, 41);
    EXPECT_EQ(frame->signals[2].channel.str(), a_channel);
}

TEST(ClientFrame, ASignalOfAWrongValueIsRefusedByName)
{
    const auto hint = [](const std::string& type, const std::string& value) {
        const auto frame =
            parse_client_frame("{\"" + type + "\":{\"" + a_channel + "\":" + value + "}}", {});
        return frame ? std::string() : frame.error().hint;
    };
    EXPECT_EQ(hint("typing", "true"), "");
    EXPECT_EQ(hint("typing", "1"), "/typing/" + a_channel + ": not a value of its type");
    EXPECT_EQ(hint("presence", "\"bored\""),
              "/presence/" + a_channel + ": not a value of its type");
    EXPECT_EQ(hint("read", "-1"), "/read/" + a_channel + ": not a value of its type");
}

TEST(ClientFrame, AHundredSignalsAreInAFrameAtMost)
{
    const auto frame = [](std::size_t count) {
        std::string text = R"({"typing":{)";
        for (std::size_t i = 0; i < count; ++i) {
            auto id = a_channel;
            id[35] = static_cast<char>('0' + i % 10);
            id[34] = static_cast<char>('0' + i / 10 % 10);
            id[33] = static_cast<char>('0' + i / 100);
            text += (i > 0 ? ",\"" : "\"") + id + "\":true";
        }
        return parse_client_frame(text + "}}", {});
    };
    EXPECT_TRUE(frame(max_signals_a_frame));
    const auto over = frame(max_signals_a_frame + 1);
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, Code::too_large);
}

}  // namespace
}  // namespace entente::api
