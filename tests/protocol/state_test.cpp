#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include "protocol/channel_state.hpp"
#include "protocol/json_rules.hpp"
#include "tests/protocol/log_support.hpp"
#include "tests/protocol/strict.hpp"
#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {
namespace {

ChannelState golden_state()
{
    ChannelState state;
    state.kind = "group";
    state.name = "Rüm \"x\"\n€/😀";
    state.topic = "\x01\x7f";
    state.retention = "days:30";
    state.successors = {"c.example", "b.example"};
    state.home = "a.example";
    state.members = {{"bob@b.example", Role::member}, {"alice@a.example", Role::owner}};
    state.invited = {"dave@a.example", "carol@c.example"};
    state.banned = {"mallory@c.example"};
    return state;
}

const std::string golden_json =
    R"({"avatar":"","banned":["mallory@c.example"],"encryption":"none","history":"since-join",)"
    R"("home":"a.example","invited":["carol@c.example","dave@a.example"],"kind":"group",)"
    R"("members":[["alice@a.example","owner"],["bob@b.example","member"]],)"
    R"("name":"Rüm \"x\"\n€/😀","public":false,"retention":"days:30",)"
    R"("successors":["c.example","b.example"],"topic":"\u0001)"
    "\x7f\"}";

TEST(State, ItsJsonAndHashAreThoseOfAnotherImplementation)
{
    EXPECT_EQ(state_json(golden_state()), golden_json);
    EXPECT_EQ(to_base64url(state_hash(golden_json)), golden::state_id);
}

TEST(State, ReadingGivesItBack)
{
    const auto state = parse_state(golden_json, strict);
    ASSERT_TRUE(state) << state.error().detail;
    EXPECT_EQ(*state, golden_state());
    EXPECT_TRUE(state->index.fits(*state));
    EXPECT_EQ(state->index.octets(), golden_json.size());
    EXPECT_EQ(state->index.owners(), 1U);
}

TEST(State, WhatIsNotCanonicalIsRefused)
{
    const std::pair<std::string_view, std::string_view> changes[] = {
        {R"("avatar":"",)", ""},
        {R"("topic")", R"("aaa":1,"topic")"},
        {R"("topic")", R"("zzz":1,"topic")"},
        {R"({"avatar")", R"({ "avatar")"},
        {R"("kind":"group")", R"("kind":"room")"},
        {R"("kind":"group")", R"("kind":"")"},
        {R"("public":false)", R"("public":0)"},
        {R"(["carol@c.example","dave@a.example"])", R"(["dave@a.example","carol@c.example"])"},
        {R"(["carol@c.example","dave@a.example"])", R"(["carol@c.example","carol@c.example"])"},
        {R"("dave@a.example")", R"("mallory@c.example")"},
        {R"("dave@a.example")", R"("Dave@a.example")"},
        {R"("mallory@c.example")", R"("alice@a.example")"},
        {R"("owner")", R"("king")"},
        {R"(,"owner"])", R"(,"owner",1])"},
        {R"("home":"a.example")", R"("home":"")"},
        {R"("days:30")", R"("days:030")"},
        {R"("none")", R"("No")"},
        {R"("since-join")", R"("later")"},
        {R"(["c.example","b.example"])", R"(["c.example","c.example"])"},
        {"€", R"(\u20ac)"},
        {R"(\n)", R"(\u000a)"},
    };
    for (const auto& [from, to] : changes) {
        const auto changed = replaced(golden_json, from, to);
        ASSERT_NE(changed, golden_json) << from;
        const auto state = parse_state(changed, strict);
        ASSERT_FALSE(state) << to;
        EXPECT_EQ(state.error().code, Code::malformed);
    }
    EXPECT_FALSE(parse_state("", strict));
    EXPECT_FALSE(parse_state("[]", strict));
}

TEST(State, TheSizeLimitHoldsFromBothSides)
{
    auto state = golden_state();
    state.topic.clear();
    state.topic.assign(max_state_octets - state_json(state).size(), 'x');
    const auto largest = state_json(state);
    ASSERT_EQ(largest.size(), max_state_octets);
    EXPECT_TRUE(parse_state(largest, strict));
    state.topic += 'x';
    const auto larger = parse_state(state_json(state), strict);
    ASSERT_FALSE(larger);
    EXPECT_EQ(larger.error().code, Code::too_large);
}

TEST(State, EveryRoleHasATextThatLeadsBack)
{
    for (const auto role : {Role::member, Role::moderator, Role::owner}) {
        EXPECT_EQ(role_from(to_text(role)), role);
    }
    EXPECT_EQ(role_from("Owner"), std::nullopt);
}

void gather_strings(const nlohmann::json& value, std::vector<std::string>& out)
{
    if (value.is_string()) out.push_back(value.get<std::string>());
    if (value.is_array()) {
        for (const auto& item : value) gather_strings(item, out);
    }
    if (!value.is_object()) return;
    for (const auto& [name, item] : value.items()) {
        out.push_back(name);
        gather_strings(item, out);
    }
}

TEST(State, StringsAreSpelledAsInThePublicJcsVectors)
{
    const auto folder = vectors_folder();
    if (!folder) GTEST_SKIP() << "ENTENTE_VECTORS is not set: the JCS vectors were not run";
    std::size_t spelled = 0;
    for (const auto& file : std::filesystem::directory_iterator(*folder / "jcs" / "output")) {
        const auto canonical = read_file(file.path());
        std::vector<std::string> strings;
        gather_strings(nlohmann::json::parse(canonical), strings);
        for (const auto& text : strings) {
            ChannelState state = golden_state();
            state.name = text;
            const auto json = state_json(state);
            const auto from = json.find(R"("name":)") + 7;
            const auto literal = json.substr(from, json.find(R"(,"public")") - from);
            EXPECT_NE(canonical.find(literal), std::string::npos) << file.path() << ": " << literal;
            ++spelled;
        }
    }
    EXPECT_GT(spelled, 20U);
}

// Random histories: the running size is always the real one, and what is written can be
// read again.
RC_GTEST_PROP(State, AnyHistoryKeepsIndexAndFormTrue, ())
{
    const std::vector<std::string> users{"a1@a.example", "a2@a.example", "b1@b.example",
                                         "c1@c.example"};
    const std::vector<std::string> types{"member.invite", "member.join",   "member.leave",
                                         "member.kick",   "member.ban",    "member.unban",
                                         "member.role",   "channel.update"};
    const auto home = ServerName::trusted("a.example");
    ChannelState state;
    Event event;
    event.channel = golden::channel;
    const auto apply = [&](std::int64_t seq, const std::string& type, const std::string& sender,
                           const std::string& content) {
        event.type = type;
        event.sender.text = sender;
        event.sender.server = ServerName::trusted(sender.substr(sender.find('@') + 1));
        event.sender.is_server = sender == home.str();
        const auto servers = state.servers();
        const auto change = apply_event(state, event, content, seq, 1, std::nullopt, strict);
        if (change && change->first_of_server && type == "member.join") {
            RC_ASSERT(state.has_member_of(event.sender.server));
        }
        if (change && change->last_of_server) {
            RC_ASSERT(!state.has_member_of(ServerName::trusted(change->left_server)));
        }
    };
    apply(1, "channel.create", users[0], R"({"kind":"group"})");
    const auto steps = *rc::gen::inRange(0, 60);
    for (int seq = 2; seq < steps; ++seq) {
        const auto sender = *rc::gen::elementOf(
            std::vector<std::string>{users[0], users[1], users[2], users[3], home.str()});
        const auto content =
            R"({"user":")" + *rc::gen::elementOf(users) + R"(","role":")" +
            *rc::gen::element<std::string>("member", "moderator", "owner") + R"(","name":)" +
            json_string(*rc::gen::element<std::string>("", "é\n", "xyz")) + R"(,"public":)" +
            *rc::gen::element<std::string>("true", "false") + "}";
        apply(seq, *rc::gen::elementOf(types), sender, content);
        const auto json = state_json(state);
        RC_ASSERT(state.index.fits(state));
        RC_ASSERT(state.index.octets() == json.size());
        const auto read = parse_state(json, strict);
        RC_ASSERT(read.has_value());
        RC_ASSERT(*read == state);
        RC_ASSERT(read->index.owners() == state.index.owners());
        RC_ASSERT(read->index.servers() == state.index.servers());
    }
}

}  // namespace
}  // namespace entente::protocol
