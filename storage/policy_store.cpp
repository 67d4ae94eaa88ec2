#include "storage/policy_store.hpp"

#include <algorithm>
#include <utility>

#include "storage/query.hpp"
#include "trust/policy/invariants.hpp"
#include "trust/policy/shipped.hpp"
#include "trust/policy/stand_in.hpp"

namespace entente::storage {

namespace {

using trust::policy::Compiled;
using trust::policy::Source;

constexpr char select_newest_version[] = "SELECT max(version) FROM policy WHERE id = ?";
constexpr char insert_policy[] =
    "INSERT INTO policy (id, version, text, author, reason, at) VALUES (?, ?, ?, ?, ?, ?)";
constexpr char select_newest[] =
    "SELECT id, version, text, author, reason, at FROM policy AS p "
    "WHERE version = (SELECT max(version) FROM policy WHERE id = p.id) ORDER BY id";
constexpr char select_history[] =
    "SELECT id, version, text, author, reason, at FROM policy "
    "WHERE id = ? AND version < ? ORDER BY version DESC LIMIT ?";
constexpr char select_superadmins[] =
    "SELECT localpart FROM account_user WHERE role = 'superadmin' AND suspended_at IS NULL "
    "AND banned_at IS NULL AND deleted_at IS NULL ORDER BY id";

constexpr std::int64_t beyond_all_versions = INT64_MAX;

PolicyVersion read_version(Statement& row)
{
    PolicyVersion version;
    version.id = row.text(0);
    version.version = row.integer(1);
    if (!row.is_null(2)) version.text = row.text(2);
    version.author = row.text(3);
    version.reason = row.text(4);
    version.at = row.integer(5);
    return version;
}

Result<void> check_edit(const PolicyEdit& edit)
{
    if (!trust::policy::is_policy_id(edit.id))
        return refuse(Code::malformed,
                      "a policy's name has 1 to 64 of a-z, 0-9, dot, hyphen and underscore");
    if (edit.author.empty()) return refuse(Code::malformed, "a policy needs an author");
    if (edit.reason.empty()) return refuse(Code::malformed, "a change of a policy needs a reason");
    if (edit.reason.size() > max_policy_reason_octets)
        return refuse(Code::too_large, "a reason has at most 1000 octets");
    return {};
}

bool is_shipped(std::string_view id)
{
    const auto& shipped = trust::policy::shipped_policies();
    return std::any_of(shipped.begin(), shipped.end(),
                       [id](const auto& one) { return one.id == id; });
}

void put_in(std::vector<Source>& sources, Source source)
{
    const auto held = std::find_if(sources.begin(), sources.end(),
                                   [&](const Source& one) { return one.id == source.id; });
    if (held != sources.end()) {
        *held = std::move(source);
    } else {
        sources.push_back(std::move(source));
    }
}

// A stored one in force, read.
struct Stored {
    PolicyVersion version;
    Result<trust::policy::Policy> policy;
};

Result<std::vector<Stored>> read_stored(Connection& db, std::string_view edited)
{
    auto newest = newest_policies(db);
    if (!newest) return fail(newest);
    std::vector<Stored> stored;
    for (auto& version : *newest) {
        if (!version.text || version.id == edited) continue;
        auto policy = trust::policy::parse_policy(*version.text);
        stored.push_back({std::move(version), std::move(policy)});
    }
    return stored;
}

// The shipped ones, the first `count` stored ones that can be read in their place or behind them,
// and what stands in for the rest.
Result<HeldPolicies> hold(const std::vector<Stored>& stored, std::size_t count, const Error& why)
{
    HeldPolicies held;
    auto sources = trust::policy::shipped_sources();
    Source stand_ins{std::string(trust::policy::stand_in_policy), 0, {}};
    for (std::size_t at = 0; at < stored.size(); ++at) {
        const auto& [version, policy] = stored[at];
        if (at < count && policy) {
            put_in(sources, {version.id, version.version, *policy});
            continue;
        }
        held.left_out.push_back(
            {version.id, version.version, policy ? why.detail : policy.error().detail});
        for (auto& rule : trust::policy::stand_in(version.id, *version.text))
            stand_ins.policy.rules.push_back(std::move(rule));
    }
    if (!stand_ins.policy.rules.empty()) sources.push_back(std::move(stand_ins));
    auto policies = Compiled::make(std::move(sources));
    if (!policies) return fail(policies);
    held.policies = std::move(*policies);
    return held;
}

// As many as there is room for; the last by their names go first.
Result<HeldPolicies> hold(const std::vector<Stored>& stored)
{
    Error why;
    for (auto count = stored.size();; --count) {
        auto held = hold(stored, count, why);
        if (held || count == 0) return held;
        why = held.error();
    }
}

// What holds with the edited one; `too_large` where there is no room for it, or it would take
// another's.
Result<HeldPolicies> hold_with(Connection& db, const PolicyEdit& edit, std::int64_t version)
{
    std::optional<trust::policy::Policy> own;
    if (edit.text) {
        auto parsed = trust::policy::parse_policy(*edit.text);
        if (!parsed) return fail(parsed);
        own = std::move(*parsed);
    }
    auto before = read_policies(db);
    auto stored = read_stored(db, edit.id);
    if (!before) return fail(before);
    if (!stored) return fail(stored);
    if (own)
        stored->insert(std::ranges::upper_bound(
                           *stored, edit.id, {},
                           [](const Stored& one) -> const std::string& { return one.version.id; }),
                       Stored{{edit.id, version, edit.text, {}, {}, 0}, std::move(*own)});
    auto after = hold(*stored);
    if (!after) return after;
    for (const auto& one : after->left_out) {
        const bool was_before = std::ranges::any_of(
            before->left_out, [&](const LeftOutPolicy& other) { return other.id == one.id; });
        if (!was_before || one.id == edit.id) return refuse(Code::too_large, one.why);
    }
    return after;
}

Result<void> check_superadmins(Connection& db, const protocol::ServerName& self,
                               const Compiled& policies, std::string_view leaving)
{
    auto names =
        all_rows(db, select_superadmins, [](Statement& row) { return std::string(row.text(0)); });
    if (!names) return fail(names);
    // Nobody is left; to have had nobody yet is another thing.
    if (std::erase(*names, leaving) > 0 && names->empty())
        return refuse(Code::forbidden, "the last superadmin stays");
    for (auto& name : *names) name += "@" + self.str();
    return trust::policy::check_not_locked_out(policies, self.str(), *names);
}

}  // namespace

Result<PolicyPut> try_policy(Connection& db, const protocol::ServerName& self,
                             const PolicyEdit& edit)
{
    if (auto checked = check_edit(edit); !checked) return fail(checked);
    auto newest =
        one_row(db, select_newest_version, [](Statement& row) { return row.integer(0); }, edit.id);
    if (!newest) return fail(newest);
    const auto seen = newest->value_or(0);
    if (seen != edit.seen)
        return refuse(Code::conflict, "the policy is at version " + std::to_string(seen));
    if (!edit.text && seen == 0)
        return refuse(Code::not_found, is_shipped(edit.id) ? "the policy is as it is shipped"
                                                           : "there is no such policy");
    auto held = hold_with(db, edit, seen + 1);
    if (!held) return fail(held);
    if (auto open = check_superadmins(db, self, *held->policies, {}); !open) return fail(open);
    return PolicyPut{seen + 1, std::move(held->policies)};
}

Result<PolicyPut> put_policy(Connection& db, const protocol::ServerName& self,
                             const PolicyEdit& edit)
{
    auto tried = try_policy(db, self, edit);
    if (!tried) return tried;
    auto query = Query::prepare(db, insert_policy);
    if (!query) return fail(query);
    (*query)->bind_text(0, edit.id).bind(1, tried->version);
    if (edit.text) {
        (*query)->bind_text(2, *edit.text);
    } else {
        (*query)->bind_null(2);
    }
    (*query)->bind_text(3, edit.author).bind_text(4, edit.reason).bind(5, edit.at);
    if (auto written = (*query)->run(); !written) return fail(written);
    return tried;
}

Result<std::int64_t> put_policy(WriteTransaction& transaction, const protocol::ServerName& self,
                                const PolicyEdit& edit,
                                std::shared_ptr<trust::policy::Policies> live)
{
    auto put = put_policy(transaction.db(), self, edit);
    if (!put) return fail(put);
    transaction.after_commit(
        [live = std::move(live), policies = std::move(put->policies)] { live->replace(policies); });
    return put->version;
}

Result<HeldPolicies> read_policies(Connection& db)
{
    auto stored = read_stored(db, {});
    if (!stored) return fail(stored);
    return hold(*stored);
}

Result<std::vector<PolicyVersion>> newest_policies(Connection& db)
{
    return all_rows(db, select_newest, read_version);
}

Result<std::vector<PolicyVersion>> policy_history(Connection& db, std::string_view id,
                                                  std::int64_t before, std::size_t limit)
{
    return all_rows(db, select_history, read_version, id,
                    before == 0 ? beyond_all_versions : before, limit);
}

Result<void> check_policies_without(Connection& db, const protocol::ServerName& self,
                                    std::string_view leaving)
{
    auto policies = read_policies(db);
    if (!policies) return fail(policies);
    return check_superadmins(db, self, *policies->policies, leaving);
}

}  // namespace entente::storage
