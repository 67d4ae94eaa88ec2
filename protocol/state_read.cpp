// Reading a whole state, as a snapshot carries it. Strict: its hash is over its octets,
// so whatever isn't the canonical form of exactly these members is refused.
#include <nlohmann/json.hpp>

#include "protocol/channel_state.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/state_values.hpp"

namespace entente::protocol {
namespace {

using Json = nlohmann::json;

Failure wrong(std::string_view what)
{
    return refuse(Code::malformed, "/state: wrong " + std::string(what));
}

bool take_text(const Json& object, const char* name, std::string& out)
{
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return false;
    out = found->get_ref<const std::string&>();
    return true;
}

Result<void> read_values(const Json& object, ChannelState& state, NameRules rules)
{
    if (!take_text(object, "kind", state.kind) || !is_kind(state.kind)) return wrong("kind");
    if (!take_text(object, "name", state.name)) return wrong("name");
    if (!take_text(object, "topic", state.topic)) return wrong("topic");
    if (!take_text(object, "avatar", state.avatar)) return wrong("avatar");
    if (!take_text(object, "history", state.history) || !is_history(state.history)) {
        return wrong("history");
    }
    if (!take_text(object, "retention", state.retention) || !is_retention(state.retention)) {
        return wrong("retention");
    }
    if (!take_text(object, "encryption", state.encryption) || !is_encryption(state.encryption)) {
        return wrong("encryption");
    }
    if (!take_text(object, "home", state.home) || !parse_server_name(state.home, rules)) {
        return wrong("home");
    }
    const auto is_public = object.find("public");
    if (is_public == object.end() || !is_public->is_boolean()) return wrong("public");
    state.is_public = is_public->get<bool>();

    const auto successors = object.find("successors");
    if (successors == object.end() || !successors->is_array()) return wrong("successors");
    std::set<std::string> seen;
    for (const auto& server : *successors) {
        if (!server.is_string()) return wrong("successors");
        const auto& text = server.get_ref<const std::string&>();
        if (!parse_server_name(text, rules) || !seen.insert(text).second)
            return wrong("successors");
        state.successors.push_back(text);
    }
    return {};
}

bool read_users(const Json& object, const char* name, std::set<std::string>& out, NameRules rules)
{
    const auto list = object.find(name);
    if (list == object.end() || !list->is_array()) return false;
    for (const auto& user : *list) {
        if (!user.is_string()) return false;
        const auto& text = user.get_ref<const std::string&>();
        if (!parse_user_id(text, rules)) return false;
        out.insert(out.end(), text);
    }
    return true;
}

bool read_members(const Json& object, ChannelState& state, NameRules rules)
{
    const auto list = object.find("members");
    if (list == object.end() || !list->is_array()) return false;
    for (const auto& pair : *list) {
        if (!pair.is_array() || pair.size() != 2) return false;
        if (!pair[0].is_string() || !pair[1].is_string()) return false;
        const auto& user = pair[0].get_ref<const std::string&>();
        const auto role = role_from(pair[1].get_ref<const std::string&>());
        if (!role || !parse_user_id(user, rules)) return false;
        state.members.emplace_hint(state.members.end(), user, *role);
    }
    return true;
}

// No entry of a log leads to a user in two lists.
bool lists_are_apart(const ChannelState& state)
{
    for (const auto& user : state.invited) {
        if (state.members.contains(user) || state.banned.contains(user)) return false;
    }
    for (const auto& user : state.banned) {
        if (state.members.contains(user)) return false;
    }
    return true;
}

}  // namespace

Result<ChannelState> parse_state(std::string_view json, NameRules rules)
{
    if (json.size() > max_state_octets) return refuse(Code::too_large, "/state: over 4 MiB");
    if (auto checked = check_json(json); !checked) return fail(checked);
    const auto document = Json::parse(json, nullptr, false);
    if (!document.is_object()) return wrong("type");

    ChannelState state;
    if (auto read = read_values(document, state, rules); !read) return fail(read);
    if (!read_members(document, state, rules)) return wrong("members");
    if (!read_users(document, "invited", state.invited, rules)) return wrong("invited");
    if (!read_users(document, "banned", state.banned, rules)) return wrong("banned");
    if (!lists_are_apart(state)) return wrong("lists: a user is in two");
    // Foreign members, another order, repeats and other spellings all show here.
    if (state_json(state) != json) return wrong("form: not canonical");
    state.index.build(state);
    return state;
}

}  // namespace entente::protocol
