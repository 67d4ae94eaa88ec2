#include "daemon/key_memory.hpp"

#include <algorithm>
#include <charconv>

#include "protocol/jws.hpp"
#include "protocol/octets.hpp"
#include "protocol/statement.hpp"
#include "storage/incoming_store.hpp"

namespace entente::daemon {

namespace {

using protocol::Millis;

// "<time of the newest> <mark of the last statement, or the id of the first key>"
constexpr std::string_view fact = "newest_keys";

// Of what is stated, whoever signs it: a rotation for which the recovery key came to stand is
// still the same.
std::string mark_of(const std::string& statement)
{
    const auto jws = protocol::parse_jws(statement, {.allow_test_names = true});
    return protocol::to_base64url(protocol::sha256(jws ? jws->payload : statement));
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

// Others follow it, whatever else the lost keys had said.
bool is_recovered_since(const Identity& keys, Millis time)
{
    return std::ranges::any_of(keys.statements, [&](const std::string& text) {
        const auto statement = protocol::reread_statement(text);
        if (!statement || statement->at() <= time) return false;
        const auto* rotation = std::get_if<protocol::Rotation>(&statement->what);
        return rotation != nullptr && rotation->previous != statement->signer.key;
    });
}

}  // namespace

Result<void> check_newest(storage::Connection& db, const Identity& keys)
{
    const auto known = storage::find_fact(db, fact);
    if (!known) return fail(known);
    if (!*known) return {};
    const auto& text = **known;
    const auto space = std::min(text.find(' '), text.size());
    Millis time = 0;
    std::from_chars(text.data(), text.data() + space, time);
    if (holds(keys, text.substr(std::min(space + 1, text.size())))) return {};
    if (is_recovered_since(keys, time)) return {};
    return fail(Code::forbidden,
                "the key folder is older than what this server has used: put its newest copy back; "
                "where that is lost, run ententctl identity rotate with the recovery secret");
}

Result<void> remember_newest(storage::Connection& db, const Identity& keys)
{
    auto checked = check_newest(db, keys);
    if (!checked) return checked;
    const auto value = std::to_string(keys.newest()) + " " + newest_mark(keys);
    const auto known = storage::find_fact(db, fact);
    if (!known) return fail(known);
    if (*known && **known == value) return {};
    return storage::set_fact(db, fact, value);
}

}  // namespace entente::daemon
