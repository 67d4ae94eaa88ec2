#include "daemon/setup.hpp"

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/passwords.hpp"
#include "daemon/durable_file.hpp"
#include "daemon/key_folder.hpp"
#include "daemon/user_name.hpp"
#include "net/tls.hpp"
#include "storage/account_store.hpp"
#include "storage/audit_store.hpp"
#include "storage/sqlite/database.hpp"

namespace entente::daemon {

namespace {

// 120 bits each: no guessing, short enough to type once.
constexpr std::size_t password_octets = 15;

struct NewAdministrator {
    protocol::ServerName server;
    std::string localpart;
    std::string password_hash;
};

Result<void> note_administrator(storage::Connection& db, const NewAdministrator& admin,
                                protocol::Millis now)
{
    auto noted = storage::append_audit(
        db, admin.server, now,
        {storage::audit_operator, "server.setup", admin.localpart + "@" + admin.server.str()});
    if (!noted) return fail(noted);
    return {};
}

// In one transaction; `resumed` allows an administrator that an interrupted setup made.
Result<void> write_administrator(storage::Connection& db, const NewAdministrator& admin,
                                 bool resumed, protocol::Millis now)
{
    auto has_one = storage::has_superadmin(db);
    if (!has_one) return fail(has_one);
    if (*has_one && !resumed) {
        return fail(Code::conflict,
                    "the database has an administrator already, but the keys are gone; put the "
                    "newest copy of the keys folder back in place");
    }
    auto found = storage::find_user(db, admin.localpart);
    if (found && resumed && found->role == storage::AccountRole::superadmin) {
        auto set = storage::set_password(db, found->id, admin.password_hash);
        if (!set) return set;
        return note_administrator(db, admin, now);
    }
    if (!found && found.error().code != Code::not_found) return fail(found);
    auto made = storage::create_user(db, admin.localpart, admin.password_hash,
                                     storage::AccountRole::superadmin, now);
    if (!made && made.error().code == Code::conflict) {
        return fail(Code::conflict, "there is a user " + admin.localpart +
                                        " already; choose another name with --admin");
    }
    if (!made) return fail(made);
    return note_administrator(db, admin, now);
}

Result<void> create_administrator(const Config& config, const NewAdministrator& admin, bool resumed,
                                  protocol::Millis now)
{
    auto database = storage::make_sqlite_database(config.storage.sqlite_path());
    auto db = database->open_writer();
    if (!db) return fail(db);
    auto begun = (*db)->begin();
    if (!begun) return begun;
    auto written = write_administrator(**db, admin, resumed, now);
    if (!written) {
        (*db)->rollback();
        return written;
    }
    return (*db)->commit();
}

Result<void> check_name(const std::string& admin)
{
    if (protocol::is_localpart(admin)) return {};
    return fail(Code::malformed, "\"" + admin +
                                     "\" can't be an account's name; use a-z, 0-9, "
                                     "dot, underscore and hyphen, starting with a letter or digit");
}

Result<void> check_beforehand(const Config& config, const std::string& admin)
{
    if (auto fit = check_name(admin); !fit) return fit;
    if (auto fit = check_user(config.server.data); !fit) return fit;
    const KeyFolder folder(config.server.keys);
    const auto is_there = folder.has_identity();
    if (!is_there) return fail(is_there);
    if (*is_there) {
        return fail(Code::conflict, config.server.name.str() +
                                        " is set up already: its keys are in " + folder.path() +
                                        "; nothing was changed");
    }
    return {};
}

Result<void> check_database_is_lost(const Config& config)
{
    const KeyFolder folder(config.server.keys);
    const auto is_there = folder.has_identity();
    if (!is_there) return fail(is_there);
    if (!*is_there)
        return fail(Code::conflict, "there are no keys in " + folder.path() +
                                        " yet; run this without --new-database");
    if (has_database(config))
        return fail(Code::conflict,
                    "the database " + config.storage.sqlite_path() +
                        " isn't empty; nothing was changed. To lose what is in it, move it away");
    return check_user(config.server.data);
}

// Where this user may write: the certificate and its key go there.
Result<void> make_folder_of(const std::string& file)
{
    const auto folder = std::filesystem::path(file).parent_path();
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (!failed && ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return {};
    const std::string why = failed ? failed.message() : std::strerror(errno);
    const auto user = user_name(::geteuid());
    return fail(Code::forbidden,
                "the folder " + folder.string() + " can't be " + (failed ? "made: " : "written: ") +
                    why + "; run as root: install -d -o " + user + " -m 0700 " + folder.string());
}

std::string administrator_name(const Config& config, const std::string& localpart)
{
    return localpart + "@" + config.server.name.str();
}

}  // namespace

bool has_database(const Config& config)
{
    std::error_code failed;
    const auto octets = std::filesystem::file_size(config.storage.sqlite_path(), failed);
    // What can't be looked at is there, and another matter.
    if (failed) return failed != std::errc::no_such_file_or_directory;
    return octets > 0;
}

std::string to_text(const SetupSecrets& secrets)
{
    if (secrets.recovery_secret.empty())
        return "# Shown this once. The recovery secret is the one of before.\nserver: " +
               secrets.server + "\nadministrator: " + secrets.administrator +
               "\npassword: " + secrets.password + "\n";
    return "# Shown this once. Keep the recovery secret offline: with it the keys of this server\n"
           "# can be replaced; without it a lost or stolen key can't be.\n"
           "server: " +
           secrets.server + "\nadministrator: " + secrets.administrator +
           "\npassword: " + secrets.password + "\nrecovery secret: " + secrets.recovery_secret +
           "\n";
}

Result<void> check_user(const std::string& data)
{
    struct stat status{};
    if (::geteuid() != 0 || ::stat(data.c_str(), &status) != 0 || status.st_uid == 0) return {};
    return fail(Code::forbidden,
                data + " belongs to " + user_name(status.st_uid) + "; " + run_as(status.st_uid));
}

std::string recovery_text(const std::string& server, const std::string& secret)
{
    return "# Shown this once. Keep it offline, in place of the recovery secret of before.\n"
           "server: " +
           server + "\nrecovery secret: " + secret + "\n";
}

Result<void> check_door(const std::string& file)
{
    std::error_code ignored;
    if (!file.empty() && std::filesystem::exists(file, ignored)) {
        return fail(Code::conflict, file + " exists; name a new file for the secrets");
    }
    const auto folder = std::filesystem::path(file).parent_path();
    if (!folder.empty() && !std::filesystem::is_directory(folder, ignored)) {
        return fail(Code::not_found, "there is no folder " + folder.string() +
                                         " for the secrets; make it first, or name another file");
    }
    if (file.empty() && ::isatty(STDOUT_FILENO) == 0) {
        return fail(Code::forbidden,
                    "the secrets are shown on a terminal only; name a file for "
                    "them with --secrets-file");
    }
    return {};
}

Result<void> hand_out(const std::string& text, const std::string& file)
{
    auto fit = check_door(file);
    if (!fit) return fit;
    if (!file.empty()) return write_private_file(file, text, IfThere::refuse);
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
        std::fflush(stdout) != 0) {
        return fail(Code::internal, "the terminal took no text; nothing is final, repeat it");
    }
    return {};
}

Result<void> set_up(const Config& config, const std::string& admin_localpart,
                    protocol::Random& random, const protocol::Clock& clock, const SecretsDoor& door)
{
    auto fit = check_beforehand(config, admin_localpart);
    if (!fit) return fit;
    for (const auto& folder : {config.server.data, config.server.keys}) {
        auto made = make_private_folder(folder);
        if (!made) return made;
    }
    const KeyFolder folder(config.server.keys);
    auto modes = folder.check_modes();
    if (!modes) return modes;

    // Tells a repeat after a crash from a server that lost its keys.
    const auto mark = config.server.keys + "/setup.pending";
    const bool resumed = std::filesystem::exists(mark);
    auto marked = write_private_file(mark, "", IfThere::replace);
    if (!marked) return marked;

    const auto recovery = protocol::SigningKey::generate(random);
    const Identity identity{config.server.name,
                            protocol::SigningKey::generate(random),
                            clock.now_ms(),
                            recovery.public_key(),
                            {},
                            {}};
    const SetupSecrets secrets{config.server.name.str(),
                               administrator_name(config, admin_localpart),
                               protocol::to_base64url(random.octets(password_octets)),
                               protocol::to_base64url(recovery.seed())};
    auto hash = api::hash_password(secrets.password);
    if (!hash) return fail(hash);
    auto administrator = create_administrator(config, {config.server.name, admin_localpart, *hash},
                                              resumed, clock.now_ms());
    if (!administrator) {
        if (!resumed) ::unlink(mark.c_str());
        return administrator;
    }
    // The secrets go out before the keys are final: a setup whose secrets nobody saw can be
    // repeated, one that is done can't.
    auto shown = door(secrets);
    if (!shown) return shown;
    auto created = folder.create(identity);
    if (!created) return created;
    ::unlink(mark.c_str());
    return {};
}

// The password goes out last: it is the database that tells a repeat from the first time.
Result<void> set_up_database(const Config& config, const std::string& admin_localpart,
                             protocol::Random& random, const protocol::Clock& clock,
                             const SecretsDoor& door)
{
    if (auto fit = check_name(admin_localpart); !fit) return fit;
    if (auto fit = check_database_is_lost(config); !fit) return fit;
    if (auto made = make_private_folder(config.server.data); !made) return made;
    const SetupSecrets secrets{config.server.name.str(),
                               administrator_name(config, admin_localpart),
                               protocol::to_base64url(random.octets(password_octets)),
                               {}};
    auto hash = api::hash_password(secrets.password);
    if (!hash) return fail(hash);
    auto made = create_administrator(config, {config.server.name, admin_localpart, *hash}, false,
                                     clock.now_ms());
    if (!made) return made;
    return door(secrets);
}

SecretsDoor door_to(std::string file)
{
    return [file = std::move(file)](const SetupSecrets& secrets) {
        return hand_out(to_text(secrets), file);
    };
}

Result<std::vector<std::string>> make_missing_certificates(const Config& config, int days)
{
    std::vector<std::string> made;
    const std::vector<std::string> names{config.server.name.str(), "localhost", "127.0.0.1", "::1"};
    for (const auto& listener : config.listeners) {
        if (listener.is_plain()) continue;
        if (is_missing_credential(listener.certificate) || is_missing_credential(listener.key)) {
            return fail(Code::conflict,
                        "a listener has its certificate from the service's credentials, which "
                        "aren't made here; make it where LoadCredential= reads it from");
        }
        std::error_code failed;
        const bool has_certificate = std::filesystem::exists(listener.certificate, failed);
        const bool has_key = std::filesystem::exists(listener.key, failed);
        if (has_certificate && has_key) continue;
        if (has_certificate || has_key) {
            return fail(Code::conflict, (has_certificate ? listener.certificate : listener.key) +
                                            " is there without its other half; move it away");
        }
        for (const auto& file : {listener.certificate, listener.key}) {
            if (auto folder = make_folder_of(file); !folder) return fail(folder);
        }
        auto done = net::make_self_signed(listener.certificate, listener.key, names, days);
        if (!done) return fail(done);
        made.push_back(listener.certificate);
    }
    return made;
}

}  // namespace entente::daemon
