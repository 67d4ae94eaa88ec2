// What the shipped policies say: what the fold of section 8 does, for every event, role and target;
// what each role may do over the client API; the table of tiers.
#include <array>

#include <gtest/gtest.h>

#include "protocol/channel_state.hpp"
#include "tests/trust/policy/policy_rig.hpp"
#include "trust/policy/shipped.hpp"

namespace entente::trust::policy {
namespace {

using protocol::ChannelState;
using protocol::Role;
using protocol::ServerName;
using A = Attribute;

testing::Ready shipped()
{
    return testing::ready(shipped_sources());
}

constexpr auto channel_text = "0193b6b0-7c00-7000-8000-000000000001@a.example";

// Two of each role, so that nobody is the last owner.
ChannelState a_group(bool is_public)
{
    ChannelState state;
    state.kind = "group";
    state.home = "a.example";
    state.is_public = is_public;
    state.members = {{"o1@a.example", Role::owner},     {"o2@b.example", Role::owner},
                     {"m1@a.example", Role::moderator}, {"m2@b.example", Role::moderator},
                     {"n1@a.example", Role::member},    {"n2@b.example", Role::member}};
    state.invited = {"i1@c.example", "i2@c.example"};
    state.banned = {"b1@c.example", "b2@c.example"};
    return state;
}

ChannelRole role_in(const ChannelState& state, const std::string& who)
{
    if (who == state.home) return ChannelRole::home;
    const auto member = state.members.find(who);
    if (member == state.members.end()) return ChannelRole::none;
    return static_cast<ChannelRole>(static_cast<int>(member->second) + 1);
}

struct Case {
    std::string type, sender;
    std::string target;    // the user of the content, or the author of the event that is meant
    std::string new_role;  // of member.role
    bool is_public = false;
};

bool is_of_content(const std::string& type)
{
    return type.starts_with("member.") && type != "member.join" && type != "member.leave";
}

bool is_of_event(const std::string& type)
{
    return type == "message.edit" || type == "message.delete" || type == "message.react";
}

Result<protocol::StateChange> fold(const Case& now)
{
    auto state = a_group(now.is_public);
    protocol::Event event;
    event.type = now.type;
    event.channel = protocol::ChannelId::trusted(channel_text);
    event.sender.text = now.sender;
    event.sender.is_server = now.sender.find('@') == std::string::npos;
    event.sender.server = ServerName::trusted(now.sender.substr(now.sender.find('@') + 1));
    std::string content = R"({"salt":"AAECAwQFBgcICQoLDA0ODw")";
    if (is_of_content(now.type)) content += R"(,"user":")" + now.target + "\"";
    if (now.type == "member.role") content += R"(,"role":")" + now.new_role + "\"";
    if (now.type == "channel.successors") content += R"(,"servers":[])";
    if (now.type == "message.create" || now.type == "message.edit") content += R"(,"text":"t")";
    if (now.type == "message.react") content += R"(,"key":"+")";
    if (now.type == "key.share") content += R"(,"ciphertexts":{})";
    std::optional<protocol::TargetFacts> target;
    if (is_of_event(now.type)) {
        event.target = protocol::Hash{};
        target = protocol::TargetFacts{"message.create", now.target};
    }
    return protocol::apply_event(state, event, content + "}", 9, 1, target, {});
}

Request request_of(const Case& now, const ChannelState& state)
{
    Request request{action_of_event(now.type)};
    const bool is_server = now.sender.find('@') == std::string::npos;
    request.word(A::subject_kind, is_server ? SubjectKind::server : SubjectKind::user)
        .text(A::subject_id, now.sender)
        .word(A::subject_tier, Tier::trusted)
        .word(A::subject_channel_role, role_in(state, now.sender))
        .flag(A::subject_invited, state.invited.contains(now.sender))
        .flag(A::subject_banned, state.banned.contains(now.sender))
        .flag(A::resource_public, state.is_public);
    if (is_of_event(now.type)) request.flag(A::resource_own, now.target == now.sender);
    if (!is_of_content(now.type)) return request;
    request.flag(A::resource_own, now.target == now.sender)
        .word(A::resource_channel_role, role_in(state, now.target))
        .flag(A::resource_invited, state.invited.contains(now.target))
        .flag(A::resource_banned, state.banned.contains(now.target));
    for (const auto role : {Role::member, Role::moderator, Role::owner}) {
        if (now.type == "member.role" && now.new_role == to_text(role))
            request.word(A::resource_new_channel_role,
                         static_cast<ChannelRole>(static_cast<int>(role) + 1));
    }
    return request;
}

// Whether the fold refuses for something else than who it is: the target isn't there, or the event
// says what is so already.
bool is_beside_roles(const Result<protocol::StateChange>& change)
{
    return !change &&
           (change.error().code == Code::not_found || change.error().code == Code::conflict);
}

const std::array<std::string, 9> senders{"o1@a.example", "m1@a.example", "n1@a.example",
                                         "i1@c.example", "b1@c.example", "s1@d.example",
                                         "a.example",    "b.example",    "n2@b.example"};
const std::array<std::string, 9> targets{"o1@a.example", "o2@b.example", "m1@a.example",
                                         "m2@b.example", "n1@a.example", "n2@b.example",
                                         "i2@c.example", "b2@c.example", "s2@d.example"};

TEST(ShippedPolicies, PermitOfEveryEventWhatTheFoldPermits)
{
    const auto policies = shipped();
    int permitted = 0, refused = 0;
    const auto compare = [&](const Case& now) {
        const auto change = fold(now);
        const auto verdict = policies->decide(request_of(now, a_group(now.is_public)));
        if (is_beside_roles(change)) return;
        ++(change ? permitted : refused);
        EXPECT_EQ(verdict.outcome, change ? Outcome::permitted : Outcome::denied)
            << now.type << " by " << now.sender << " on " << now.target << " " << now.new_role
            << (now.is_public ? " public" : "") << ": " << verdict.rule.text() << ", "
            << (change ? "taken" : change.error().detail);
    };
    for (const auto& sender : senders) {
        for (const bool is_public : {false, true}) {
            compare({"member.join", sender, "", "", is_public});
            compare({"member.leave", sender, "", "", is_public});
        }
        for (const auto* type : {"channel.update", "channel.successors", "message.create",
                                 "key.share", "something.new"})
            compare({type, sender, "", "", false});
        for (const auto* type : {"message.edit", "message.delete", "message.react"}) {
            compare({type, sender, sender, "", false});
            compare({type, sender, "o2@b.example", "", false});
        }
        for (const auto& target : targets) {
            for (const auto* type : {"member.invite", "member.kick", "member.ban", "member.unban"})
                compare({type, sender, target, "", false});
            for (const auto* role : {"member", "moderator", "owner"})
                compare({"member.role", sender, target, role, false});
        }
    }
    // So that a change of either side can't empty the comparison.
    EXPECT_GT(permitted, 80);
    EXPECT_GT(refused, 300);
}

TEST(ShippedPolicies, LeaveToAHomeElsewhereWhatOwnUsersDoThere)
{
    const auto policies = shipped();
    const auto may = [&](const char* home, bool is_local) {
        Request request{Action::message_create};
        request.word(A::subject_kind, SubjectKind::user)
            .flag(A::subject_local, is_local)
            .text(A::subject_server, "a.example")
            .text(A::resource_server, home)
            .word(A::subject_channel_role, ChannelRole::none);
        return policies->decide(request).is_permitted();
    };
    EXPECT_TRUE(may("b.example", true));
    EXPECT_FALSE(may("a.example", true));
    EXPECT_FALSE(may("b.example", false));
}

TEST(ShippedPolicies, OwnersAloneMoveAChannel)
{
    const auto policies = shipped();
    for (const auto& sender : senders) {
        const auto verdict =
            policies->decide(request_of({"channel.move", sender, "", "", false}, a_group(false)));
        EXPECT_EQ(verdict.is_permitted(), sender == "o1@a.example") << sender;
    }
}

Request of_own(Action action, ServerRole role)
{
    Request request{action};
    request.word(A::subject_kind, SubjectKind::user)
        .flag(A::subject_local, true)
        .word(A::subject_role, role);
    return request;
}

TEST(ShippedPolicies, SayWhoMayDoWhatOverTheApi)
{
    struct Row {
        Action action;
        bool user, admin, superadmin;
    };
    const Row rows[] = {
        {Action::code_create, false, true, true},    // POST /admin/registration-codes
        {Action::report_list, false, true, true},    // GET /admin/reports
        {Action::report_close, false, true, true},   // POST /admin/reports/{report}/close
        {Action::report_make, true, true, true},     // POST /reports
        {Action::media_upload, true, true, true},    // POST /media
        {Action::channel_create, true, true, true},  // POST /channels
        {Action::directory_search, true, true, true},
        {Action::directory_look_up, true, true, true},
        {Action::device_send, true, true, true},
        {Action::key_claim, true, true, true},
        {Action::signal_typing, true, true, true},
        {Action::signal_presence, true, true, true},
        {Action::policy_read, false, true, true},
        {Action::policy_change, false, false, true},
        {Action::user_read, false, true, true},
        {Action::settings_read, false, true, true},
        {Action::settings_change, false, false, true},
        {Action::peer_read, false, true, true},
        {Action::peer_change, false, true, true},
        {Action::audit_read, false, true, true},
    };
    const auto policies = shipped();
    for (const auto& row : rows) {
        const auto may = [&](ServerRole role) {
            return policies->decide(of_own(row.action, role)).is_permitted();
        };
        const auto name = row_of(row.action).name;
        EXPECT_EQ(may(ServerRole::user), row.user) << name;
        EXPECT_EQ(may(ServerRole::admin), row.admin) << name;
        EXPECT_EQ(may(ServerRole::superadmin), row.superadmin) << name;
        EXPECT_FALSE(may(ServerRole::none)) << name;
    }
}

TEST(ShippedPolicies, AdminsActUpToTheirRoleAndSuperadminsGiveRoles)
{
    const auto policies = shipped();
    const auto may = [&](Action action, ServerRole who, ServerRole whom) {
        auto request = of_own(action, who);
        request.word(A::resource_role, whom)
            .flag(A::resource_own, false)
            .number(A::context_superadmins, 2);
        if (action == Action::account_role) request.word(A::resource_new_role, ServerRole::user);
        return policies->decide(request).is_permitted();
    };
    using enum ServerRole;
    for (const auto action :
         {Action::account_suspend, Action::account_ban, Action::account_delete}) {
        EXPECT_FALSE(may(action, user, user));
        EXPECT_TRUE(may(action, admin, user));
        EXPECT_TRUE(may(action, admin, admin));
        EXPECT_FALSE(may(action, admin, superadmin));
        EXPECT_TRUE(may(action, superadmin, admin));
        EXPECT_TRUE(may(action, superadmin, superadmin));
    }
    EXPECT_FALSE(may(Action::account_role, admin, user));
    EXPECT_TRUE(may(Action::account_role, superadmin, user));
}

TEST(ShippedPolicies, ModeratorsAndOwnersNameTheirChannels)
{
    const auto policies = shipped();
    for (const auto action : {Action::alias_set, Action::alias_drop}) {
        for (const auto role :
             {ChannelRole::none, ChannelRole::member, ChannelRole::moderator, ChannelRole::owner}) {
            const auto request =
                of_own(action, ServerRole::user).word(A::subject_channel_role, role);
            EXPECT_EQ(policies->decide(request).is_permitted(), role >= ChannelRole::moderator);
        }
    }
}

using Row = std::array<Outcome, 5>;  // blocked, quarantined, guest, known, trusted
constexpr auto no = Outcome::denied, wait = Outcome::held, yes = Outcome::permitted;

Row by_tier(const Compiled& policies, Request request)
{
    Row row{};
    request.word(A::subject_kind, SubjectKind::server)
        .flag(A::subject_local, false)
        .word(A::subject_role, ServerRole::none);
    for (std::size_t tier = 0; tier < row.size(); ++tier) {
        request.word_at(A::subject_tier, tier);
        row.at(tier) = policies.decide(request).outcome;
    }
    return row;
}

TEST(ShippedPolicies, SayWhatTheTableOfTiersSays)
{
    const auto policies = shipped();
    const auto of = [&](Action action) { return by_tier(*policies, Request{action}); };
    EXPECT_EQ(of(Action::request_make), (Row{no, yes, yes, yes, yes}));
    EXPECT_EQ(of(Action::directory_search), (Row{no, no, yes, yes, yes}));
    EXPECT_EQ(of(Action::directory_look_up), (Row{no, yes, yes, yes, yes}));
    EXPECT_EQ(of(Action::signal_typing), (Row{no, no, yes, yes, yes}));
    EXPECT_EQ(of(Action::signal_read), (Row{no, no, yes, yes, yes}));
    EXPECT_EQ(of(Action::signal_presence), (Row{no, no, no, yes, yes}));
    EXPECT_EQ(of(Action::media_ask), (Row{no, yes, yes, yes, yes}));
    EXPECT_EQ(of(Action::media_show), (Row{no, no, yes, yes, yes}));
    EXPECT_EQ(of(Action::invitation_receive), (Row{no, wait, wait, yes, yes}));
    EXPECT_EQ(of(Action::slice_take), (Row{yes, yes, yes, yes, yes}));
    for (const auto action : {Action::key_claim, Action::device_send}) {
        Request request{action};
        EXPECT_EQ(by_tier(*policies, request), (Row{no, no, no, yes, yes}));
        request.flag(A::context_acquainted, true);
        EXPECT_EQ(by_tier(*policies, request), (Row{no, yes, yes, yes, yes}));
    }
    // A server can't know of a file that nobody has looked at (ADR 25).
    EXPECT_EQ(of(Action::media_prefetch), (Row{no, no, no, no, no}));
}

TEST(ShippedPolicies, HoldInvitationsAndJoinsOfTheQuarantined)
{
    const auto policies = shipped();
    Request request{Action::invitation_receive};
    using Texts = std::vector<std::string>;
    const auto effects = [&](Tier tier) {
        request.word(A::subject_tier, tier);
        return testing::effects_of(*policies, policies->decide(request));
    };
    EXPECT_EQ(effects(Tier::quarantined), (Texts{"hold user", "tag no-push"}));
    EXPECT_EQ(effects(Tier::guest), Texts{"hold user"});
    EXPECT_TRUE(effects(Tier::known).empty());

    const auto join = [&](Tier tier, bool invited) {
        Request asked{Action::member_join};
        asked.word(A::subject_kind, SubjectKind::user)
            .word(A::subject_tier, tier)
            .word(A::subject_channel_role, ChannelRole::none)
            .flag(A::subject_invited, invited)
            .flag(A::subject_banned, false)
            .flag(A::resource_public, true);
        return policies->decide(asked).outcome;
    };
    EXPECT_EQ(join(Tier::blocked, true), no);
    EXPECT_EQ(join(Tier::quarantined, false), wait);
    EXPECT_EQ(join(Tier::quarantined, true), yes);
    EXPECT_EQ(join(Tier::guest, false), yes);
}

}  // namespace
}  // namespace entente::trust::policy
