#include "api/policy_desk.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "federation/event_policy.hpp"
#include "storage/decision_store.hpp"
#include "storage/log_reader.hpp"
#include "trust/policy/shipped.hpp"

namespace entente::api {

namespace {

using nlohmann::json;
using storage::Connection;
using storage::PolicyVersion;
using storage::WriteTransaction;
namespace policy = trust::policy;
using A = policy::Attribute;

constexpr std::size_t records_at_once = 1'000;

const policy::ShippedPolicy* shipped_of(std::string_view id)
{
    const auto& shipped = policy::shipped_policies();
    const auto found = std::ranges::find(shipped, id, &policy::ShippedPolicy::id);
    return found == shipped.end() ? nullptr : &*found;
}

std::vector<std::string> unasked_of(const policy::Policy& parsed)
{
    std::set<policy::Action> actions;
    for (const auto& rule : parsed.rules) actions.insert(rule.actions.begin(), rule.actions.end());
    std::vector<std::string> names;
    for (const auto action : actions)
        if (!policy::is_asked(action)) names.emplace_back(policy::row_of(action).name);
    return names;
}

ShownPolicy shown_of(const PolicyVersion& version)
{
    const auto* shipped = shipped_of(version.id);
    ShownPolicy shown{version.id,
                      version.version,
                      !version.text && shipped != nullptr,
                      version.text,
                      0,
                      version.author,
                      version.reason,
                      version.at,
                      {},
                      {}};
    if (shown.is_shipped) shown.text = std::string(shipped->text);
    const auto parsed = policy::parse_policy(shown.text.value_or(""));
    if (parsed) shown.rules = parsed->rules.size();
    if (parsed && !shown.is_shipped) shown.unasked = unasked_of(*parsed);
    return shown;
}

Result<std::vector<ShownPolicy>> read_all(Connection& db)
{
    auto newest = storage::newest_policies(db);
    if (!newest) return fail(newest);
    std::vector<ShownPolicy> all;
    auto held = storage::read_policies(db);
    if (!held) return fail(held);
    for (const auto& version : *newest) {
        auto& shown = all.emplace_back(shown_of(version));
        const auto left_out =
            std::ranges::find(held->left_out, version.id, &storage::LeftOutPolicy::id);
        if (left_out != held->left_out.end()) shown.left_out = left_out->why;
    }
    for (const auto& shipped : policy::shipped_policies()) {
        const auto is_this = [&](const ShownPolicy& one) { return one.id == shipped.id; };
        if (std::ranges::none_of(all, is_this)) {
            PolicyVersion version;
            version.id = shipped.id;
            all.push_back(shown_of(version));
        }
    }
    std::ranges::sort(all, {}, &ShownPolicy::id);
    return all;
}

Result<std::int64_t> newest_of(Connection& db, const std::string& id)
{
    auto newest = storage::policy_history(db, id, 0, 1);
    if (!newest) return fail(newest);
    return newest->empty() ? 0 : newest->front().version;
}

// What `wish` was a change of, where it doesn't say so.
Result<void> take_seen(Connection& db, storage::PolicyEdit& edit,
                       const std::optional<std::int64_t>& seen)
{
    auto newest = seen ? Result<std::int64_t>{*seen} : newest_of(db, edit.id);
    if (!newest) return fail(newest);
    edit.seen = *newest;
    return {};
}

}  // namespace

// One change, as the writer runs it.
struct PolicyDesk::Put {
    Administrator by;
    storage::PolicyEdit edit;
    std::optional<std::int64_t> seen;
    std::optional<std::int64_t> restored;  // the version whose text it is
    policy::Enforcer& policies;
    protocol::ServerName server;

    Result<std::int64_t> operator()(WriteTransaction& transaction)
    {
        auto& db = transaction.db();
        const Act act{policy::Action::policy_change, policy::ResourceKind::policy, edit.id};
        auto allowed = check_act(db, policies, server, by, act, edit.at);
        if (!allowed) return fail(allowed);
        if (auto taken = take_seen(db, edit, seen); !taken) return fail(taken);
        if (auto text = take_restored(db); !text) return fail(text);
        auto version = storage::put_policy(transaction, server, edit, policies.policies());
        if (!version) return version;
        json details{{"version", *version}, {"reason", edit.reason}};
        if (restored) details["restored"] = *restored;
        auto noted = storage::append_audit(db, server, edit.at,
                                           {by.name, "policy.change", edit.id, details.dump()});
        if (!noted) return fail(noted);
        return version;
    }

    [[nodiscard]] Result<void> take_restored(Connection& db)
    {
        if (!restored || *restored == 0) return {};
        auto versions = storage::policy_history(db, edit.id, *restored + 1, 1);
        if (!versions) return fail(versions);
        if (versions->empty() || versions->front().version != *restored)
            return refuse(Code::not_found, "no such version");
        edit.text = versions->front().text;
        return {};
    }
};

asio::awaitable<Result<void>> PolicyDesk::start()
{
    auto job = [](Connection& db) { return storage::read_policies(db); };
    auto stored = co_await parts_.commit.read(std::move(job));
    if (!stored) co_return fail(stored);
    for (const auto& one : stored->left_out)
        parts_.log.write(
            protocol::LogLevel::error, "trust",
            "a stored policy can't be held: what it names is denied to all; put it "
            "right with ententctl policy put, or restore another version",
            {{"policy", one.id}, {"version", std::to_string(one.version)}, {"why", one.why}});
    parts_.policies.policies()->replace(std::move(stored->policies));
    co_return Result<void>{};
}

asio::awaitable<Result<std::vector<ShownPolicy>>> PolicyDesk::list()
{
    auto job = [](Connection& db) { return read_all(db); };
    auto all = co_await parts_.commit.read(std::move(job));
    co_return all;
}

asio::awaitable<Result<ShownPolicy>> PolicyDesk::show(std::string id)
{
    auto all = co_await list();
    if (!all) co_return fail(all);
    const auto found = std::ranges::find(*all, id, &ShownPolicy::id);
    if (found == all->end()) co_return refuse(Code::not_found, "no such policy");
    co_return std::move(*found);
}

asio::awaitable<Result<std::vector<PolicyVersion>>> PolicyDesk::versions(std::string id,
                                                                         std::int64_t before,
                                                                         std::size_t limit)
{
    auto job = [id = std::move(id), before, limit](Connection& db) {
        return storage::policy_history(db, id, before, limit);
    };
    auto rows = co_await parts_.commit.read(std::move(job));
    co_return rows;
}

storage::PolicyEdit PolicyDesk::edit_of(const Administrator& by, const PolicyWish& wish)
{
    return {wish.id, 0, wish.text, by.name, wish.reason, parts_.clock.now_ms()};
}

asio::awaitable<Result<CheckedPolicy>> PolicyDesk::check(PolicyWish wish)
{
    auto edit = edit_of({}, wish);
    edit.reason = "tried";
    auto job = [edit = std::move(edit), seen = wish.seen,
                server = parts_.server](Connection& db) mutable -> Result<CheckedPolicy> {
        if (auto taken = take_seen(db, edit, seen); !taken) return fail(taken);
        auto tried = storage::try_policy(db, server, edit);
        if (!tried) return fail(tried);
        CheckedPolicy checked{tried->version, {}};
        const auto parsed = policy::parse_policy(edit.text.value_or(""));
        if (parsed) checked.unasked = unasked_of(*parsed);
        return checked;
    };
    auto checked = co_await parts_.commit.read(std::move(job));
    co_return checked;
}

asio::awaitable<Result<std::int64_t>> PolicyDesk::put(Administrator by, PolicyWish wish)
{
    if (auto fits = check_reason(wish.reason); !fits) co_return fail(fits);
    auto edit = edit_of(by, wish);
    Put job{std::move(by), std::move(edit), wish.seen,
            std::nullopt,  parts_.policies, parts_.server};
    auto put = co_await parts_.commit.write(std::move(job));
    co_return put;
}

asio::awaitable<Result<std::int64_t>> PolicyDesk::restore(Administrator by, std::string id,
                                                          std::int64_t version, std::string reason)
{
    if (auto fits = check_reason(reason); !fits) co_return fail(fits);
    PolicyWish wish{std::move(id), std::nullopt, std::nullopt, std::move(reason)};
    auto edit = edit_of(by, wish);
    Put job{std::move(by), std::move(edit), std::nullopt, version, parts_.policies, parts_.server};
    auto put = co_await parts_.commit.write(std::move(job));
    co_return put;
}

asio::awaitable<Result<void>> PolicyDesk::keep_sample()
{
    auto records = parts_.policies.take_records();
    if (records.empty()) co_return Result<void>{};
    auto job = [records = std::move(records),
                now = parts_.clock.now_ms()](WriteTransaction& transaction) {
        return storage::put_decisions(transaction.db(), records, now);
    };
    auto kept = co_await parts_.commit.write(std::move(job));
    co_return kept;
}

asio::awaitable<Result<policy::Rehearsal>> PolicyDesk::rehearse(PolicyWish wish,
                                                                protocol::Millis since)
{
    auto kept = co_await keep_sample();
    if (!kept) co_return fail(kept);
    auto edit = edit_of({}, wish);
    edit.reason = "tried";
    auto job = [edit = std::move(edit), seen = wish.seen, server = parts_.server, since,
                before = parts_.policies.policies()->current()](
                   Connection& db) mutable -> Result<policy::Rehearsal> {
        if (auto taken = take_seen(db, edit, seen); !taken) return fail(taken);
        auto tried = storage::try_policy(db, server, edit);
        if (!tried) return fail(tried);
        std::vector<std::string> records;
        std::int64_t after = 0;
        for (;;) {
            auto rows = storage::decisions_since(db, since, after, records_at_once);
            if (!rows) return fail(rows);
            for (auto& row : *rows) records.push_back(std::move(row.record));
            if (rows->size() < records_at_once) break;
            after = rows->back().id;
        }
        return policy::rehearse(records, *before, *tried->policies);
    };
    auto done = co_await parts_.commit.read(std::move(job));
    co_return done;
}

}  // namespace entente::api
