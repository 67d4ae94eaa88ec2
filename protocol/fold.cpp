// The table of section 8: who may do what, and what it does.
#include <array>
#include <utility>

#include "protocol/channel_state.hpp"
#include "protocol/consent.hpp"
#include "protocol/content_rules.hpp"
#include "protocol/dom.hpp"
#include "protocol/state_changer.hpp"
#include "protocol/state_values.hpp"

namespace entente::protocol {
namespace {

// What a rule sees. `content` is nothing where the octets were erased.
struct Case {
    const ChannelState& state;
    const Event& event;
    std::optional<dom::Object> content;
    std::int64_t seq;
    std::int64_t epoch;
    const std::optional<TargetFacts>& target;
    NameRules rules;
    std::optional<Role> role;  // of the sender, where a member
    bool is_home = false;      // the sender is the present home's bare name
};

using Ruling = Result<Effect>;

Failure forbidden(std::string_view why)
{
    return refuse(Code::forbidden, std::string(why));
}

// The home's bare name stands above owners, a stranger below members.
int rank(const std::optional<Role>& role)
{
    return role ? static_cast<int>(*role) + 1 : 0;
}
int rank_of_sender(const Case& now)
{
    return now.is_home ? 4 : rank(now.role);
}

Result<void> need_member(const Case& now)
{
    if (now.role) return {};
    if (now.event.sender.is_server) return forbidden("only users may do this");
    return refuse(Code::not_member, "the sender is no member");
}

// Members of this role and above, and the home's bare name.
Result<void> need_moderator(const Case& now)
{
    if (now.is_home) return {};
    if (auto member = need_member(now); !member) return member;
    if (*now.role < Role::moderator) return forbidden("only moderators may do this");
    return {};
}

Result<void> need_owner(const Case& now)
{
    if (auto member = need_member(now); !member) return member;
    if (*now.role < Role::owner) return forbidden("only owners may do this");
    return {};
}

Result<std::string> read_user(const Case& now)
{
    const auto text = dom::need_string(*now.content, "user");
    if (!text) return fail(text);
    if (!parse_user_id(*text, now.rules)) return dom::wrong("user", "is no user");
    return std::string(*text);
}

Result<std::vector<std::string>> read_servers(dom::Array array, NameRules rules)
{
    auto list = dom::strings(array, "servers");
    if (!list) return list;
    std::set<std::string_view> seen;
    for (const auto& server : *list) {
        if (!parse_server_name(server, rules)) return dom::wrong("servers", "names no server");
        if (!seen.insert(server).second) return dom::wrong("servers", "names a server twice");
    }
    return list;
}

bool is_any(std::string_view)
{
    return true;
}

// An optional string member with a condition on its value.
Result<void> read_text(const Case& now, std::string_view name, bool (*is_right)(std::string_view),
                       std::optional<std::string>& out)
{
    const auto text = dom::may_string(*now.content, name);
    if (!text) return fail(text);
    if (!*text) return {};
    if (!is_right(**text)) return dom::wrong(name, "has a value that is not allowed");
    out = std::string(**text);
    return {};
}

// What channel.create and channel.update have in common.
Result<MetaPatch> read_meta(const Case& now)
{
    MetaPatch patch;
    if (auto read = read_text(now, "name", is_any, patch.name); !read) return fail(read);
    if (auto read = read_text(now, "history", is_history, patch.history); !read) return fail(read);
    if (auto read = read_text(now, "retention", is_retention, patch.retention); !read) {
        return fail(read);
    }
    if (auto read = read_text(now, "encryption", is_encryption, patch.encryption); !read) {
        return fail(read);
    }
    if (const auto value = dom::member(*now.content, "public")) {
        bool is_public = false;
        if (value->get_bool().get(is_public)) return dom::wrong("public", "must be true or false");
        patch.is_public = is_public;
    }
    return patch;
}

Ruling create(const Case& now)
{
    if (!now.state.kind.empty() || now.seq != 1) return forbidden("the channel is there already");
    const auto& sender = now.event.sender;
    // Whoever made a channel is its first home: its name says so.
    const bool of_home =
        !sender.is_server && now.event.channel && creator_of(*now.event.channel) == sender.server;
    if (!of_home) return forbidden("only a user of the home creates a channel");

    auto patch = read_meta(now);
    if (!patch) return fail(patch);
    if (auto read = read_text(now, "kind", is_kind, patch->kind); !read) return fail(read);
    if (!patch->kind) return dom::wrong("kind", "is missing");
    const auto successors = dom::may_array(*now.content, "successors");
    if (!successors) return fail(successors);
    if (*successors) {
        auto list = read_servers(**successors, now.rules);
        if (!list) return fail(list);
        patch->successors = std::move(*list);
    }
    patch->home = sender.server.str();
    return Effect{std::move(*patch), sender.text, Standing{Role::owner}};
}

Ruling update(const Case& now)
{
    if (auto allowed = need_moderator(now); !allowed) return fail(allowed);
    auto patch = read_meta(now);
    if (!patch) return fail(patch);
    if (auto read = read_text(now, "topic", is_any, patch->topic); !read) return fail(read);
    if (auto read = read_text(now, "avatar", is_any, patch->avatar); !read) return fail(read);
    return Effect{std::move(*patch), {}, {}};
}

Ruling set_successors(const Case& now)
{
    if (auto allowed = need_owner(now); !allowed) return fail(allowed);
    const auto array = dom::need_array(*now.content, "servers");
    if (!array) return fail(array);
    auto list = read_servers(*array, now.rules);
    if (!list) return fail(list);
    Effect effect;
    effect.meta.successors = std::move(*list);
    return effect;
}

// [SUC-2] The consent's form and what it speaks of; its signature is the concern of who knows
// keys.
Result<void> check_consent(const Case& now, const ServerName& home)
{
    const auto text = dom::need_string(*now.content, "consent");
    if (!text) return fail(text);
    const auto consent = parse_consent(*text, now.rules);
    if (!consent || consent->home != home) return dom::wrong("consent", "is not the new home's");
    const bool fits = now.event.channel && consent->channel == *now.event.channel &&
                      consent->epoch == now.epoch + 1;
    if (!fits) return dom::wrong("consent", "is for another channel or epoch");
    return {};
}

Ruling move(const Case& now)
{
    if (auto allowed = need_owner(now); !allowed) return fail(allowed);
    const auto text = dom::need_string(*now.content, "home");
    if (!text) return fail(text);
    const auto home = parse_server_name(*text, now.rules);
    if (!home) return dom::wrong("home", "is no server");
    if (home->str() == now.state.home) return forbidden("the channel is there already");
    // [SUC-5] Only to who follows the log does it come at all.
    if (!now.state.has_member_of(*home)) return forbidden("the new home has no member here");
    if (auto consent = check_consent(now, *home); !consent) return fail(consent);
    Effect effect;
    effect.meta.home = home->str();
    return effect;
}

Ruling invite(const Case& now)
{
    if (auto allowed = need_member(now); !allowed) return fail(allowed);
    auto user = read_user(now);
    if (!user) return fail(user);
    const auto standing = standing_of(now.state, *user);
    if (standing.role) return forbidden("the user is a member");
    if (standing.banned) return forbidden("the user is banned");
    const auto people = now.state.members.size() + now.state.invited.size();
    if (now.state.kind == "dm" && !standing.invited && people >= 2) {
        return forbidden("a dm has two members");
    }
    return Effect{{}, std::move(*user), Standing{std::nullopt, true, false}};
}

Ruling join(const Case& now)
{
    const auto& sender = now.event.sender;
    if (sender.is_server) return forbidden("only users may join");
    const auto standing = standing_of(now.state, sender.text);
    if (standing.role) return refuse(Code::conflict, "the sender is a member");
    if (standing.banned) return forbidden("the sender is banned");
    if (!standing.invited && !now.state.is_public) return forbidden("the sender is not invited");
    if (now.state.kind == "dm" && now.state.members.size() >= 2) {
        return forbidden("a dm has two members");
    }
    return Effect{{}, sender.text, Standing{Role::member}};
}

Ruling leave(const Case& now)
{
    const auto& sender = now.event.sender;
    if (sender.is_server) return forbidden("only users may leave");
    // Who never was a member, or was kicked, is told the same as who left before: only
    // the log knows whether there is an earlier leave to be a duplicate of.
    if (!now.role) return refuse(Code::conflict, "the sender is no member");
    const bool last_owner = *now.role == Role::owner && now.state.index.owners() == 1;
    if (last_owner && now.state.members.size() > 1) {
        return forbidden("the last owner names another before leaving");
    }
    return Effect{{}, sender.text, {}};
}

Result<std::string> read_user_and_reason(const Case& now)
{
    std::optional<std::string> reason;
    if (auto read = read_text(now, "reason", is_any, reason); !read) return fail(read);
    return read_user(now);
}

// Kick, ban and unban: a moderator, over a lower role. Gives the user.
Result<std::string> read_judged(const Case& now)
{
    if (auto allowed = need_moderator(now); !allowed) return fail(allowed);
    auto user = read_user_and_reason(now);
    if (!user) return user;
    const auto standing = standing_of(now.state, *user);
    if (rank(standing.role) >= rank_of_sender(now))
        return forbidden("the user's role is not lower");
    return user;
}

Ruling kick(const Case& now)
{
    auto user = read_judged(now);
    if (!user) return fail(user);
    const auto standing = standing_of(now.state, *user);
    if (!standing.role && !standing.invited) {
        return refuse(Code::not_found, "the user is neither member nor invited");
    }
    return Effect{{}, std::move(*user), {}};
}

Ruling ban(const Case& now)
{
    auto user = read_judged(now);
    if (!user) return fail(user);
    return Effect{{}, std::move(*user), Standing{std::nullopt, false, true}};
}

Ruling unban(const Case& now)
{
    auto user = read_judged(now);
    if (!user) return fail(user);
    auto standing = standing_of(now.state, *user);
    if (!standing.banned) return refuse(Code::not_found, "the user is not banned");
    standing.banned = false;
    return Effect{{}, std::move(*user), standing};
}

Ruling set_role(const Case& now)
{
    if (auto allowed = need_member(now); !allowed) return fail(allowed);
    auto user = read_user(now);
    if (!user) return fail(user);
    const auto text = dom::need_string(*now.content, "role");
    if (!text) return fail(text);
    const auto role = role_from(*text);
    if (!role) return dom::wrong("role", "is unknown");
    const auto standing = standing_of(now.state, *user);
    if (!standing.role) return refuse(Code::not_found, "the user is no member");
    if (*now.role <= *standing.role) return forbidden("the user's role is not lower");
    if (*now.role < *role) return forbidden("the new role is above the sender's");
    return Effect{{}, std::move(*user), Standing{*role}};
}

// Text, or ciphertext with its algorithm.
Result<void> check_body(const Case& now)
{
    const auto text = dom::may_string(*now.content, "text");
    if (!text) return fail(text);
    const auto ciphertext = dom::may_string(*now.content, "ciphertext");
    if (!ciphertext) return fail(ciphertext);
    if (text->has_value() == ciphertext->has_value()) {
        return dom::wrong("text", "or ciphertext must be there, and one of them only");
    }
    if (*ciphertext) {
        if (auto algorithm = dom::need_string(*now.content, "algorithm"); !algorithm) {
            return fail(algorithm);
        }
    }
    return {};
}

Ruling message(const Case& now)
{
    if (auto allowed = need_member(now); !allowed) return fail(allowed);
    if (!now.content) return Effect{};
    if (auto body = check_body(now); !body) return fail(body);
    if (dom::member(*now.content, "reply")) {
        if (auto reply = dom::need_hash(*now.content, "reply"); !reply) return fail(reply);
    }
    if (auto attachments = dom::may_array(*now.content, "attachments"); !attachments) {
        return fail(attachments);
    }
    return Effect{};
}

// [MEM-4] The target is a member of the event; a deleted one is as good as none.
Result<void> need_target(const Case& now)
{
    if (!now.event.target) return dom::wrong("target", "is missing");
    if (!now.target) return refuse(Code::not_found, "the target is not there");
    return {};
}

Ruling edit(const Case& now)
{
    if (auto allowed = need_member(now); !allowed) return fail(allowed);
    if (auto target = need_target(now); !target) return fail(target);
    if (now.target->type != "message.create") return forbidden("only messages can be edited");
    if (now.target->sender != now.event.sender.text) return forbidden("only the author may edit");
    if (!now.content) return Effect{};
    if (auto body = check_body(now); !body) return fail(body);
    return Effect{};
}

Ruling erase(const Case& now)
{
    if (auto allowed = need_member(now); !allowed) return fail(allowed);
    if (auto target = need_target(now); !target) return fail(target);
    if (!can_be_deleted(now.target->type)) {
        return forbidden("only messages, edits and reactions can be erased");
    }
    const bool is_author = now.target->sender == now.event.sender.text;
    if (!is_author && *now.role < Role::moderator) {
        return forbidden("only the author and moderators may delete");
    }
    if (!now.content) return Effect{};
    std::optional<std::string> reason;
    if (auto read = read_text(now, "reason", is_any, reason); !read) return fail(read);
    return Effect{};
}

Ruling react(const Case& now)
{
    if (auto allowed = need_member(now); !allowed) return fail(allowed);
    if (auto target = need_target(now); !target) return fail(target);
    if (now.target->type != "message.create") return forbidden("only messages are reacted to");
    if (!now.content) return Effect{};
    const auto key = dom::need_string(*now.content, "key");
    if (!key) return fail(key);
    if (key->empty()) return dom::wrong("key", "must not be empty");
    return Effect{};
}

Ruling share_key(const Case& now)
{
    if (auto allowed = need_member(now); !allowed) return fail(allowed);
    if (auto object = dom::need_object(*now.content, "ciphertexts"); !object) return fail(object);
    return Effect{};
}

// [LOG-7]
Ruling unknown(const Case& now)
{
    if (auto allowed = need_member(now); !allowed) return fail(allowed);
    return Effect{};
}

enum class Needs : bool { content, nothing };

struct Rule {
    std::string_view type;
    Ruling (*judge)(const Case&);
    Needs needs;  // whether an entry without its content can have an effect
};

constexpr std::array<Rule, 16> rules_by_type{{
    {"channel.create", create, Needs::content},
    {"channel.update", update, Needs::content},
    {"channel.successors", set_successors, Needs::content},
    {"channel.move", move, Needs::content},
    {"member.invite", invite, Needs::content},
    {"member.join", join, Needs::content},
    {"member.leave", leave, Needs::content},
    {"member.kick", kick, Needs::content},
    {"member.ban", ban, Needs::content},
    {"member.unban", unban, Needs::content},
    {"member.role", set_role, Needs::content},
    {"message.create", message, Needs::nothing},
    {"message.edit", edit, Needs::nothing},
    {"message.delete", erase, Needs::nothing},
    {"message.react", react, Needs::nothing},
    {"key.share", share_key, Needs::content},
}};

constexpr Rule rule_of_unknown{"", unknown, Needs::nothing};

const Rule& rule_of(std::string_view type)
{
    for (const auto& rule : rules_by_type) {
        if (rule.type == type) return rule;
    }
    return rule_of_unknown;
}

}  // namespace

Result<StateChange> apply_event(ChannelState& state, const Event& event, std::string_view content,
                                std::int64_t seq, std::int64_t epoch,
                                const std::optional<TargetFacts>& target, NameRules rules,
                                const Permit& permit)
{
    const auto& rule = rule_of(event.type);
    if (state.kind.empty() && event.type != "channel.create") {
        return refuse(Code::not_member, "the channel has not been created");
    }
    if (!state.index.fits(state)) state.index.build(state);

    Case now{state, event, std::nullopt, seq, epoch, target, rules, std::nullopt, false};
    if (event.sender.is_server) {
        now.is_home = event.sender.server.str() == state.home;
    } else {
        now.role = standing_of(state, event.sender.text).role;
    }
    if (!content.empty()) {
        const auto document = dom::small_parser().parse(content);
        if (!document) return fail(document);
        const auto object = dom::as_object(*document, "");
        if (!object) return fail(object);
        now.content = *object;
    } else if (rule.needs == Needs::content) {
        return refuse(Code::malformed, "the content is missing");
    }
    auto effect = rule.judge(now);
    if (!effect) return fail(effect);
    if (permit) {
        if (auto permitted = permit(); !permitted) return fail(permitted);
    }
    return StateChanger::apply(state, *effect);
}

}  // namespace entente::protocol
