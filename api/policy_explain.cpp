// The part of PolicyDesk that says why something would be decided as it is: a request is made of
// what is known here of subject and resource, as the enforcement points make theirs, and every rule
// that holds for it is named. What is only there when it happens is said to be missing.
#include <utility>

#include "api/policy_desk.hpp"
#include "federation/event_policy.hpp"
#include "federation/persons.hpp"
#include "storage/acquaintances.hpp"
#include "storage/log_reader.hpp"

namespace entente::api {

namespace {

using protocol::ChannelState;
using storage::Connection;
namespace policy = trust::policy;
using policy::Action;
using policy::bit;
using A = policy::Attribute;

// No request of this version has them.
constexpr auto never_known = bit(A::subject_device_verified) | bit(A::subject_group) |
                             bit(A::scope_category) | bit(A::scope_drawer);

// A channel as it is held here.
struct KnownChannel {
    protocol::ChannelId name;
    protocol::ServerName home;
    ChannelState state;
};

// What was found of the two; a Request is made of it for each action.
struct Known {
    protocol::ServerName self;
    std::string user, server;  // of the subject; `user` is empty of a server
    bool is_local = false;
    trust::Tier tier = trust::Tier::blocked;  // of another server
    federation::Person person;
    std::string resource, resource_server;  // empty: nothing was named
    std::optional<KnownChannel> channel;
    std::optional<policy::ServerRole> account;  // the resource is an own account of this role
    std::int64_t superadmins = 0;               // as context.superadmins of that account
    std::optional<bool> is_acquainted;
};

bool knows(Action action, A attribute)
{
    return (policy::row_of(action).knows & bit(attribute)) != 0;
}

policy::ResourceKind kind_of(Action action)
{
    using Kind = policy::ResourceKind;
    switch (action) {
        case Action::directory_look_up:
        case Action::device_send:
        case Action::report_make:
        case Action::account_register:
        case Action::account_suspend:
        case Action::account_ban:
        case Action::account_delete:
        case Action::account_role: return Kind::account;
        case Action::key_claim: return Kind::key;
        case Action::invitation_receive: return Kind::invitation;
        case Action::media_ask:
        case Action::media_show:
        case Action::media_prefetch:
        case Action::media_upload: return Kind::file;
        case Action::report_list:
        case Action::report_close: return Kind::report;
        case Action::settings_change: return Kind::setting;
        case Action::policy_read:
        case Action::policy_change: return Kind::policy;
        default: return knows(action, A::scope_channel) ? Kind::channel : Kind::server;
    }
}

void describe_subject(policy::Request& request, const Known& known, protocol::Millis now)
{
    if (known.is_local && !known.user.empty()) {
        federation::describe(request, known.user, known.person, now);
    } else if (known.is_local) {
        request.word(A::subject_kind, policy::SubjectKind::server)
            .flag(A::subject_local, true)
            .word(A::subject_role, policy::ServerRole::none)
            .text(A::subject_id, known.server);
    } else {
        const bool is_server = known.user.empty();
        federation::describe_stranger(
            request, is_server ? policy::SubjectKind::server : policy::SubjectKind::user,
            is_server ? known.server : known.user, known.tier);
    }
    request.text(A::subject_server, known.server).at(now);
}

void describe_channel(policy::Request& request, const Known& known)
{
    const auto action = request.action();
    const auto type = policy::row_of(action).name;
    if (policy::action_of_event(type) == action) request.text(A::context_event_type, type);
    if (!known.channel) return;
    const auto& [name, home, state] = *known.channel;
    federation::name_channel(request, name, home);
    federation::describe_state(request, state, known.user, false);
    if (const auto* owner = federation::owner_of(state)) request.text(A::resource_owner, *owner);
}

// Of invitations, and else of servers below `known`.
bool is_acquaintance_asked(Action action, const Known& known)
{
    return knows(action, A::context_acquainted) && !known.is_local &&
           (action == Action::invitation_receive || known.tier < trust::Tier::known);
}

void describe_resource(policy::Request& request, const Known& known)
{
    const auto action = request.action();
    request.word(A::resource_kind, kind_of(action));
    if (knows(action, A::scope_channel)) {
        describe_channel(request, known);
        return;
    }
    request.text(A::resource_server,
                 known.resource.empty() ? known.self.str() : known.resource_server);
    if (!known.resource.empty()) request.text(A::resource_id, known.resource);
    if (known.is_acquainted && is_acquaintance_asked(action, known))
        request.flag(A::context_acquainted, *known.is_acquainted);
    if (known.account && knows(action, A::resource_role))
        request.word(A::resource_role, *known.account)
            .flag(A::resource_own, known.resource == known.user)
            .number(A::context_superadmins, known.superadmins);
}

// What its point will tell, and isn't known here.
policy::Attributes unknown_of(const policy::Request& request, const Known& known)
{
    const auto action = request.action();
    auto never = never_known | bit(A::subject_tier) | bit(A::subject_account_age);
    // Only of who calls himself.
    if (!known.is_local && action != Action::request_make) never |= bit(A::context_network);
    if (!is_acquaintance_asked(action, known)) never |= bit(A::context_acquainted);
    if (policy::action_of_event(policy::row_of(action).name) != action)
        never |= bit(A::context_event_type);
    return policy::row_of(action).knows & ~request.present() & ~never;
}

Explained explained(const std::shared_ptr<const policy::Compiled>& policies, const Known& known,
                    Action action, protocol::Millis now)
{
    policy::Request request{action};
    describe_subject(request, known, now);
    describe_resource(request, known);
    const auto foresight = policies->foresee(request, unknown_of(request, known));
    return {action,
            foresight.verdict.outcome,
            foresight.verdict.rule.text(),
            foresight.depends_on,
            policies->explain(request),
            policies};
}

struct Look {
    ExplainQuestion question;
    protocol::ServerName self;
    protocol::NameRules names;
    protocol::Millis now = 0;

    Result<Known> operator()(Connection& db) const
    {
        Known known;
        known.self = self;
        known.tier = question.tier.value_or(trust::Tier::blocked);
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
        auto person = federation::find_person(db, *user, now);
        if (!person) return fail(person);
        known.person = std::move(*person);
        return {};
    }

    [[nodiscard]] Result<void> look_at_resource(Connection& db, Known& known) const
    {
        if (auto name = protocol::parse_channel_id(question.resource, names))
            return look_at_channel(db, known, *name);
        auto user = protocol::parse_user_id(question.resource, names);
        if (!user) {
            known.resource_server = self.str();
            return {};
        }
        known.resource_server = protocol::server_of(*user).str();
        if (protocol::server_of(*user) != self) return {};
        auto account = storage::find_account(db, protocol::localpart_of(*user), now);
        if (!account) return fail(account);
        known.account = federation::policy_role(account->role);
        auto superadmins = storage::count_active_superadmins(db);
        if (!superadmins) return fail(superadmins);
        known.superadmins = *superadmins;
        return look_at_acquaintance(db, known);
    }

    [[nodiscard]] Result<void> look_at_channel(Connection& db, Known& known,
                                               const protocol::ChannelId& name) const
    {
        known.resource_server = protocol::creator_of(name).str();
        auto channel = storage::read_channel(db, name);
        if (!channel && channel.error().code == Code::not_found) return {};
        if (!channel) return fail(channel);
        auto state = storage::read_state(db, *channel, names);
        if (!state) return fail(state);
        known.channel = KnownChannel{name, channel->home, std::move(*state)};
        return {};
    }

    [[nodiscard]] Result<void> look_at_acquaintance(Connection& db, Known& known) const
    {
        if (known.is_local) return {};
        auto acquainted = known.user.empty()
                              ? storage::is_acquainted_with_server(db, known.resource, known.server)
                              : storage::are_acquainted(db, known.resource, known.user);
        if (!acquainted) return fail(acquainted);
        known.is_acquainted = *acquainted;
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
        const auto action = static_cast<Action>(at);
        // What nothing asks about isn't decided, whatever rules say.
        if (wanted ? *wanted == action : policy::is_asked(action))
            all.push_back(explained(policies, *known, action, now));
    }
    co_return all;
}

}  // namespace entente::api
