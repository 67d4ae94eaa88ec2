#include "conformance/reference/channel_state.hpp"

#include <algorithm>

#include "conformance/reference/json_rules.hpp"
#include "conformance/reference/names.hpp"
#include "conformance/reference/refused.hpp"

namespace entente::conformance::reference {

namespace {

constexpr int home_rank = 4;

[[noreturn]] void forbidden(const char* why)
{
    throw Refused{"forbidden", why};
}

int rank_named(const std::string& role)
{
    return role == "owner" ? 3 : role == "moderator" ? 2 : role == "member" ? 1 : 0;
}

std::string user_in(const ReadEvent& event, const Flags& flags)
{
    const auto user = text_of(event.body, "user");
    if (!is_user(user, flags)) throw Refused{"malformed", "a user that is none"};
    return user;
}

void require_moderator(const ChannelState& state, const ReadEvent& event, const Flags& flags)
{
    if (state.rank_of(event.sender) < 2 && !flags.has<"roles-ignored">())
        forbidden("only moderators may");
}

void check_join(const ChannelState& state, const ReadEvent& event, const Flags& flags)
{
    if (state.banned.contains(event.sender) && !flags.has<"ban-ignored">()) forbidden("banned");
    if (!state.is_public && !state.invited.contains(event.sender) && !flags.has<"join-uninvited">())
        forbidden("not invited");
}

void check_invite(const ChannelState& state, const ReadEvent& event, const Flags& flags)
{
    const auto user = user_in(event, flags);
    if (state.members.contains(user) || state.banned.contains(user))
        forbidden("whom it names is a member, or banned");
}

void check_removal(const ChannelState& state, const ReadEvent& event, const Flags& flags)
{
    const auto user = user_in(event, flags);
    require_moderator(state, event, flags);
    if (event.type == "member.unban") {
        if (!state.banned.contains(user)) throw Refused{"not-found", "not banned"};
        return;
    }
    if (state.rank_of(user) >= state.rank_of(event.sender) && !flags.has<"roles-ignored">())
        forbidden("not over an equal role");
    if (event.type == "member.kick" && !state.members.contains(user) &&
        !state.invited.contains(user))
        throw Refused{"not-found", "no member"};
}

void check_role(const ChannelState& state, const ReadEvent& event, const Flags& flags)
{
    const auto user = user_in(event, flags);
    const auto rank = rank_named(text_of(event.body, "role"));
    if (rank == 0) throw Refused{"malformed", "a role that is none"};
    if (!state.members.contains(user)) throw Refused{"not-found", "no member"};
    const auto own = state.rank_of(event.sender);
    if ((own <= state.rank_of(user) || own < rank) && !flags.has<"roles-ignored">())
        forbidden("not from this role");
}

void check_leave(const ChannelState& state, const ReadEvent& event)
{
    if (state.rank_of(event.sender) != 3 || state.members.size() == 1) return;
    const auto owners = std::count_if(state.members.begin(), state.members.end(),
                                      [](const auto& one) { return one.second == "owner"; });
    if (owners == 1) forbidden("the last owner names another first");
}

void check_target(const ChannelState& state, const ReadEvent& event, const TargetFacts& target,
                  const Flags& flags)
{
    if (flags.has<"target-ignored">()) return;
    if (!target.is_there || target.is_deleted) throw Refused{"not-found", "no such message"};
    if (event.type == "message.delete") {
        if (target.sender != event.sender && state.rank_of(event.sender) < 2 &&
            !flags.has<"author-ignored">())
            forbidden("another's message");
        return;
    }
    if (!target.is_message) forbidden("it is no message");
    if (event.type == "message.edit" && target.sender != event.sender &&
        !flags.has<"author-ignored">())
        forbidden("another's message");
    if (event.type == "message.react" && text_of(event.body, "key").empty())
        throw Refused{"malformed", "a reaction of nothing"};
}

}  // namespace

std::string ChannelState::written() const
{
    auto listed = nlohmann::json::array();
    for (const auto& [user, role] : members) listed.push_back({user, role});
    const nlohmann::json state = {{"kind", kind},
                                  {"name", name},
                                  {"topic", topic},
                                  {"avatar", avatar},
                                  {"public", is_public},
                                  {"history", history},
                                  {"retention", retention},
                                  {"encryption", encryption},
                                  {"successors", successors},
                                  {"home", home},
                                  {"members", std::move(listed)},
                                  {"invited", invited},
                                  {"banned", banned}};
    return state.dump();
}

ChannelState ChannelState::read(const std::string& written)
{
    const auto read = nlohmann::json::parse(written);
    ChannelState state;
    state.kind = text_of(read, "kind");
    state.name = text_of(read, "name");
    state.topic = text_of(read, "topic");
    state.avatar = text_of(read, "avatar");
    state.is_public = read.at("public").get<bool>();
    state.history = text_of(read, "history");
    state.retention = text_of(read, "retention");
    state.encryption = text_of(read, "encryption");
    state.successors = read.at("successors").get<std::vector<std::string>>();
    state.home = text_of(read, "home");
    for (const auto& member : read.at("members")) state.members[member.at(0)] = member.at(1);
    state.invited = read.at("invited").get<std::set<std::string>>();
    state.banned = read.at("banned").get<std::set<std::string>>();
    return state;
}

bool ChannelState::has_member_of(const std::string& server) const
{
    return std::any_of(members.begin(), members.end(),
                       [&](const auto& one) { return server_of(one.first) == server; });
}

bool ChannelState::may_be_known_to(const std::string& server) const
{
    return is_public || has_member_of(server) ||
           std::any_of(invited.begin(), invited.end(),
                       [&](const auto& user) { return server_of(user) == server; });
}

int ChannelState::rank_of(const std::string& user) const
{
    if (user == home) return home_rank;
    const auto found = members.find(user);
    return found == members.end() ? 0 : rank_named(found->second);
}

void check_allowed(const ChannelState& state, const ReadEvent& event, const TargetFacts& target,
                   bool is_first, const Flags& flags)
{
    const auto& type = event.type;
    if (is_first) {
        if (type != "channel.create") forbidden("a log begins with its creation");
        return;
    }
    if (type == "channel.create" && !flags.has<"roles-ignored">())
        forbidden("there is one already");
    if (type == "member.join") return check_join(state, event, flags);
    if (state.rank_of(event.sender) == 0 && !flags.has<"membership-ignored">() &&
        !(flags.has<"ban-ignored">() && state.banned.contains(event.sender)))
        throw Refused{"not-member", "no member"};
    if (type == "member.leave") return check_leave(state, event);
    if (type == "member.invite") return check_invite(state, event, flags);
    if (type == "member.kick" || type == "member.ban" || type == "member.unban")
        return check_removal(state, event, flags);
    if (type == "member.role") return check_role(state, event, flags);
    if (type == "channel.update") return require_moderator(state, event, flags);
    if (type == "channel.successors" || type == "channel.move") {
        if (state.rank_of(event.sender) < 3 && !flags.has<"roles-ignored">())
            forbidden("only owners may");
        return;
    }
    if (type == "message.edit" || type == "message.delete" || type == "message.react")
        return check_target(state, event, target, flags);
    if (flags.has<"unknown-types-refused">() && type != "message.create" && type != "key.share")
        throw Refused{"malformed", "a type that isn't known"};
}

void fold(ChannelState& state, const ReadEvent& event)
{
    const auto& body = event.body;
    if (!body.is_object()) return;
    const auto user = body.contains("user") && body["user"].is_string()
                          ? body["user"].get<std::string>()
                          : std::string();
    const auto take_text = [&](const char* name, std::string& value) {
        if (body.contains(name) && body[name].is_string()) value = body[name].get<std::string>();
    };
    if (event.type == "channel.create") {
        state.home = server_of(event.sender);
        state.members[event.sender] = "owner";
        take_text("kind", state.kind);
    }
    if (event.type == "channel.create" || event.type == "channel.update") {
        take_text("name", state.name);
        take_text("topic", state.topic);
        take_text("avatar", state.avatar);
        take_text("history", state.history);
        take_text("retention", state.retention);
        take_text("encryption", state.encryption);
        if (body.contains("public") && body["public"].is_boolean())
            state.is_public = body["public"].get<bool>();
    } else if (event.type == "member.join") {
        state.members.try_emplace(event.sender, "member");
        state.invited.erase(event.sender);
    } else if (event.type == "member.leave") {
        state.members.erase(event.sender);
    } else if (event.type == "member.invite") {
        state.invited.insert(user);
    } else if (event.type == "member.kick" || event.type == "member.ban") {
        state.members.erase(user);
        state.invited.erase(user);
        if (event.type == "member.ban") state.banned.insert(user);
    } else if (event.type == "member.unban") {
        state.banned.erase(user);
    } else if (event.type == "channel.move") {
        take_text("home", state.home);
    } else if (event.type == "member.role" && body.contains("role")) {
        take_text("role", state.members[user]);
    }
}

}  // namespace entente::conformance::reference
