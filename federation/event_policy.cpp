#include "federation/event_policy.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace entente::federation {

namespace {

namespace policy = trust::policy;
using policy::ChannelRole;
using protocol::ChannelState;
using A = policy::Attribute;

ChannelRole role_in(const ChannelState& state, const std::string& who)
{
    if (who == state.home) return ChannelRole::home;
    const auto member = state.members.find(who);
    if (member == state.members.end()) return ChannelRole::none;
    switch (member->second) {
        case protocol::Role::member: return ChannelRole::member;
        case protocol::Role::moderator: return ChannelRole::moderator;
        case protocol::Role::owner: break;
    }
    return ChannelRole::owner;
}

std::optional<ChannelRole> role_from(std::string_view text)
{
    const auto role = protocol::role_from(text);
    if (!role) return std::nullopt;
    return *role == protocol::Role::member      ? ChannelRole::member
           : *role == protocol::Role::moderator ? ChannelRole::moderator
                                                : ChannelRole::owner;
}

// Of a member.* that somebody else is meant by; read where it is asked for.
struct Meant {
    std::string user, role;
};
Meant meant_by(std::string_view content)
{
    Meant meant;
    const auto json = nlohmann::json::parse(content, nullptr, false);
    if (!json.is_object()) return meant;
    const auto text = [&](const char* name) {
        const auto found = json.find(name);
        return found != json.end() && found->is_string() ? found->get<std::string>()
                                                         : std::string();
    };
    meant.user = text("user");
    meant.role = text("role");
    return meant;
}

bool is_about_a_user(policy::Action action)
{
    return (policy::row_of(action).knows & policy::bit(A::resource_channel_role)) != 0;
}

void describe_channel(policy::Request& request, const EventQuestion& question)
{
    const auto& event = question.event;
    name_channel(request, question.channel, question.home);
    request.text(A::context_event_type, event.type)
        .number(A::context_size,
                static_cast<std::int64_t>(event.octets.size() + question.content.size()));
    if (question.state == nullptr) {
        request.flag(A::subject_invited, question.is_invited);
        return;
    }
    describe_state(request, *question.state, event.sender.text, question.is_invited);
}

void describe_meant(policy::Request& request, const ChannelState& state, const Meant& meant,
                    const std::string& sender)
{
    request.flag(A::resource_own, meant.user == sender)
        .word(A::resource_channel_role, role_in(state, meant.user))
        .flag(A::resource_invited, state.invited.contains(meant.user))
        .flag(A::resource_banned, state.banned.contains(meant.user));
    const auto role = role_from(meant.role);
    if (request.action() == policy::Action::member_role && role)
        request.word(A::resource_new_channel_role, *role);
}

}  // namespace

void name_channel(policy::Request& request, const ChannelId& channel, const ServerName& home)
{
    request.word(A::resource_kind, policy::ResourceKind::channel)
        .text(A::resource_id, channel.str())
        .text(A::resource_server, home.str())
        .in_channel(channel.str());
}

void describe_state(policy::Request& request, const ChannelState& state, const std::string& user,
                    bool is_invited)
{
    request.word(A::subject_channel_role, role_in(state, user))
        .flag(A::subject_invited, is_invited || state.invited.contains(user))
        .flag(A::subject_banned, state.banned.contains(user))
        .flag(A::resource_public, state.is_public)
        .text(A::resource_encryption, state.encryption)
        .word(A::resource_history,
              state.history == "all" ? policy::History::all : policy::History::since_join);
}

const std::string* owner_of(const ChannelState& state)
{
    for (const auto& [user, role] : state.members)
        if (role == protocol::Role::owner) return &user;
    return nullptr;
}

void describe_stranger(policy::Request& request, policy::SubjectKind kind, std::string_view id,
                       trust::Tier tier)
{
    request.word(A::subject_kind, kind)
        .text(A::subject_id, id)
        .flag(A::subject_local, false)
        .word(A::subject_role, policy::ServerRole::none)
        .word(A::subject_tier, tier);
}

void describe(policy::Request& request, std::string_view user, const Person& person, Millis now)
{
    request.word(A::subject_kind, policy::SubjectKind::user)
        .flag(A::subject_local, true)
        .text(A::subject_id, user)
        .word(A::subject_role, person.role);
    if (person.since > 0 && now >= person.since)
        request.number(A::subject_account_age, (now - person.since) / 1'000);
    if (!person.network.empty()) request.text(A::context_network, person.network);
}

Result<policy::Ruling> ask_policies(policy::Enforcer& policies, const EventQuestion& question)
{
    const auto& event = question.event;
    const auto action = policy::action_of_event(event.type);
    policy::Request request{action};
    if (question.person != nullptr) {
        describe(request, event.sender.text, *question.person, policies.now());
    } else {
        describe_stranger(
            request,
            event.sender.is_server ? policy::SubjectKind::server : policy::SubjectKind::user,
            event.sender.text, question.tier);
    }
    request.text(A::subject_id, event.sender.text)
        .text(A::subject_server, event.sender.server.str());
    describe_channel(request, question);
    if (question.state == nullptr) return policies.decide(request, question.unallowed);
    if (question.target != nullptr &&
        (policy::row_of(action).knows & policy::bit(A::resource_own)) != 0)
        request.flag(A::resource_own, question.target->sender == event.sender.text);
    if (policies.asks(action, A::resource_owner)) {
        if (const auto* owner = owner_of(*question.state)) request.text(A::resource_owner, *owner);
    }
    if (!is_about_a_user(action)) return policies.decide(request, question.unallowed);
    const auto meant = meant_by(question.content);
    describe_meant(request, *question.state, meant, event.sender.text);
    return policies.decide(request, question.unallowed);
}

Result<void> ask_policies(policy::Enforcer* policies, const ServerQuestion& question)
{
    if (policies == nullptr) return {};
    policy::Request request{question.action};
    const bool is_user = !question.user.empty();
    describe_stranger(request, is_user ? policy::SubjectKind::user : policy::SubjectKind::server,
                      is_user ? question.user : std::string_view(question.server.str()),
                      question.tier);
    request.text(A::subject_server, question.server.str())
        .word(A::resource_kind, question.kind)
        .text(A::resource_server, question.self.str());
    if (!question.resource.empty()) request.text(A::resource_id, question.resource);
    if (!question.network.empty()) request.text(A::context_network, question.network);
    if (question.octets)
        request.number(A::context_size, static_cast<std::int64_t>(*question.octets));
    if (!question.channel.empty()) request.in_channel(question.channel);
    if (question.is_acquainted) request.flag(A::context_acquainted, *question.is_acquainted);
    auto ruling = policies->decide(request);
    if (!ruling) return fail(ruling);
    return {};
}

Result<void> ask_policies(policy::Enforcer* policies, const ChannelQuestion& question)
{
    if (policies == nullptr) return {};
    const auto server = protocol::server_of(question.user);
    policy::Request request{question.action};
    if (question.person != nullptr) {
        describe(request, question.user.str(), *question.person, policies->now());
    } else {
        describe_stranger(request, policy::SubjectKind::user, question.user.str(), question.tier);
    }
    request.text(A::subject_server, server.str());
    name_channel(request, question.channel, question.home);
    describe_state(request, question.state, question.user.str(), false);
    auto ruling = policies->decide(request);
    if (!ruling) return fail(ruling);
    return {};
}

}  // namespace entente::federation
