#include "daemon/key_memory.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <variant>

#include "protocol/jws.hpp"
#include "protocol/octets.hpp"
#include "protocol/statement.hpp"
#include "storage/incoming_store.hpp"

namespace entente::daemon {

namespace {

using protocol::Millis;

// "<time of the newest> <mark of the last statement, or the id of the first key>"
constexpr std::string_view fact = "newest_keys";
// "<x of the recovery key in force> <each recovery that has led to it, as JWS>…"
constexpr std::string_view recovery_fact = "recovery_key";

// Of what is stated, whoever signs it: a rotation for which the recovery key came to stand is
// still the same.
std::string mark_of(const std::string& statement)
{
    const auto jws = protocol::parse_jws(statement, {.allow_test_names = true});
    return protocol::to_base64url(protocol::sha256(jws ? jws->payload : statement));
}

std::string_view kind_of(const std::string& text)
{
    const auto statement = protocol::reread_statement(text);
    if (!statement) return "unknown";
    if (std::holds_alternative<protocol::Rotation>(statement->what)) return "rotation";
    if (std::holds_alternative<protocol::Revocation>(statement->what)) return "revocation";
    return "recovery";
}

std::string newest_mark(const Identity& keys)
{
    return keys.statements.empty() ? keys.current.id().str() : mark_of(keys.statements.back());
}

bool holds(const Identity& keys, const std::string& mark)
{
    const auto is_key = [&](const auto& old) { return old.key.thumbprint().str() == mark; };
    if (keys.current.id().str() == mark || std::ranges::any_of(keys.old_keys, is_key)) return true;
    return std::ranges::any_of(keys.statements,
                               [&](const auto& it) { return mark_of(it) == mark; });
}

struct Newest {
    Millis time = 0;
    std::string mark;
};

struct KnownRecovery {
    protocol::PublicKey key;
    std::vector<std::string> statements;
};

// Nothing before the first start.
Result<std::optional<Newest>> find_newest(storage::Connection& db)
{
    const auto known = storage::find_fact(db, fact);
    if (!known) return fail(known);
    if (!*known) return std::optional<Newest>{};
    const auto& text = **known;
    const auto space = std::min(text.find(' '), text.size());
    Newest newest;
    std::from_chars(text.data(), text.data() + space, newest.time);
    newest.mark = text.substr(std::min(space + 1, text.size()));
    return std::optional{std::move(newest)};
}

// Nothing where no version that remembers it has run.
Result<std::optional<KnownRecovery>> find_recovery(storage::Connection& db)
{
    const auto known = storage::find_fact(db, recovery_fact);
    if (!known) return fail(known);
    if (!*known) return std::optional<KnownRecovery>{};
    std::istringstream words(**known);
    std::string word;
    words >> word;
    const auto key = protocol::PublicKey::from_x(word);
    if (!key) return fail(key);
    KnownRecovery recovery{*key, {}};
    while (words >> word) recovery.statements.push_back(word);
    return std::optional{std::move(recovery)};
}

std::string known_recovery_text(const Identity& keys)
{
    auto text = keys.recovery.x();
    for (const auto& it : keys.statements) {
        const auto statement = protocol::reread_statement(it);
        if (statement && std::holds_alternative<protocol::Recovery>(statement->what))
            text += " " + it;
    }
    return text;
}

// The recovery key of `known` and those that `keys` have put in its place since.
std::vector<protocol::KeyId> in_force_since(const KnownRecovery& known, const Identity& keys)
{
    std::vector<protocol::KeyId> ids{known.key.thumbprint()};
    for (const auto& it : keys.statements) {
        const auto statement = protocol::reread_statement(it);
        if (!statement) continue;
        const auto* recovery = std::get_if<protocol::Recovery>(&statement->what);
        if (recovery != nullptr && recovery->previous.thumbprint() == ids.back())
            ids.push_back(recovery->key.thumbprint());
    }
    return ids;
}

// Others follow it, whatever else the lost keys had said: but only where it is the recovery key
// that they know which has signed [KEY-4].
bool is_recovered_since(const Identity& keys, Millis time,
                        const std::optional<KnownRecovery>& known)
{
    std::vector<protocol::KeyId> in_force;
    if (known) in_force = in_force_since(*known, keys);
    if (known && in_force.back() != keys.recovery.thumbprint()) return false;
    return std::ranges::any_of(keys.statements, [&](const std::string& text) {
        const auto statement = protocol::reread_statement(text);
        if (!statement || statement->at() <= time) return false;
        const auto* rotation = std::get_if<protocol::Rotation>(&statement->what);
        if (rotation == nullptr || rotation->previous == statement->signer.key) return false;
        return !known || std::ranges::find(in_force, statement->signer.key) != in_force.end();
    });
}

Result<void> set_where_new(storage::Connection& db, std::string_view name, const std::string& value)
{
    const auto known = storage::find_fact(db, name);
    if (!known) return fail(known);
    if (*known && **known == value) return {};
    return storage::set_fact(db, name, value);
}

}  // namespace

Result<void> check_newest(storage::Connection& db, const Identity& keys)
{
    const auto newest = find_newest(db);
    if (!newest) return fail(newest);
    if (!*newest || holds(keys, (*newest)->mark)) return {};
    const auto recovery = find_recovery(db);
    if (!recovery) return fail(recovery);
    if (is_recovered_since(keys, (*newest)->time, *recovery)) return {};
    return fail(Code::forbidden,
                "the key folder is older than what this server has used: put its newest copy back; "
                "where that is lost, run ententctl identity rotate with the newest recovery secret "
                "(--recovery-file)");
}

Result<void> remember_newest(storage::Connection& db, const Identity& keys)
{
    auto checked = check_newest(db, keys);
    if (!checked) return checked;
    const auto value = std::to_string(keys.newest()) + " " + newest_mark(keys);
    auto set = set_where_new(db, fact, value);
    if (!set) return set;
    return set_where_new(db, recovery_fact, known_recovery_text(keys));
}

Result<std::optional<storage::AuditRecord>> key_change(storage::Connection& db,
                                                       const Identity& keys)
{
    const auto newest = find_newest(db);
    if (!newest) return fail(newest);
    const auto mark = newest_mark(keys);
    if (!*newest || (*newest)->mark == mark) return std::optional<storage::AuditRecord>{};
    std::string kinds;
    auto statement = std::ranges::find(keys.statements, (*newest)->mark, mark_of);
    // Where what is remembered is a key's id, or was lost with the folder, all are new.
    statement = statement == keys.statements.end() ? keys.statements.begin() : statement + 1;
    for (; statement != keys.statements.end(); ++statement)
        kinds += (kinds.empty() ? "\"" : ",\"") + std::string(kind_of(*statement)) + "\"";
    storage::AuditRecord record{storage::audit_operator, "identity.change", keys.server.str()};
    record.details = R"({"key":")" + keys.current.id().str() + R"(","statements":[)" + kinds + "]}";
    return std::optional{std::move(record)};
}

Result<void> take_up_recovery(storage::Connection& db, Identity& keys)
{
    const auto newest = find_newest(db);
    if (!newest) return fail(newest);
    if (!*newest || holds(keys, (*newest)->mark)) return {};
    const auto recovery = find_recovery(db);
    if (!recovery) return fail(recovery);
    if (!*recovery || in_force_since(**recovery, keys).back() == keys.recovery.thumbprint())
        return {};
    for (const auto& statement : (*recovery)->statements)
        if (!holds(keys, mark_of(statement))) keys.statements.push_back(statement);
    keys.recovery = (*recovery)->key;
    return {};
}

}  // namespace entente::daemon
