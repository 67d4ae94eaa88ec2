// The state as a value: its canonical JSON, its index. What changes it is fold.cpp.
#include "protocol/channel_state.hpp"

#include <algorithm>

#include "protocol/content_rules.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/log_writing.hpp"
#include "protocol/state_values.hpp"

namespace entente::protocol {
namespace {

constexpr std::string_view state_prefix = "entente-state-v1\n";

template <class List>
void append_texts(std::string& out, std::string_view name, const List& list)
{
    writing::append_name(out, name);
    writing::append_list(
        out, list, [](std::string& to, const std::string& text) { append_json_string(to, text); });
}

// What state_json writes of everything but the users, for measuring without them.
std::string json_without_users(const ChannelState& state)
{
    ChannelState bare;
    bare.kind = state.kind;
    bare.name = state.name;
    bare.topic = state.topic;
    bare.avatar = state.avatar;
    bare.is_public = state.is_public;
    bare.history = state.history;
    bare.retention = state.retention;
    bare.encryption = state.encryption;
    bare.successors = state.successors;
    bare.home = state.home;
    return state_json(bare);
}

std::size_t commas(std::size_t items)
{
    return items == 0 ? 0 : items - 1;
}

}  // namespace

std::string_view to_text(Role role)
{
    switch (role) {
        case Role::member: return "member";
        case Role::moderator: return "moderator";
        case Role::owner: return "owner";
    }
    return {};
}

std::optional<Role> role_from(std::string_view text)
{
    if (text == "member") return Role::member;
    if (text == "moderator") return Role::moderator;
    if (text == "owner") return Role::owner;
    return std::nullopt;
}

bool is_kind(std::string_view text)
{
    return text == "group" || text == "dm";
}

bool is_history(std::string_view text)
{
    return text == "since-join" || text == "all";
}

bool is_retention(std::string_view text)
{
    return text == "keep" || text == "relay" || retention_days(text);
}

bool is_encryption(std::string_view text)
{
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), allowed);
}

std::size_t json_length(std::string_view text)
{
    return json_string(text).size();
}

// A user's name needs no escapes.
std::size_t list_item_length(std::string_view user)
{
    return user.size() + 2;
}

std::size_t list_item_length(std::string_view user, Role role)
{
    return user.size() + to_text(role).size() + 7;  // ["",""]
}

bool StateIndex::fits(const ChannelState& state) const
{
    return built_ && members_ == state.members.size() && invited_ == state.invited.size() &&
           banned_ == state.banned.size();
}

void StateIndex::build(const ChannelState& state)
{
    *this = {};
    built_ = true;
    members_ = state.members.size();
    invited_ = state.invited.size();
    banned_ = state.banned.size();
    octets_ =
        json_without_users(state).size() + commas(members_) + commas(invited_) + commas(banned_);
    for (const auto& [user, role] : state.members) {
        octets_ += list_item_length(user, role);
        if (role == Role::owner) ++owners_;
        ++servers_[std::string(server_part(user))];
    }
    for (const auto& user : state.invited) octets_ += list_item_length(user);
    for (const auto& user : state.banned) octets_ += list_item_length(user);
}

bool ChannelState::is_member(std::string_view user) const
{
    return members.find(std::string(user)) != members.end();
}

bool ChannelState::has_member_of(const ServerName& server) const
{
    if (index.fits(*this)) return index.servers().contains(server.str());
    return std::any_of(members.begin(), members.end(), [&server](const auto& member) {
        return server_part(member.first) == server.str();
    });
}

bool ChannelState::may_be_known_to(const ServerName& server) const
{
    return is_public || has_member_of(server) ||
           std::ranges::any_of(invited,
                               [&](const auto& user) { return server_part(user) == server.str(); });
}

std::set<std::string> ChannelState::servers() const
{
    std::set<std::string> all;
    if (!home.empty()) all.insert(home);
    if (index.fits(*this)) {
        for (const auto& [server, count] : index.servers()) all.insert(server);
        return all;
    }
    for (const auto& [user, role] : members) all.emplace(server_part(user));
    return all;
}

std::string state_json(const ChannelState& state)
{
    std::string out;
    out.reserve(512 + state.members.size() * 64);
    out += '{';
    writing::append_text(out, "avatar", state.avatar);
    append_texts(out, "banned", state.banned);
    writing::append_text(out, "encryption", state.encryption);
    writing::append_text(out, "history", state.history);
    writing::append_text(out, "home", state.home);
    append_texts(out, "invited", state.invited);
    writing::append_text(out, "kind", state.kind);
    writing::append_name(out, "members");
    writing::append_list(out, state.members, [](std::string& to, const auto& member) {
        to += '[';
        append_json_string(to, member.first);
        to += R"(,")";
        to += to_text(member.second);
        to += R"("])";
    });
    writing::append_text(out, "name", state.name);
    writing::append_name(out, "public");
    out += state.is_public ? "true" : "false";
    writing::append_text(out, "retention", state.retention);
    append_texts(out, "successors", state.successors);
    writing::append_text(out, "topic", state.topic);
    out += '}';
    return out;
}

Hash state_hash(std::string_view state_json)
{
    return sha256({state_prefix, state_json});
}

}  // namespace entente::protocol
