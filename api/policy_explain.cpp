// The part of PolicyDesk that says why something would be decided as it is: a request is made of
// what is known here of subject and resource, and every rule that holds for it is named.
#include <utility>

#include "api/policy_desk.hpp"
#include "federation/event_policy.hpp"
#include "storage/log_reader.hpp"

namespace entente::api {

namespace {

using protocol::ChannelState;
using storage::Connection;
namespace policy = trust::policy;
using A = policy::Attribute;

// What was found of the two; a Request is made of it for each action.
struct Known {
    std::string user, server;  // of the subject; `user` is empty of a server
    bool is_local = false;
    std::optional<trust::Tier> tier;
    federation::Person person;
    std::string resource, resource_server;
    std::optional<ChannelState> channel;
    std::optional<policy::ServerRole> resource_role;
};

policy::ChannelRole role_in(const ChannelState& state, const std::string& user)
{
    const auto member = state.members.find(user);
    if (member == state.members.end()) return policy::ChannelRole::none;
    return static_cast<policy::ChannelRole>(static_cast<int>(member->second) + 1);
}

void describe_subject(policy::Request& request, const Known& known, protocol::Millis now)
{
    const auto& id = known.user.empty() ? known.server : known.user;
    if (known.is_local && !known.user.empty()) {
        federation::describe(request, known.user, known.person, now);
    } else {
        request
            .word(A::subject_kind,
                  known.user.empty() ? policy::SubjectKind::server : policy::SubjectKind::user)
            .flag(A::subject_local, known.is_local)
            .word(A::subject_role, policy::ServerRole::none)
            .text(A::subject_id, id);
        if (known.tier) request.word(A::subject_tier, *known.tier);
    }
    request.text(A::subject_server, known.server).at(now);
}

bool knows(policy::Action action, A attribute)
{
    return (policy::row_of(action).knows & policy::bit(attribute)) != 0;
}

void describe_resource(policy::Request& request, const Known& known)
{
    if (known.resource.empty()) return;
    const auto action = request.action();
    request.text(A::resource_id, known.resource).text(A::resource_server, known.resource_server);
    if (known.resource_role && knows(action, A::resource_role))
        request.word(A::resource_role, *known.resource_role)
            .flag(A::resource_own, known.resource == known.user)
            .number(A::context_superadmins, 2);
    if (!known.channel || !knows(action, A::scope_channel)) return;
    const auto& state = *known.channel;
    request.word(A::resource_kind, policy::ResourceKind::channel)
        .word(A::subject_channel_role, role_in(state, known.user))
        .flag(A::subject_invited, state.invited.contains(known.user))
        .flag(A::subject_banned, state.banned.contains(known.user))
        .flag(A::resource_public, state.is_public)
        .text(A::resource_encryption, state.encryption)
        .word(A::resource_history,
              state.history == "all" ? policy::History::all : policy::History::since_join)
        .in_channel(known.resource);
}

Explained explained(const std::shared_ptr<const policy::Compiled>& policies, const Known& known,
                    policy::Action action, protocol::Millis now)
{
    policy::Request request{action};
    describe_subject(request, known, now);
    describe_resource(request, known);
    const auto verdict = policies->decide(request);
    return {action, verdict.outcome, verdict.rule.text(), policies->explain(request), policies};
}

struct Look {
    ExplainQuestion question;
    protocol::ServerName self;
    protocol::NameRules names;
    protocol::Millis now = 0;

    Result<Known> operator()(Connection& db) const
    {
        Known known;
        known.tier = question.tier;
        if (auto subject = look_at_subject(db, known); !subject) return fail(subject);
        known.resource = question.resource;
        if (question.resource.empty()) return known;
        if (auto resource = look_at_resource(db, known); !resource) return fail(resource);
        return known;
    }

    [[nodiscard]] Result<void> look_at_subject(Connection& db, Known& known) const
    {
        if (auto server = protocol::parse_server_name(question.subject, names)) {
            known.server = server->str();
            known.is_local = *server == self;
            return {};
        }
        auto user = protocol::parse_user_id(question.subject, names);
        if (!user) return refuse(Code::malformed, "neither a server nor a user");
        known.user = user->str();
        known.server = protocol::server_of(*user).str();
        known.is_local = known.server == self.str();
        if (!known.is_local) return {};
        auto account = storage::find_account(db, protocol::localpart_of(*user), now);
        if (!account) return fail(account);
        known.person = {policy_role(account->role), account->created_at, {}};
        return {};
    }

    [[nodiscard]] Result<void> look_at_resource(Connection& db, Known& known) const
    {
        if (auto name = protocol::parse_channel_id(question.resource, names)) {
            auto channel = storage::read_channel(db, *name);
            if (!channel && channel.error().code == Code::not_found) {
                known.resource_server = protocol::creator_of(*name).str();
                return {};
            }
            if (!channel) return fail(channel);
            auto state = storage::read_state(db, *channel, names);
            if (!state) return fail(state);
            known.channel = std::move(*state);
            known.resource_server = channel->home.str();
            return {};
        }
        auto user = protocol::parse_user_id(question.resource, names);
        if (!user) {
            known.resource_server = self.str();
            return {};
        }
        known.resource_server = protocol::server_of(*user).str();
        if (protocol::server_of(*user) != self) return {};
        auto account = storage::find_account(db, protocol::localpart_of(*user), now);
        if (!account) return fail(account);
        known.resource_role = policy_role(account->role);
        return {};
    }
};

}  // namespace

asio::awaitable<Result<std::vector<Explained>>> PolicyDesk::explain(ExplainQuestion question)
{
    const auto now = parts_.clock.now_ms();
    const auto wanted = question.action;
    // Which names there may be was looked at by who made them.
    Look job{std::move(question), parts_.server, {.allow_test_names = true}, now};
    auto known = co_await parts_.commit.read(std::move(job));
    if (!known) co_return fail(known);
    const auto policies = parts_.policies.policies()->current();
    std::vector<Explained> all;
    for (std::size_t at = 0; at < policy::action_count; ++at) {
        const auto action = static_cast<policy::Action>(at);
        if (!wanted || *wanted == action) all.push_back(explained(policies, *known, action, now));
    }
    co_return all;
}

}  // namespace entente::api
