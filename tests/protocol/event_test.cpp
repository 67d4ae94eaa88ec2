#include "protocol/event.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "protocol/json_rules.hpp"
#include "tests/protocol/log_support.hpp"
#include "tests/protocol/strict.hpp"

namespace entente::protocol {
namespace {

Code event_code(std::string_view octets)
{
    const auto event = parse_channel_event(octets, strict);
    return event ? Code::internal : event.error().code;
}

TEST(Event, IdsAreThoseOfAnotherImplementation)
{
    EXPECT_EQ(to_base64url(event_id(golden::event)), golden::event_id);
    EXPECT_EQ(to_base64url(content_hash(golden::content)), golden::content_id);
}

TEST(Event, ParsingGivesEveryMember)
{
    const auto event = parse_channel_event(golden::event, strict);
    ASSERT_TRUE(event) << event.error().detail;
    EXPECT_EQ(event->octets, golden::event);
    EXPECT_EQ(to_base64url(event->id), golden::event_id);
    EXPECT_EQ(event->type, "message.create");
    EXPECT_EQ(event->channel, golden::channel);
    EXPECT_EQ(event->sender.text, "bob@b.example");
    EXPECT_EQ(event->sender.server.str(), "b.example");
    EXPECT_FALSE(event->sender.is_server);
    EXPECT_EQ(event->device->str(), "01234567-89ab-4def-8123-456789abcdef");
    EXPECT_EQ(event->txn.str(), "0192f0c1-7b1a-7c3d-8e4f-ba9876543210");
    EXPECT_EQ(event->at, 1763683200123);
    EXPECT_EQ(to_base64url(event->content_hash), golden::content_id);
    EXPECT_FALSE(event->target);
    EXPECT_TRUE(check_content(*event, golden::content));
}

TEST(Event, WritingGivesTheGoldenOctets)
{
    EventDraft draft;
    draft.type = "message.create";
    draft.channel = golden::channel;
    draft.sender = "bob@b.example";
    draft.device = *parse_uuid("01234567-89ab-4def-8123-456789abcdef");
    draft.txn = *parse_uuid("0192f0c1-7b1a-7c3d-8e4f-ba9876543210");
    draft.at = 1763683200123;
    draft.content = golden::content;
    EXPECT_EQ(write_event(draft), golden::event);
}

// [EVT-1]
TEST(Event, AHomeSpeaksByItsBareName)
{
    const auto event =
        parse_channel_event(replaced(golden::event, "bob@b.example", "a.example"), strict);
    ASSERT_TRUE(event);
    EXPECT_TRUE(event->sender.is_server);
    EXPECT_EQ(event->sender.server.str(), "a.example");
}

// [EVT-3] [VER-1]
TEST(Event, UnknownMembersAreIgnored)
{
    const auto event =
        parse_channel_event(replaced(golden::event, "{", R"({"later":{"a":[1]},)"), strict);
    EXPECT_TRUE(event);
}

TEST(Event, EachRequiredMemberMustBeThere)
{
    for (const std::string name : {"v", "type", "channel", "sender", "txn", "at", "content"}) {
        const auto octets = replaced(golden::event, '"' + name + "\":", "\"x" + name + "\":");
        EXPECT_EQ(event_code(octets), Code::malformed) << name;
    }
}

// [EVT-8] [EVT-9] [NAME-2]
TEST(Event, MembersOfAWrongFormAreMalformed)
{
    const std::pair<std::string_view, std::string_view> changes[] = {
        {R"("v":1)", R"("v":2)"},
        {R"("v":1)", R"("v":"1")"},
        {R"("type":"message.create")", R"("type":"")"},
        {R"("type":"message.create")", R"("type":5)"},
        {R"("sender":"bob@b.example")", R"("sender":"Bob@b.example")"},
        {R"("sender":"bob@b.example")", R"("sender":"@b.example")"},
        {R"("sender":"bob@b.example")", R"("sender":null)"},
        {R"("device":"01234567-)", R"("device":"0123456-)"},
        {R"("device":"01234567-89ab-4def-8123-456789abcdef")", R"("device":null)"},
        {R"("txn":"0192f0c1)", R"("txn":"0192F0c1)"},
        {R"("at":1763683200123)", R"("at":-1)"},
        {R"("at":1763683200123)", R"("at":1.5)"},
        {R"("at":1763683200123)", R"("at":"1")"},
        {R"("content":"isTV)", R"("content":"isT)"},
        {R"("at":)", R"("target":"short","at":)"},
        {R"("at":)", R"("to":"bob@b.example","at":)"},
        {R"("at":)", R"("at":1,"at":)"},
        {"@a.example", "@a.test"},
    };
    for (const auto& [from, to] : changes) {
        const auto octets = replaced(golden::event, from, to);
        ASSERT_NE(octets, golden::event) << from;
        EXPECT_EQ(event_code(octets), Code::malformed) << to;
    }
    EXPECT_EQ(event_code(""), Code::malformed);
    EXPECT_EQ(event_code("[]"), Code::malformed);
}

// [EVT-8] [INBOX-4]
TEST(Event, ADirectEventHasToInPlaceOfChannel)
{
    const auto to_user =
        replaced(golden::event, R"("channel":"0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example")",
                 R"("to":"carol@c.example")");
    const auto event = parse_direct_event(to_user, strict);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->to, "carol@c.example");
    EXPECT_FALSE(event->channel);
    EXPECT_TRUE(parse_direct_event(replaced(to_user, "carol@", ""), strict));
    EXPECT_FALSE(parse_direct_event(replaced(to_user, "carol@c", "carol@"), strict));
    EXPECT_FALSE(parse_direct_event(golden::event, strict));
    EXPECT_FALSE(parse_direct_event(replaced(to_user, "{", R"({"channel":1,)"), strict));
    EXPECT_FALSE(parse_channel_event(to_user, strict));
}

// Pads an unknown member until the event has `size` octets.
std::string event_of_size(std::size_t size)
{
    const auto padded = replaced(golden::event, "{", R"({"pad":"",)");
    return replaced(padded, R"("pad":")", R"("pad":")" + std::string(size - padded.size(), 'x'));
}

TEST(Event, TheSizeLimitHoldsFromBothSides)
{
    ASSERT_EQ(event_of_size(max_event_octets).size(), max_event_octets);
    EXPECT_TRUE(parse_channel_event(event_of_size(max_event_octets), strict));
    EXPECT_EQ(event_code(event_of_size(max_event_octets + 1)), Code::too_large);
    const auto followed = parse_followed_event(event_of_size(max_event_octets + 1), strict);
    ASSERT_FALSE(followed);
    EXPECT_EQ(followed.error().code, Code::too_large);
}

// An event made for this content, so that only the content is on trial.
Event event_for(std::string_view content)
{
    return *parse_channel_event(
        replaced(golden::event, golden::content_id, to_base64url(content_hash(content))), strict);
}

Code content_code(std::string_view content)
{
    const auto checked = check_content(event_for(content), content);
    return checked ? Code::internal : checked.error().code;
}

TEST(Content, EventAndContentShareALimit)
{
    const auto event_octets = event_for("").octets.size();
    const std::string start = R"({"salt":"AAECAwQFBgcICQoLDA0ODw","text":")";
    const auto content_of = [&](std::size_t both) {
        return start + std::string(both - event_octets - start.size() - 2, 'x') + "\"}";
    };
    const auto largest = content_of(max_event_and_content_octets);
    EXPECT_TRUE(check_content(event_for(largest), largest));
    EXPECT_EQ(content_code(content_of(max_event_and_content_octets + 1)), Code::too_large);
}

// [EVT-6]
TEST(Content, WithoutAGoodSaltItIsMalformed)
{
    EXPECT_EQ(content_code(golden::content), Code::internal);
    EXPECT_EQ(content_code(R"({"text":"hello"})"), Code::malformed);
    EXPECT_EQ(content_code(R"({"salt":5})"), Code::malformed);
    EXPECT_EQ(content_code(R"({"salt":"AAECAwQFBgcICQoLDA0O"})"), Code::malformed);   // 15 octets
    EXPECT_EQ(content_code(R"({"salt":"AAECAwQFBgcICQoLDA0ODw"})"), Code::internal);  // 16
    EXPECT_EQ(content_code(R"({"salt":"AAECAwQFBgcICQoLDA0ODx"})"), Code::malformed);
    EXPECT_EQ(content_code(R"(["AAECAwQFBgcICQoLDA0ODw"])"), Code::malformed);
    EXPECT_EQ(content_code(R"({"salt":"AAECAwQFBgcICQoLDA0ODw","a":1,"a":2})"), Code::malformed);
    EXPECT_EQ(content_code(R"({"salt":"AAECAwQFBgcICQoLDA0ODw","a":1.0})"), Code::malformed);
    EXPECT_EQ(content_code(""), Code::malformed);
}

// [EVT-6]
TEST(Content, AnotherHashIsMalformed)
{
    const auto checked =
        check_content(event_for(golden::content), R"({"salt":"AAECAwQFBgcICQoLDA0ODw"})");
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, Code::malformed);
}

TEST(FollowedEvent, AGoodEventHasNoBreach)
{
    const auto followed = parse_followed_event(golden::event, strict);
    ASSERT_TRUE(followed);
    EXPECT_EQ(followed->breach, "");
    EXPECT_EQ(followed->event.type, "message.create");
}

// [LOG-1] [EVT-4]
TEST(FollowedEvent, ABreachOfFormIsTakenAndMarked)
{
    const std::pair<std::string_view, std::string_view> changes[] = {
        {R"("v":1)", R"("v":1.5)"},
        {R"("v":1)", R"("v":1e999)"},
        {R"("v":1)", R"("v":-0)"},
        {R"("v":1)", R"("v":99999999999999999999)"},
        {R"("type":"message.create",)", ""},
        {R"("type":"message.create")", R"("type":"a","type":"b")"},
        {R"("type":"message.create")", R"("type":"\ud800")"},
        {R"("txn":"0192f0c1)", R"("txn":"0192F0c1)"},
        {R"("at":)", R"("to":"bob@b.example","at":)"},
        {R"("at":)",
         R"("deep":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[{"a":[{},[],1]}]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],"at":)"},
    };
    for (const auto& [from, to] : changes) {
        const auto octets = replaced(golden::event, from, to);
        ASSERT_NE(octets, golden::event) << from;
        const auto followed = parse_followed_event(octets, strict);
        ASSERT_TRUE(followed) << to << followed.error().detail;
        EXPECT_NE(followed->breach, "") << to;
        EXPECT_EQ(followed->event.octets, octets);
        EXPECT_EQ(followed->event.id, event_id(octets));
        EXPECT_EQ(followed->event.channel, golden::channel);
        EXPECT_EQ(followed->event.sender.text, "bob@b.example");
    }
}

TEST(FollowedEvent, WhatCanBeReadOfABrokenOneIsRead)
{
    const auto followed =
        parse_followed_event(replaced(golden::event, R"("v":1)", R"("v":"\u00e9")"), strict);
    ASSERT_TRUE(followed);
    const auto whole = parse_channel_event(golden::event, strict);
    EXPECT_EQ(followed->event.type, whole->type);
    EXPECT_EQ(followed->event.txn, whole->txn);
    EXPECT_EQ(followed->event.at, whole->at);
    EXPECT_EQ(followed->event.device, whole->device);
    EXPECT_EQ(followed->event.content_hash, whole->content_hash);
}

// [LOG-1]
TEST(FollowedEvent, WithoutOneChannelAndOneSenderItIsRefused)
{
    const std::pair<std::string_view, std::string_view> changes[] = {
        {R"("channel":)", R"("chan":)"},
        {R"("channel":)", R"("channel":"x","channel":)"},
        {R"("channel":)", R"("ch\u0061nnel":"x","channel":)"},
        {R"("sender":)", R"("sender":"bob@b.example","sender":)"},
        {R"("sender":"bob@b.example")", R"("sender":"nobody")"},
        {R"("sender":"bob@b.example")", R"("sender":["bob@b.example"])"},
        {R"("v":1)", R"("v":01)"},
        {R"("v":1)", R"("v":1,)"},
        {R"("v":1)", R"("v":[1,])"},
        {R"("v":1)", R"("v":[1})"},
        {R"("v":1)", R"("v":{"a"})"},
        {R"("v":1)", R"("v":+1)"},
        {R"("v":1)", R"("v":1.)"},
        {R"("v":1)", R"("v":"\x")"},
        {R"("v":1)", "\"v\":\"\t\""},
        {R"("v":1)", "\"v\":\"\xff\""},
        {R"("v":1)", "\"v\":[["},
    };
    for (const auto& [from, to] : changes) {
        const auto followed = parse_followed_event(replaced(golden::event, from, to), strict);
        ASSERT_FALSE(followed) << to;
        EXPECT_EQ(followed.error().code, Code::malformed);
    }
    EXPECT_FALSE(parse_followed_event(std::string(golden::event) + "x", strict));
    EXPECT_FALSE(parse_followed_event("", strict));
}

RC_GTEST_PROP(Event, WhatIsWrittenIsReadAgain,
              (std::string type_octets, bool has_device, bool has_target))
{
    std::string type = "x";
    for (const char c : type_octets) type += static_cast<char>(c & 0x7f);
    EventDraft draft;
    draft.type = type;
    draft.channel = golden::channel;
    draft.sender = *rc::gen::element<std::string>("bob@b.example", "a.example");
    draft.at = *rc::gen::inRange<Millis>(0, max_json_integer);
    const auto octets = *rc::gen::arbitrary<std::array<std::uint8_t, 16>>();
    draft.txn.octets = octets;
    if (has_device) draft.device = Uuid{octets};
    if (has_target) draft.target = sha256("target");
    draft.content = golden::content;

    const auto event = parse_channel_event(write_event(draft), strict);
    RC_ASSERT(event.has_value());
    RC_ASSERT(event->type == draft.type);
    RC_ASSERT(event->sender.text == draft.sender);
    RC_ASSERT(event->at == draft.at);
    RC_ASSERT(event->txn == draft.txn);
    RC_ASSERT(event->device == draft.device);
    RC_ASSERT(event->target == draft.target);
    RC_ASSERT(event->content_hash == content_hash(golden::content));
}

}  // namespace
}  // namespace entente::protocol
