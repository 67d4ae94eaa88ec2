#include "storage/policy_store.hpp"

#include <algorithm>
#include <utility>

#include "storage/query.hpp"
#include "trust/policy/invariants.hpp"
#include "trust/policy/shipped.hpp"

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

// Puts a version in the place of what the sources have under its name.
Result<void> take(std::vector<Source>& sources, const PolicyVersion& version)
{
    if (!version.text) return {};
    auto policy = trust::policy::parse_policy(*version.text);
    if (!policy) return fail(policy);
    Source source{version.id, version.version, std::move(*policy)};
    const auto held = std::find_if(sources.begin(), sources.end(),
                                   [&](const Source& one) { return one.id == source.id; });
    if (held != sources.end()) {
        *held = std::move(source);
    } else {
        sources.push_back(std::move(source));
    }
    return {};
}

// The shipped ones, each stored one in its place or behind them; of `edited` not what is stored.
Result<std::vector<Source>> read_sources(Connection& db, std::string_view edited)
{
    auto stored = newest_policies(db);
    if (!stored) return fail(stored);
    auto sources = trust::policy::shipped_sources();
    for (const auto& version : *stored) {
        if (version.id == edited) continue;
        auto taken = take(sources, version);
        if (!taken) {
            return fail(Code::internal, "the stored policy " + version.id + ", version " +
                                            std::to_string(version.version) + ", " +
                                            taken.error().detail);
        }
    }
    return sources;
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
    auto sources = read_sources(db, edit.id);
    if (!sources) return fail(sources);
    if (auto taken = take(*sources, {edit.id, seen + 1, edit.text, {}, {}, 0}); !taken)
        return fail(taken);
    auto policies = Compiled::make(std::move(*sources));
    if (!policies) return fail(policies);
    if (auto open = check_superadmins(db, self, **policies, {}); !open) return fail(open);
    return PolicyPut{seen + 1, std::move(*policies)};
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

Result<std::shared_ptr<const Compiled>> read_policies(Connection& db)
{
    auto sources = read_sources(db, {});
    if (!sources) return fail(sources);
    return Compiled::make(std::move(*sources));
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
    return check_superadmins(db, self, **policies, leaving);
}

}  // namespace entente::storage
