#include "daemon/identity_commands.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <ostream>
#include <regex>

#include <nlohmann/json.hpp>

#include "api/wire.hpp"
#include "daemon/federation_stack.hpp"
#include "daemon/identity_change.hpp"
#include "daemon/key_memory.hpp"
#include "daemon/secret_input.hpp"
#include "daemon/setup.hpp"
#include "protocol/statement.hpp"
#include "storage/sqlite/database.hpp"
#include "trust/key_ring.hpp"

namespace entente::daemon {

namespace {

using nlohmann::ordered_json;
using protocol::Millis;
using protocol::SigningKey;

constexpr const char* how_to_reload =
    "A running ententd takes it up on reload: systemctl reload ententd, or kill -HUP its process\n";

struct Work {
    const Config& config;
    const IdentityOptions& options;
    protocol::Random& random;
    Millis now;
    std::ostream& out;
    std::ostream& notes;
    KeyFolder folder;
};

Result<Identity> load(const Work& work)
{
    if (auto user = check_user(work.config.server.data); !user) return fail(user);
    return work.folder.load(work.config.server.name, work.config.name_rules());
}

// Nothing where the key that is to sign is the server's own.
Result<std::optional<SigningKey>> recovery_of(const Work& work, const Identity& identity,
                                              bool is_needed)
{
    const auto& options = work.options;
    if (!is_needed && !options.by_recovery && options.recovery_file.empty())
        return std::optional<SigningKey>{};
    auto secret = read_recovery_secret(options.recovery_file);
    if (!secret) return fail(secret);
    auto key = recovery_key(identity, *secret);
    protocol::wipe(*secret);
    if (!key) return fail(key);
    return std::optional<SigningKey>{std::move(*key)};
}

// Without the recovery key nothing may be built on an older copy of the folder [LOG-10]. A
// database that isn't there or can't be read has no objection; ententd asks again.
Result<void> check_not_older(const Work& work, const Identity& identity)
{
    auto database = storage::make_sqlite_database(work.config.storage.sqlite_path());
    auto db = database->open_reader();
    if (!db) return {};
    auto checked = check_newest(**db, identity);
    if (!checked && checked.error().code == Code::forbidden) return checked;
    return {};
}

// What was replaced since an older copy signs nothing any more, and the copy can't know that.
Result<void> take_up_recovery_in_force(const Work& work, Identity& identity)
{
    auto database = storage::make_sqlite_database(work.config.storage.sqlite_path());
    auto db = database->open_reader();
    if (!db) return {};
    return take_up_recovery(**db, identity);
}

void warn_of_room(const Work& work, const Identity& identity)
{
    const auto published = federation::document(federation_identity(work.config, identity));
    if (published.statements.size() == identity.statements.size()) return;
    work.notes << "The server document has room for the newest " << published.statements.size()
               << " of " << identity.statements.size()
               << " statements: who last looked before the older ones were made may see a key "
                  "conflict\n";
}

const char* status_text(const protocol::DocumentKey& old, Millis now)
{
    if (old.revoked_at != 0) return "revoked";
    return now - old.until > trust::key_overlap_ms ? "expired" : "retired";
}

ordered_json statement_json(const std::string& text, const Identity& identity)
{
    ordered_json json;
    const auto statement = protocol::reread_statement(text);
    if (!statement) return json;
    if (const auto* rotation = std::get_if<protocol::Rotation>(&statement->what)) {
        json = {{"type", "rotation"},
                {"previous", rotation->previous.str()},
                {"key", rotation->key.thumbprint().str()}};
    } else if (const auto* revocation = std::get_if<protocol::Revocation>(&statement->what)) {
        json = {
            {"type", "revocation"}, {"kid", revocation->key.str()}, {"reason", revocation->reason}};
    } else if (const auto* recovery = std::get_if<protocol::Recovery>(&statement->what)) {
        json = {{"type", "recovery"},
                {"previous", recovery->previous.thumbprint().str()},
                {"key", recovery->key.thumbprint().str()}};
    }
    json["at"] = statement->at();
    const auto is_own = [&](const auto& old) {
        return old.key.thumbprint() == statement->signer.key;
    };
    const bool by_signing_key = identity.current.id() == statement->signer.key ||
                                std::ranges::any_of(identity.old_keys, is_own);
    json["signed_by"] = by_signing_key ? "signing key" : "recovery key";
    return json;
}

void show_json(const Work& work, const Identity& identity)
{
    ordered_json json;
    json["server"] = identity.server.str();
    json["folder"] = work.folder.path();
    json["keys"] = ordered_json::array();
    json["keys"].push_back(
        {{"kid", identity.current.id().str()}, {"status", "active"}, {"from", identity.from}});
    for (auto old = identity.old_keys.rbegin(); old != identity.old_keys.rend(); ++old) {
        ordered_json key{{"kid", old->key.thumbprint().str()},
                         {"status", status_text(*old, work.now)},
                         {"from", old->from},
                         {"until", old->until}};
        if (old->revoked_at != 0) key["revoked_at"] = old->revoked_at;
        json["keys"].push_back(std::move(key));
    }
    json["recovery"] = identity.recovery.thumbprint().str();
    json["statements"] = ordered_json::array();
    for (const auto& text : identity.statements)
        json["statements"].push_back(statement_json(text, identity));
    work.out << json.dump(2) << "\n";
}

void show_text(const Work& work, const Identity& identity)
{
    work.out << identity.server.str() << ", keys in " << work.folder.path() << "\n"
             << "active    " << identity.current.id().str() << "  since "
             << api::time_text(identity.from) << "\n";
    for (auto old = identity.old_keys.rbegin(); old != identity.old_keys.rend(); ++old) {
        const std::string status = status_text(*old, work.now);
        work.out << status << "   " << old->key.thumbprint().str() << "  until "
                 << api::time_text(old->until);
        if (status == "revoked") work.out << ", revoked from " << api::time_text(old->revoked_at);
        if (status == "retired")
            work.out << ", may sign until " << api::time_text(old->until + trust::key_overlap_ms);
        work.out << "\n";
    }
    work.out << "recovery  " << identity.recovery.thumbprint().str() << "\n"
             << identity.statements.size() << " statements\n";
}

Result<void> show(const Work& work)
{
    const auto identity = load(work);
    if (!identity) return fail(identity);
    if (work.options.json)
        show_json(work, *identity);
    else
        show_text(work, *identity);
    return {};
}

Result<void> store(const Work& work, const Identity& identity)
{
    auto stored = work.folder.replace(identity);
    if (!stored) return stored;
    warn_of_room(work, identity);
    work.notes << how_to_reload;
    return {};
}

Result<void> run_rotate(const Work& work)
{
    const auto lock = work.folder.lock();
    if (!lock) return fail(lock);
    auto identity = load(work);
    if (!identity) return fail(identity);
    // Of an older copy only the recovery key goes on.
    const bool by_recovery = work.options.by_recovery || !work.options.recovery_file.empty();
    auto fit =
        by_recovery ? take_up_recovery_in_force(work, *identity) : check_not_older(work, *identity);
    if (!fit) return fit;
    const auto recovery = recovery_of(work, *identity, false);
    if (!recovery) return fail(recovery);
    const auto old = identity->current.id();
    auto done = rotate(*identity, *recovery ? &**recovery : nullptr, work.random, work.now);
    if (!done) return done;
    auto stored = store(work, *identity);
    if (!stored) return stored;
    work.out << identity->current.id().str() << "\n";
    work.notes << "The new signing key takes the place of " << old.str() << "\n";
    return {};
}

Result<void> run_revoke(const Work& work)
{
    const auto id = protocol::parse_key_id(work.options.key);
    if (!id) return fail(Code::malformed, "--kid has to be a key's id of 43 characters");
    RevocationOrder order{*id, std::nullopt, work.options.reason};
    if (!work.options.at.empty()) {
        const auto at = parse_time(work.options.at);
        if (!at) return fail(at);
        order.at = *at;
    }
    const auto lock = work.folder.lock();
    if (!lock) return fail(lock);
    auto identity = load(work);
    if (!identity) return fail(identity);
    if (auto fit = check_not_older(work, *identity); !fit) return fit;
    const auto recovery = recovery_of(work, *identity, false);
    if (!recovery) return fail(recovery);
    auto done = revoke(*identity, order, *recovery ? &**recovery : nullptr, work.now);
    if (!done) return done;
    auto stored = store(work, *identity);
    if (!stored) return stored;
    work.notes << "The key " << id->str() << " is revoked\n";
    return {};
}

Result<void> run_recovery_kit(const Work& work)
{
    const auto lock = work.folder.lock();
    if (!lock) return fail(lock);
    auto identity = load(work);
    if (!identity) return fail(identity);
    if (auto fit = check_not_older(work, *identity); !fit) return fit;
    if (auto door = check_door(work.options.secrets_file); !door) return door;
    const auto recovery = recovery_of(work, *identity, true);
    if (!recovery) return fail(recovery);
    auto key = replace_recovery(*identity, **recovery, work.random, work.now);
    if (!key) return fail(key);
    auto seed = key->seed();
    auto secret = protocol::to_base64url(seed);
    // It goes out before it is in force: a key whose secret nobody has seen would be the end.
    auto shown = hand_out(recovery_text(identity->server.str(), secret), work.options.secrets_file);
    protocol::wipe(seed);
    protocol::wipe(secret);
    if (!shown) return shown;
    auto stored = store(work, *identity);
    if (!stored) {
        return fail(stored.error().code, stored.error().detail +
                                             "; the secret that was handed out isn't in force, "
                                             "the one before it still is");
    }
    work.out << identity->recovery.thumbprint().str() << "\n";
    work.notes << "The recovery key is new; what the old secret signs from now on counts no more\n";
    return {};
}

}  // namespace

Result<Millis> parse_time(std::string_view text)
{
    Millis millis = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, millis);
    if (read.ec == std::errc{} && read.ptr == end) return millis;

    static const std::regex form(R"((\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?Z)");
    std::cmatch part;
    const auto wrong =
        fail(Code::malformed, "a time looks like 2026-01-31T09:00:00Z, or is in milliseconds");
    if (!std::regex_match(text.data(), end, part, form)) return wrong;
    const auto number = [&](std::size_t i) { return std::stoi("0" + part[i].str()); };
    const std::chrono::year_month_day day{std::chrono::year{number(1)},
                                          std::chrono::month{static_cast<unsigned>(number(2))},
                                          std::chrono::day{static_cast<unsigned>(number(3))}};
    if (!day.ok() || number(4) > 23 || number(5) > 59 || number(6) > 59) return wrong;
    auto fraction = part[7].str();
    fraction.resize(3, '0');
    const auto since = std::chrono::sys_days{day}.time_since_epoch() +
                       std::chrono::hours{number(4)} + std::chrono::minutes{number(5)} +
                       std::chrono::seconds{number(6)} +
                       std::chrono::milliseconds{std::stoi(fraction)};
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

Result<void> run_identity(const Config& config, const IdentityOptions& options,
                          protocol::Random& random, const protocol::Clock& clock, std::ostream& out,
                          std::ostream& notes)
{
    using Action = IdentityOptions::Action;
    const Work work{
        config, options, random, clock.now_ms(), out, notes, KeyFolder(config.server.keys)};
    switch (options.action) {
        case Action::show: return show(work);
        case Action::rotate: return run_rotate(work);
        case Action::revoke: return run_revoke(work);
        case Action::recovery_kit: return run_recovery_kit(work);
    }
    return fail(Code::internal, "no action");
}

}  // namespace entente::daemon
