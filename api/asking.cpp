#include "api/asking.hpp"

#include "federation/event_policy.hpp"

namespace entente::api {

namespace {

namespace policy = trust::policy;
using A = policy::Attribute;

}  // namespace

federation::Person person_of(const Caller& caller)
{
    return {federation::policy_role(caller.role), caller.since, caller.network};
}

Result<void> ask_policies(const Api& api, const Caller& caller, const Asking& asking)
{
    const auto& own = api.options().server.str();
    const auto person = person_of(caller);
    policy::Request request{asking.action};
    federation::describe(request, caller.user.str(), person, api.now());
    request.text(A::subject_server, own)
        .word(A::resource_kind, asking.kind)
        .text(A::resource_server, asking.server.empty() ? std::string_view(own) : asking.server);
    if (!asking.object.empty()) request.text(A::resource_id, asking.object);
    if (asking.octets) request.number(A::context_size, *asking.octets);
    auto ruling = api.parts().policies.decide(request);
    if (!ruling) return fail(ruling);
    return {};
}

Result<void> ask_report(const Api& api, const Caller& caller, const protocol::UserId& reported,
                        std::size_t octets)
{
    return ask_policies(api, caller,
                        {policy::Action::report_make, policy::ResourceKind::account, reported.str(),
                         protocol::server_of(reported).str(), static_cast<std::int64_t>(octets)});
}

}  // namespace entente::api
