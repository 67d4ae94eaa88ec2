#include "protocol/raw_json.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include "protocol/event.hpp"
#include "protocol/json_rules.hpp"
#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {
namespace {

using nlohmann::json;

json some_json(int depth)
{
    switch (*rc::gen::inRange(0, depth > 0 ? 6 : 4)) {
        case 0: return *rc::gen::inRange<std::int64_t>(-max_json_integer, max_json_integer);
        case 1: return *rc::gen::string<std::string>();
        case 2: return *rc::gen::arbitrary<bool>();
        case 3: return nullptr;
        case 4: {
            auto list = json::array();
            for (int i = *rc::gen::inRange(0, 4); i > 0; --i) list.push_back(some_json(depth - 1));
            return list;
        }
        default: {
            auto object = json::object();
            for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
                object[*rc::gen::string<std::string>()] = some_json(depth - 1);
            return object;
        }
    }
}

// What the library sees, read by way of our items.
void compare(std::string_view text, const json& value)
{
    if (value.is_string()) {
        RC_ASSERT(raw::is_string(text));
        RC_ASSERT(raw::unescaped(text) == value.get<std::string>());
    } else if (value.is_object()) {
        RC_ASSERT(raw::is_object(text));
        std::size_t members = 0;
        for (raw::Items items{text}; items.next(); ++members) {
            RC_ASSERT(value.contains(items.name()));
            RC_ASSERT(items.is_named(items.name()));
            compare(items.value(), value.at(items.name()));
        }
        RC_ASSERT(members == value.size());
    } else if (value.is_array()) {
        RC_ASSERT(raw::is_array(text));
        std::size_t index = 0;
        for (raw::Items items{text}; items.next(); ++index) compare(items.value(), value.at(index));
        RC_ASSERT(index == value.size());
    } else if (value.is_number()) {
        RC_ASSERT(raw::integer(text) == value.get<std::int64_t>());
    } else {
        RC_ASSERT(text == value.dump());
    }
}

RC_GTEST_PROP(RawJson, SaysWhatALibrarySays, ())
{
    const auto value = some_json(4);
    const bool ascii = *rc::gen::arbitrary<bool>();
    const auto text =
        value.dump(*rc::gen::element(-1, 0, 2), ' ', ascii, json::error_handler_t::replace);
    RC_PRE(check_json(text).has_value());
    compare(text, json::parse(text));
}

TEST(RawJson, ResolvesEveryEscape)
{
    const std::string literal = R"("\"\\\/\b\f\n\r\t\u0041\u00e4\u20ac\ud83d\ude00")";
    EXPECT_EQ(raw::unescaped(literal), json::parse(literal).get<std::string>());
}

TEST(RawJson, KnowsANameWithEscapes)
{
    raw::Items items{R"({"\u0074xn":1})"};
    ASSERT_TRUE(items.next());
    EXPECT_TRUE(items.is_named("txn"));
    EXPECT_FALSE(items.is_named("\\u0074xn"));
}

RC_GTEST_PROP(RawJson, ReadsNothingOutsideOfAnyText, (const std::string& text))
{
    std::size_t steps = 0;
    for (raw::Items items{text}; items.next() && steps <= text.size(); ++steps)
        static_cast<void>(items.name());
    RC_ASSERT(steps <= text.size());
}

TEST(WrittenEvents, AreWhatReadingThemGives)
{
    const NameRules rules{true};
    CountingRandom random{1};
    EventDraft draft;
    draft.type = "message.create";
    draft.channel = make_channel_id(ServerName::trusted("a.example"), 1'763'683'200'000, random);
    draft.sender = "alice@a.example";
    draft.device = parse_uuid("018f3a5e-0000-7000-8000-000000000001").value();
    draft.txn = parse_uuid("018f3a5e-0000-7000-8000-000000000002").value();
    draft.at = 1'763'683'200'123;
    draft.content = R"({"salt":"AAAAAAAAAAAAAAAAAAAAAA","text":"hello"})";
    draft.target = event_id("another event");
    const auto made = make_channel_event(draft, UserId::trusted(draft.sender)).value();
    const auto read = parse_channel_event(made.octets, rules);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->octets, made.octets);
    EXPECT_EQ(read->id, made.id);
    EXPECT_EQ(read->type, made.type);
    EXPECT_EQ(read->channel, made.channel);
    EXPECT_EQ(read->sender.text, made.sender.text);
    EXPECT_EQ(read->sender.server, made.sender.server);
    EXPECT_EQ(read->sender.is_server, made.sender.is_server);
    EXPECT_EQ(read->device, made.device);
    EXPECT_EQ(read->txn, made.txn);
    EXPECT_EQ(read->at, made.at);
    EXPECT_EQ(read->content_hash, made.content_hash);
    EXPECT_EQ(read->target, made.target);
    EXPECT_TRUE(check_content(made, R"({"salt":"AAAAAAAAAAAAAAAAAAAAAA","text":"hello"})"));
}

}  // namespace
}  // namespace entente::protocol
