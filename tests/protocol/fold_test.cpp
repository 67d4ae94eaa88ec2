// The table of section 8, cell by cell: who may do what, and what comes of it.
#include <gtest/gtest.h>

#include "protocol/channel_state.hpp"
#include "protocol/consent.hpp"
#include "tests/protocol/log_support.hpp"
#include "tests/protocol/strict.hpp"
#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {
namespace {

const ServerName fold_home = ServerName::trusted("a.example");

const std::string owner = "alice@a.example";
const std::string moderator = "mod@a.example";
const std::string member = "bob@b.example";
const std::string guest = "inv@c.example";    // invited
const std::string outcast = "ban@c.example";  // banned
const std::string stranger = "eve@e.example";
const std::string home_itself = "a.example";
const std::string other_server = "b.example";

ChannelState a_group()
{
    ChannelState state;
    state.kind = "group";
    state.home = fold_home.str();
    state.members = {{owner, Role::owner}, {moderator, Role::moderator}, {member, Role::member}};
    state.invited = {guest};
    state.banned = {outcast};
    return state;
}

Event event_of(const std::string& type, const std::string& sender)
{
    Event event;
    event.type = type;
    event.channel = golden::channel;
    event.sender.text = sender;
    event.sender.is_server = sender.find('@') == std::string::npos;
    event.sender.server = ServerName::trusted(sender.substr(sender.find('@') + 1));
    return event;
}

// The content's members besides the salt.
std::string with_salt(const std::string& members)
{
    return R"({"salt":"AAECAwQFBgcICQoLDA0ODw")" + (members.empty() ? "" : "," + members) + "}";
}

Result<StateChange> apply(ChannelState& state, const Event& event, const std::string& members,
                          std::int64_t seq = 9, std::optional<TargetFacts> target = std::nullopt)
{
    const auto before = state;
    auto change = apply_event(state, event, with_salt(members), seq, 1, target, strict);
    EXPECT_TRUE(change || state == before) << "a refused event must leave no trace";
    // The running size is what writing it all would give, whatever happened.
    EXPECT_TRUE(state.index.octets() == 0 || state.index.octets() == state_json(state).size());
    return change;
}

Result<StateChange> apply(ChannelState& state, const std::string& type, const std::string& sender,
                          const std::string& members)
{
    return apply(state, event_of(type, sender), members);
}

std::string user(const std::string& name)
{
    return R"("user":")" + name + '"';
}

constexpr auto ok = Code::internal;  // stands for success in the tables below

// What comes of one event upon a fresh group.
Code outcome(const std::string& type, const std::string& sender, const std::string& members)
{
    auto state = a_group();
    const auto change = apply(state, type, sender, members);
    return change ? ok : change.error().code;
}

struct Row {
    std::string type, members;
    // owner, moderator, member, invited, banned, stranger, home's bare name, another's
    std::array<Code, 8> expected;
};

// [MEM-1] [MEM-11] [LOG-7] [SUC-1]
TEST(Fold, EachTypeIsAllowedToWhomTheTableSays)
{
    constexpr auto no = Code::forbidden;
    constexpr auto out = Code::not_member;
    constexpr auto gone = Code::conflict;
    const Row rows[] = {
        {"channel.create", R"("kind":"group")", {no, no, no, no, no, no, no, no}},
        {"channel.update", R"("name":"n")", {ok, ok, no, out, out, out, ok, no}},
        {"channel.successors", R"("servers":[])", {ok, no, no, out, out, out, no, no}},
        {"member.invite", user("new@e.example"), {ok, ok, ok, out, out, out, no, no}},
        {"member.join", "", {gone, gone, gone, ok, no, no, no, no}},
        {"member.leave", "", {no, ok, ok, gone, gone, gone, no, no}},
        {"member.kick", user(member), {ok, ok, no, out, out, out, ok, no}},
        {"member.kick", user(moderator), {ok, no, no, out, out, out, ok, no}},
        {"member.kick", user(owner), {no, no, no, out, out, out, ok, no}},
        {"member.kick", user(guest), {ok, ok, no, out, out, out, ok, no}},
        {"member.ban", user(stranger), {ok, ok, no, out, out, out, ok, no}},
        {"member.ban", user(member), {ok, ok, no, out, out, out, ok, no}},
        {"member.ban", user(owner), {no, no, no, out, out, out, ok, no}},
        {"member.unban", user(outcast), {ok, ok, no, out, out, out, ok, no}},
        {"member.role",
         user(member) + R"(,"role":"moderator")",
         {ok, ok, no, out, out, out, no, no}},
        {"member.role", user(member) + R"(,"role":"owner")", {ok, no, no, out, out, out, no, no}},
        {"member.role",
         user(moderator) + R"(,"role":"member")",
         {ok, no, no, out, out, out, no, no}},
        {"member.role", user(owner) + R"(,"role":"member")", {no, no, no, out, out, out, no, no}},
        {"message.create", R"("text":"t")", {ok, ok, ok, out, out, out, no, no}},
        {"key.share", R"("ciphertexts":{})", {ok, ok, ok, out, out, out, no, no}},
        {"something.new", R"("a":1)", {ok, ok, ok, out, out, out, no, no}},
    };
    const std::array<std::string, 8> senders{owner,   moderator, member,      guest,
                                             outcast, stranger,  home_itself, other_server};
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < senders.size(); ++i) {
            EXPECT_EQ(outcome(row.type, senders[i], row.members), row.expected[i])
                << row.type << " " << row.members << " by " << senders[i];
        }
    }
}

// [MEM-5] [MEM-6] [MEM-10]
TEST(Fold, ContentOfAWrongTypeOrValueIsMalformed)
{
    const std::pair<std::string, std::string> cases[] = {
        {"channel.update", R"("name":5)"},
        {"channel.update", R"("public":"yes")"},
        {"channel.update", R"("history":"some")"},
        {"channel.update", R"("retention":"days:0")"},
        {"channel.update", R"("retention":"days:01")"},
        {"channel.update", R"("retention":"days:")"},
        {"channel.update", R"("retention":"days:-3")"},
        {"channel.update", R"("retention":"days:36501")"},
        {"channel.update", R"("encryption":"")"},
        {"channel.update", R"("encryption":"MLS")"},
        {"channel.update", R"("encryption":"aaaaaaaaaabbbbbbbbbbccccccccccddd")"},
        {"channel.update", R"("topic":null)"},
        {"channel.update", R"("avatar":[])"},
        {"channel.successors", ""},
        {"channel.successors", R"("servers":["nowhere"])"},
        {"channel.successors", R"("servers":["b.example","b.example"])"},
        {"member.invite", ""},
        {"member.invite", user("nobody")},
        {"member.kick", user("b.example")},
        {"member.kick", user(member) + R"(,"reason":5)"},
        {"member.role", user(member)},
        {"member.role", user(member) + R"(,"role":"king")"},
        {"message.create", ""},
        {"message.create", R"("text":5)"},
        {"message.create", R"("text":"t","ciphertext":"c","algorithm":"a")"},
        {"message.create", R"("ciphertext":"c")"},
        {"message.create", R"("text":"t","reply":"short")"},
        {"message.create", R"("text":"t","attachments":{})"},
        {"key.share", ""},
        {"key.share", R"("ciphertexts":[])"},
    };
    for (const auto& [type, members] : cases) {
        EXPECT_EQ(outcome(type, owner, members), Code::malformed) << type << " " << members;
    }
}

// [MEM-5] [MEM-6]
TEST(Fold, ContentOfARightValueIsTaken)
{
    const std::pair<std::string, std::string> cases[] = {
        {"channel.update", R"("retention":"days:1")"},
        {"channel.update", R"("retention":"days:36500")"},
        {"channel.update", R"("encryption":"aaaaaaaaaabbbbbbbbbbccccccccccdd")"},
        {"channel.update", ""},
        {"message.create", R"("ciphertext":"c","algorithm":"a")"},
        {"message.create",
         R"("text":"","attachments":[],"reply":")" + std::string(golden::entry_1) + '"'},
    };
    for (const auto& [type, members] : cases)
        EXPECT_EQ(outcome(type, owner, members), ok) << members;
}

// [SUC-1]
TEST(Fold, AChannelBeginsWithItsCreation)
{
    const auto create = [](const std::string& sender, const std::string& members,
                           std::int64_t seq = 1) {
        ChannelState state;
        const auto change = apply(state, event_of("channel.create", sender), members, seq);
        return std::pair{change ? ok : change.error().code, state};
    };
    const auto [code, state] = create(
        owner, R"("kind":"group","name":"n","public":true,"history":"all","retention":"relay",)"
               R"("encryption":"mls","successors":["c.example","b.example"])");
    ASSERT_EQ(code, ok);
    EXPECT_EQ(state.name, "n");
    EXPECT_TRUE(state.is_public);
    EXPECT_EQ(state.history, "all");
    EXPECT_EQ(state.retention, "relay");
    EXPECT_EQ(state.encryption, "mls");
    EXPECT_EQ(state.successors, (std::vector<std::string>{"c.example", "b.example"}));
    EXPECT_EQ(state.home, fold_home.str());
    EXPECT_EQ(state.members, (std::map<std::string, Role>{{owner, Role::owner}}));

    const auto plain = create(owner, R"("kind":"dm")").second;
    EXPECT_EQ(plain.history, "since-join");
    EXPECT_EQ(plain.retention, "keep");
    EXPECT_EQ(plain.encryption, "none");
    EXPECT_FALSE(plain.is_public);

    EXPECT_EQ(create(member, R"("kind":"group")").first, Code::forbidden);
    EXPECT_EQ(create(home_itself, R"("kind":"group")").first, Code::forbidden);
    EXPECT_EQ(create(owner, R"("kind":"group")", 2).first, Code::forbidden);
    EXPECT_EQ(create(owner, "").first, Code::malformed);
    EXPECT_EQ(create(owner, R"("kind":"room")").first, Code::malformed);
    EXPECT_EQ(create(owner, R"("kind":"dm","successors":"b.example")").first, Code::malformed);
}

TEST(Fold, BeforeItsCreationNothingElseIsTaken)
{
    ChannelState state;
    for (const std::string type : {"message.create", "member.join", "something.new"}) {
        const auto change = apply(state, type, owner, R"("text":"t")");
        ASSERT_FALSE(change);
        EXPECT_EQ(change.error().code, Code::not_member);
    }
}

TEST(Fold, AnInvitationIsClearedByTheJoin)
{
    auto state = a_group();
    const auto change = apply(state, "member.join", guest, "");
    ASSERT_TRUE(change);
    EXPECT_EQ(change->users, std::vector<std::string>{guest});
    EXPECT_TRUE(change->first_of_server);
    EXPECT_FALSE(change->meta);
    EXPECT_EQ(state.members.at(guest), Role::member);
    EXPECT_FALSE(state.invited.contains(guest));
    EXPECT_TRUE(state.has_member_of(ServerName::trusted("c.example")));
}

TEST(Fold, AnyoneJoinsAPublicChannelButTheBanned)
{
    auto state = a_group();
    state.is_public = true;
    EXPECT_TRUE(apply(state, "member.join", stranger, ""));
    EXPECT_EQ(apply(state, "member.join", outcast, "").error().code, Code::forbidden);
    const auto second = apply(state, "member.join", "second@b.example", "");
    ASSERT_TRUE(second);
    EXPECT_FALSE(second->first_of_server);
}

TEST(Fold, MembersAndTheBannedAreNotInvited)
{
    EXPECT_EQ(outcome("member.invite", owner, user(member)), Code::forbidden);
    EXPECT_EQ(outcome("member.invite", owner, user(outcast)), Code::forbidden);
    EXPECT_EQ(outcome("member.invite", owner, user(guest)), ok);  // again
}

// [MEM-9]
TEST(Fold, ADmHasTwo)
{
    ChannelState state;
    ASSERT_TRUE(apply(state, event_of("channel.create", owner), R"("kind":"dm")", 1));
    ASSERT_TRUE(apply(state, "member.invite", owner, user(member)));
    EXPECT_TRUE(apply(state, "member.invite", owner, user(member)));  // the same again
    EXPECT_EQ(apply(state, "member.invite", owner, user(stranger)).error().code, Code::forbidden);
    ASSERT_TRUE(apply(state, "member.join", member, ""));
    EXPECT_EQ(apply(state, "member.invite", owner, user(stranger)).error().code, Code::forbidden);
    ASSERT_TRUE(apply(state, "channel.update", owner, R"("public":true)"));
    EXPECT_EQ(apply(state, "member.join", stranger, "").error().code, Code::forbidden);
    ASSERT_TRUE(apply(state, "member.leave", member, ""));
    EXPECT_TRUE(apply(state, "member.invite", owner, user(stranger)));
}

// [MEM-1]
TEST(Fold, TheLastOwnerNamesAnotherBeforeLeaving)
{
    auto state = a_group();
    EXPECT_EQ(apply(state, "member.leave", owner, "").error().code, Code::forbidden);
    ASSERT_TRUE(apply(state, "member.role", owner, user(member) + R"(,"role":"owner")"));
    EXPECT_TRUE(apply(state, "member.leave", owner, ""));
    EXPECT_EQ(apply(state, "member.leave", member, "").error().code, Code::forbidden);
    const auto kicked = apply(state, "member.kick", member, user(moderator));
    ASSERT_TRUE(kicked);
    EXPECT_TRUE(kicked->last_of_server);
    EXPECT_EQ(kicked->left_server, "a.example");
    EXPECT_TRUE(apply(state, "member.leave", member, "")) << "alone, an owner may leave";
    EXPECT_TRUE(state.members.empty());
}

// [MEM-8]
TEST(Fold, KickAndBanClearMembershipAndInvitation)
{
    auto state = a_group();
    const auto kicked = apply(state, "member.kick", moderator, user(member) + R"(,"reason":"r")");
    ASSERT_TRUE(kicked);
    EXPECT_TRUE(kicked->last_of_server);
    EXPECT_EQ(kicked->left_server, "b.example");
    EXPECT_FALSE(state.is_member(member));
    EXPECT_FALSE(state.banned.contains(member));
    ASSERT_TRUE(apply(state, "member.ban", moderator, user(guest)));
    EXPECT_FALSE(state.invited.contains(guest));
    EXPECT_TRUE(state.banned.contains(guest));
    EXPECT_EQ(apply(state, "member.kick", moderator, user(stranger)).error().code, Code::not_found);
}

// [MEM-8]
TEST(Fold, UnbanClearsOnlyTheBan)
{
    auto state = a_group();
    ASSERT_TRUE(apply(state, "member.unban", moderator, user(outcast)));
    EXPECT_FALSE(state.banned.contains(outcast));
    EXPECT_FALSE(state.is_member(outcast));
    EXPECT_EQ(apply(state, "member.unban", moderator, user(outcast)).error().code, Code::not_found);
}

// [MEM-8]
TEST(Fold, RolesAreGivenToMembersOnly)
{
    EXPECT_EQ(outcome("member.role", owner, user(stranger) + R"(,"role":"member")"),
              Code::not_found);
    EXPECT_EQ(outcome("member.role", owner, user(guest) + R"(,"role":"member")"), Code::not_found);
}

// What comes of an event that refers to another.
Code upon(const std::string& type, const std::string& sender, const std::string& members,
          std::optional<TargetFacts> target, bool has_target = true)
{
    auto state = a_group();
    auto event = event_of(type, sender);
    if (has_target) event.target = sha256("target");
    const auto change = apply(state, event, members, 9, std::move(target));
    return change ? ok : change.error().code;
}

// [MEM-7] [MEM-8]
TEST(Fold, OnlyItsAuthorEditsAMessage)
{
    const TargetFacts mine{"message.create", member};
    const std::string text = R"("text":"t")";
    EXPECT_EQ(upon("message.edit", member, text, mine), ok);
    EXPECT_EQ(upon("message.edit", owner, text, mine), Code::forbidden);
    EXPECT_EQ(upon("message.edit", stranger, text, TargetFacts{"message.create", stranger}),
              Code::not_member);
    EXPECT_EQ(upon("message.edit", member, text, TargetFacts{"message.edit", member}),
              Code::forbidden);
    EXPECT_EQ(upon("message.edit", member, text, std::nullopt), Code::not_found);
    EXPECT_EQ(upon("message.edit", member, text, mine, false), Code::malformed);
    EXPECT_EQ(upon("message.edit", member, "", mine), Code::malformed);
}

// [MEM-4] [MEM-8]
TEST(Fold, ItsAuthorAndModeratorsDeleteAMessage)
{
    const TargetFacts mine{"message.create", member};
    EXPECT_EQ(upon("message.delete", member, "", mine), ok);
    EXPECT_EQ(upon("message.delete", moderator, R"("reason":"r")", mine), ok);
    EXPECT_EQ(upon("message.delete", owner, "", mine), ok);
    EXPECT_EQ(upon("message.delete", member, "", TargetFacts{"message.create", owner}),
              Code::forbidden);
    EXPECT_EQ(upon("message.delete", home_itself, "", mine), Code::forbidden);
    EXPECT_EQ(upon("message.delete", member, "", TargetFacts{"message.edit", member}), ok);
    EXPECT_EQ(upon("message.delete", member, "", TargetFacts{"message.react", member}), ok);
    EXPECT_EQ(upon("message.delete", owner, "", TargetFacts{"member.ban", owner}), Code::forbidden);
    EXPECT_EQ(upon("message.delete", owner, "", TargetFacts{"key.share", owner}), Code::forbidden);
    EXPECT_EQ(upon("message.delete", owner, "", std::nullopt), Code::not_found);
    EXPECT_EQ(upon("message.delete", owner, "", mine, false), Code::malformed);
    EXPECT_EQ(upon("message.delete", owner, R"("reason":1)", mine), Code::malformed);
}

// [MEM-7] [MEM-8]
TEST(Fold, MembersReactToMessages)
{
    const TargetFacts theirs{"message.create", owner};
    EXPECT_EQ(upon("message.react", member, R"("key":"+1")", theirs), ok);
    EXPECT_EQ(upon("message.react", stranger, R"("key":"+1")", theirs), Code::not_member);
    EXPECT_EQ(upon("message.react", member, R"("key":"")", theirs), Code::malformed);
    EXPECT_EQ(upon("message.react", member, "", theirs), Code::malformed);
    EXPECT_EQ(upon("message.react", member, R"("key":"+1")", std::nullopt), Code::not_found);
    EXPECT_EQ(upon("message.react", member, R"("key":"+1")", theirs, false), Code::malformed);
    EXPECT_EQ(upon("message.react", member, R"("key":"+1")", TargetFacts{"member.join", owner}),
              Code::forbidden);
}

// [MEM-4]
TEST(Fold, ErasedContentDoesNotMakeAMessageMalformed)
{
    auto state = a_group();
    const auto without = [&](const std::string& type, std::optional<TargetFacts> target) {
        auto event = event_of(type, member);
        event.target = sha256("target");
        return apply_event(state, event, "", 9, 1, target, strict);
    };
    EXPECT_TRUE(without("message.create", std::nullopt));
    EXPECT_TRUE(without("message.edit", TargetFacts{"message.create", member}));
    EXPECT_TRUE(without("message.react", TargetFacts{"message.create", owner}));
    EXPECT_TRUE(without("message.delete", TargetFacts{"message.create", member}));
    EXPECT_EQ(without("member.leave", std::nullopt).error().code, Code::malformed);
    EXPECT_EQ(without("key.share", std::nullopt).error().code, Code::malformed);
}

std::string move_content(const std::string& to, const std::string& consents,
                         const std::string& channel = golden::channel.str(), std::int64_t opens = 2)
{
    const auto jws = make_consent(key_from(3), ServerName::trusted(consents),
                                  ChannelId::trusted(channel), opens);
    return R"("home":")" + to + R"(","consent":")" + jws + '"';
}

// [SUC-2] [SUC-5]
TEST(Fold, AnOwnerMovesTheChannelWithTheNewHomesConsent)
{
    auto state = a_group();
    const auto good = move_content("b.example", "b.example");
    EXPECT_EQ(apply(state, "channel.move", moderator, good).error().code, Code::forbidden);
    EXPECT_EQ(apply(state, "channel.move", stranger, good).error().code, Code::not_member);
    EXPECT_EQ(outcome("channel.move", owner, R"("home":"b.example")"), Code::malformed);
    EXPECT_EQ(outcome("channel.move", owner, move_content("b.example", "c.example")),
              Code::malformed);
    for (const char* other : {"other", "0192f0c1-7b1a-7c3d-8e4f-ba9876543210@a.example"})
        EXPECT_EQ(outcome("channel.move", owner, move_content("b.example", "b.example", other)),
                  Code::malformed);
    const auto too_far = move_content("b.example", "b.example", golden::channel.str(), 3);
    EXPECT_EQ(outcome("channel.move", owner, too_far), Code::malformed);
    EXPECT_EQ(outcome("channel.move", owner, move_content("a.example", "a.example")),
              Code::forbidden);
    EXPECT_EQ(outcome("channel.move", owner, move_content("c.example", "c.example")),
              Code::forbidden);
    const auto change = apply(state, "channel.move", owner, good);
    ASSERT_TRUE(change) << change.error().detail;
    EXPECT_TRUE(change->meta);
    EXPECT_EQ(state.home, "b.example");
    // From now on the bare name with rights is the new home's.
    EXPECT_EQ(apply(state, "member.kick", home_itself, user(moderator)).error().code,
              Code::forbidden);
    EXPECT_TRUE(apply(state, "member.kick", other_server, user(moderator)));
}

TEST(Fold, ServersAreThoseOfMembersAndTheHome)
{
    auto state = a_group();
    EXPECT_EQ(state.servers(), (std::set<std::string>{"a.example", "b.example"}));
    ASSERT_TRUE(apply(state, "member.kick", owner, user(moderator)));
    ASSERT_TRUE(apply(state, "member.kick", home_itself, user(owner)));
    EXPECT_EQ(state.servers(), (std::set<std::string>{"a.example", "b.example"}));
    EXPECT_FALSE(state.has_member_of(fold_home));
}

// A state whose JSON is `room` octets short of the limit.
ChannelState nearly_full(std::size_t room)
{
    auto state = a_group();
    state.topic.assign(max_state_octets - room - state_json(state).size(), 'x');
    EXPECT_EQ(state_json(state).size(), max_state_octets - room);
    return state;
}

TEST(Fold, TheStateGrowsToItsLimitAndNoFurther)
{
    // "new@e.example" in the list of the invited: the text, its quotes and a comma.
    const auto invite = [](std::size_t room) {
        auto state = nearly_full(room);
        const auto change = apply(state, "member.invite", owner, user("new@e.example"));
        return change ? ok : change.error().code;
    };
    EXPECT_EQ(invite(16), ok);
    EXPECT_EQ(invite(15), Code::channel_full);
}

TEST(Fold, WhatMakesTheStateSmallerAlwaysPasses)
{
    auto state = nearly_full(0);
    EXPECT_EQ(apply(state, "member.ban", owner, user(stranger)).error().code, Code::channel_full);
    EXPECT_TRUE(apply(state, "message.create", member, R"("text":"t")"));
    EXPECT_TRUE(apply(state, "member.leave", member, ""));
    state.topic += std::string(1000, 'x');  // beyond the limit, as an old home may have left it
    state.index.forget();
    EXPECT_TRUE(apply(state, "member.unban", owner, user(outcast)));
    EXPECT_TRUE(apply(state, "channel.update", owner, R"("topic":"short")"));
    EXPECT_EQ(state.topic, "short");
}

TEST(Fold, TheIndexIsBuiltAnewWhereListsChangedByHand)
{
    auto state = a_group();
    ASSERT_TRUE(apply(state, "message.create", member, R"("text":"t")"));
    state.members.emplace("new@f.example", Role::owner);
    EXPECT_TRUE(state.has_member_of(ServerName::trusted("f.example")));
    EXPECT_TRUE(apply(state, "member.leave", owner, "")) << "there is another owner now";
}

}  // namespace
}  // namespace entente::protocol
