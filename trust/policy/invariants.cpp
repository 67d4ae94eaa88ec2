#include "trust/policy/invariants.hpp"

namespace entente::trust::policy {
namespace {

using A = Attribute;

bool is_rank(const Request& request, Attribute attribute, ServerRole role)
{
    return request.value(attribute) == static_cast<std::int64_t>(role);
}

// Whether a superadmin would be one no longer.
bool takes_superadmin(const Request& request)
{
    if (!is_rank(request, A::resource_role, ServerRole::superadmin)) return false;
    return request.action() != Action::account_role ||
           !is_rank(request, A::resource_new_role, ServerRole::superadmin);
}

std::string_view on_account(const Request& request)
{
    const bool gives_role = request.action() == Action::account_role;
    if (request.value(A::resource_own) != 0) return "not-oneself";
    const auto own_role = request.value(A::subject_role);
    if (request.value(A::resource_role) > own_role) return "not-above";
    if (gives_role && request.value(A::resource_new_role) > own_role) return "not-beyond";
    if (!takes_superadmin(request)) return {};
    return request.value(A::context_superadmins) <= 1 ? "last-superadmin" : std::string_view{};
}

// As the fold of the log has it too (section 8), which goes on to ask more.
std::string_view on_member(const Request& request)
{
    const bool gives_role = request.action() == Action::member_role;
    if (request.value(A::resource_own) != 0) return "not-oneself";
    const auto own_role = request.value(A::subject_channel_role);
    if (request.value(A::resource_channel_role) > own_role) return "not-above";
    if (gives_role && request.value(A::resource_new_channel_role) > own_role) return "not-beyond";
    return {};
}

// What is sure of a superadmin who changes policies: he is of this server, so has no tier.
Request change_by(std::string_view self, std::string_view id)
{
    Request request{Action::policy_change};
    request.word(A::subject_kind, SubjectKind::user)
        .flag(A::subject_local, true)
        .word(A::subject_role, ServerRole::superadmin)
        .word(A::resource_kind, ResourceKind::policy)
        .text(A::subject_server, self);
    if (!id.empty()) request.text(A::subject_id, id);
    return request;
}

}  // namespace

Attributes missing_facts(const Request& request)
{
    constexpr auto of_account = bit(A::subject_role) | bit(A::resource_role) | bit(A::resource_own);
    constexpr auto of_member =
        bit(A::subject_channel_role) | bit(A::resource_channel_role) | bit(A::resource_own);
    const auto missing = [&](Attributes needed) { return needed & ~request.present(); };
    switch (request.action()) {
        case Action::account_suspend:
        case Action::account_ban:
        case Action::account_delete:
        case Action::account_role: {
            const bool gives_role = request.action() == Action::account_role;
            const auto needed = of_account | (gives_role ? bit(A::resource_new_role) : 0);
            if (missing(needed) != 0 || !takes_superadmin(request)) return missing(needed);
            return missing(bit(A::context_superadmins));
        }
        case Action::member_kick:
        case Action::member_ban: return missing(of_member);
        case Action::member_role: return missing(of_member | bit(A::resource_new_channel_role));
        default: return 0;
    }
}

std::string_view broken_invariant(const Request& request)
{
    if (missing_facts(request) != 0) return facts_missing;
    switch (request.action()) {
        case Action::account_suspend:
        case Action::account_ban:
        case Action::account_delete:
        case Action::account_role: return on_account(request);
        case Action::member_kick:
        case Action::member_ban:
        case Action::member_role: return on_member(request);
        default: return {};
    }
}

Result<void> check_not_locked_out(const Compiled& policies, std::string_view self,
                                  std::span<const std::string> superadmins)
{
    static const std::string anybody;
    const auto candidates = superadmins.empty() ? std::span{&anybody, 1} : superadmins;
    RuleName hindrance = nothing_allows;
    for (const auto& id : candidates) {
        const auto request = change_by(self, id);
        const auto certainty =
            policies.certainty(request, request.present() | bit(A::subject_tier));
        if (certainty.is_permitted) return {};
        hindrance = certainty.hindrance;
    }
    return refuse(Code::forbidden,
                  "no superadmin could be sure to change policies any more: " + hindrance.text() +
                      (hindrance == nothing_allows ? ""
                                                   : "; leave superadmins or policy.change out "
                                                     "of that rule"));
}

}  // namespace entente::trust::policy
