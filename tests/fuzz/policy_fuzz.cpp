// A policy that an administrator has written, and what follows: taken within the limits or refused
// with a reason that is valid text; decided by without a way out of its steps; and a recorded
// decision, which gives itself back.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/json_rules.hpp"
#include "trust/policy/compiled.hpp"
#include "trust/policy/invariants.hpp"
#include "trust/policy/rehearsal.hpp"

namespace {

using namespace entente::trust::policy;

void require(bool condition)
{
    if (!condition) std::abort();
}

void try_record(std::string_view text)
{
    const auto record = parse_record(text);
    if (!record) return;
    const auto written = write_record(record->request, record->decided);
    if (!written) return;  // escapes may have become longer
    const auto again = parse_record(*written);
    require(again.has_value());
    require(write_record(again->request, again->decided).value() == *written);
}

void try_policy(std::string_view text)
{
    auto policy = parse_policy(text);
    if (!policy) {
        require(!policy.error().hint.empty());
        require(entente::protocol::check_json(entente::protocol::json_string(policy.error().hint))
                    .has_value());
        return;
    }
    require(policy->rules.size() <= max_policy_rules && policy->nodes <= max_policy_nodes);
    std::vector<Source> sources;
    sources.push_back({"p", 1, std::move(*policy)});
    const auto policies = Compiled::make(std::move(sources));
    if (!policies) return;
    const bool open = check_not_locked_out(**policies, "a.example", {}).has_value();
    for (std::size_t at = 0; at < action_count; ++at) {
        Request request{static_cast<Action>(at)};
        request.word(Attribute::subject_kind, SubjectKind::user)
            .flag(Attribute::subject_local, true)
            .word(Attribute::subject_role, ServerRole::superadmin)
            .text(Attribute::subject_server, "a.example");
        const auto verdict = (*policies)->decide(request);
        require(verdict.rule.rule.size() > 0);
        if (open && request.action() == Action::policy_change) require(verdict.is_permitted());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    try_policy(text);
    try_record(text);
    return 0;
}
