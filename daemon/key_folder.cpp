#include "daemon/key_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "daemon/user_name.hpp"
#include "protocol/statement.hpp"

namespace entente::daemon {

namespace {

// Statements are few and small: with a rotation below 2 KiB it's room for 500 of them.
constexpr std::size_t max_identity_octets = 1 << 20;

// There are keys or there are none: that can't be said here.
auto unseen(const std::string& path, int error)
{
    return fail(Code::forbidden, path + " can't be looked at: " + std::strerror(error) +
                                     "; run this as the user that ententd runs as, or give the "
                                     "keys folder and those above it to " +
                                     user_name(::geteuid()));
}

Result<void> check_one(const std::string& path, bool folder)
{
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return fail(Code::not_found, path + " isn't there");
        return unseen(path, errno);
    }
    if (S_ISLNK(status.st_mode)) {
        return fail(Code::forbidden, path + " is a link; put the thing itself there");
    }
    if (folder ? !S_ISDIR(status.st_mode) : !S_ISREG(status.st_mode)) {
        return fail(Code::forbidden,
                    path + (folder ? " isn't a folder" : " isn't a file; move it away"));
    }
    if (status.st_uid != ::geteuid() && status.st_uid != 0) {
        // As root: the files are right, and it is this program that runs as the wrong user.
        return fail(Code::forbidden,
                    path + " belongs to " + user_name(status.st_uid) + "; " +
                        (::geteuid() == 0 ? run_as(status.st_uid)
                                          : "run chown " + user_name(::geteuid()) + " " + path));
    }
    const mode_t allowed = folder ? 0700 : 0600;
    if ((status.st_mode & 07777 & ~allowed) != 0) {
        return fail(Code::forbidden, path + " can be reached by others; run chmod " +
                                         (folder ? "0700 " : "0600 ") + path);
    }
    return {};
}

Result<nlohmann::json> parse_object(std::string_view text)
{
    auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return fail(Code::malformed, "isn't a JSON object");
    return json;
}

Result<std::string> text_at(const nlohmann::json& object, const char* name)
{
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) {
        return fail(Code::malformed, std::string("has no text ") + name);
    }
    return found->get<std::string>();
}

// 0 where it is missing.
Result<protocol::Millis> time_at(const nlohmann::json& object, const char* name)
{
    const auto found = object.find(name);
    if (found == object.end()) return protocol::Millis{0};
    if (!found->is_number_integer())
        return fail(Code::malformed, std::string(name) + " isn't a time");
    return found->get<protocol::Millis>();
}

Result<protocol::PublicKey> public_key_at(const nlohmann::json& object, const char* name)
{
    const auto x = text_at(object, name);
    if (!x) return fail(x);
    return protocol::PublicKey::from_x(*x);
}

Result<protocol::SigningKey> signing_key_at(const nlohmann::json& object)
{
    const auto encoded = text_at(object, "seed");
    if (!encoded) return fail(encoded);
    const auto seed = protocol::from_base64url(*encoded);
    if (!seed) return fail(seed);
    auto key = protocol::SigningKey::from_seed(*seed);
    if (!key) return key;
    const auto x = public_key_at(object, "x");
    if (!x) return fail(x);
    if (*x != key->public_key()) return fail(Code::malformed, "seed and x don't belong together");
    return key;
}

// Format 1, before there were rotations, had one key under `current` and no secrets of others.
constexpr std::int64_t file_format = 2;

Result<std::int64_t> format_of(const nlohmann::json& json)
{
    const auto found = json.find("format");
    if (found == json.end()) return std::int64_t{1};
    if (!found->is_number_integer() || found->get<std::int64_t>() < 2)
        return fail(Code::malformed, "has no valid format");
    if (found->get<std::int64_t>() > file_format)
        return fail(Code::unsupported, "was written by a newer version");
    return found->get<std::int64_t>();
}

Result<protocol::DocumentKey> read_old_key(const nlohmann::json& object)
{
    if (!object.is_object()) return fail(Code::malformed, "an old key isn't an object");
    const auto key = public_key_at(object, "x");
    const auto from = time_at(object, "from");
    const auto until = time_at(object, "until");
    const auto revoked_at = time_at(object, "revoked_at");
    if (!key) return fail(key);
    if (!from) return fail(from);
    if (!until) return fail(until);
    if (!revoked_at) return fail(revoked_at);
    return protocol::DocumentKey{*key, *from, *until, *revoked_at};
}

Result<void> read_history(const nlohmann::json& json, Identity& identity)
{
    const auto old_keys = json.value("old_keys", nlohmann::json::array());
    const auto statements = json.value("statements", nlohmann::json::array());
    if (!old_keys.is_array() || !statements.is_array()) {
        return fail(Code::malformed, "old_keys or statements isn't a list");
    }
    for (const auto& element : old_keys) {
        auto key = read_old_key(element);
        if (!key) return fail(key);
        identity.old_keys.push_back(*key);
        if (!element.contains("seed")) continue;
        auto secret = signing_key_at(element);
        if (!secret) return fail(secret);
        identity.old_secrets.push_back(std::move(*secret));
    }
    for (const auto& element : statements) {
        if (!element.is_string()) return fail(Code::malformed, "a statement isn't a text");
        identity.statements.push_back(element.get<std::string>());
    }
    return {};
}

const char* status_of(const protocol::DocumentKey& old)
{
    return old.revoked_at != 0 ? "revoked" : "retired";
}

}  // namespace

protocol::Millis Identity::newest() const
{
    auto newest = from;
    for (const auto& text : statements) {
        const auto statement = protocol::reread_statement(text);
        if (statement) newest = std::max(newest, statement->at());
    }
    return newest;
}

const protocol::SigningKey* Identity::secret_of(const protocol::KeyId& id) const
{
    if (current.id() == id) return &current;
    const auto found = std::ranges::find(old_secrets, id, &protocol::SigningKey::id);
    return found == old_secrets.end() ? nullptr : &*found;
}

std::string write_identity(const Identity& identity)
{
    nlohmann::ordered_json json;
    json["format"] = file_format;
    json["server"] = identity.server.str();
    json["current"]["kid"] = identity.current.id().str();
    json["current"]["x"] = identity.current.public_key().x();
    json["current"]["seed"] = protocol::to_base64url(identity.current.seed());
    json["current"]["from"] = identity.from;
    json["recovery"]["kid"] = identity.recovery.thumbprint().str();
    json["recovery"]["x"] = identity.recovery.x();
    json["old_keys"] = nlohmann::ordered_json::array();
    for (const auto& old : identity.old_keys) {
        nlohmann::ordered_json key{{"kid", old.key.thumbprint().str()},
                                   {"status", status_of(old)},
                                   {"x", old.key.x()},
                                   {"from", old.from},
                                   {"until", old.until},
                                   {"revoked_at", old.revoked_at}};
        if (const auto* secret = identity.secret_of(old.key.thumbprint()))
            key["seed"] = protocol::to_base64url(secret->seed());
        json["old_keys"].push_back(std::move(key));
    }
    json["statements"] = identity.statements;
    return json.dump(2) + "\n";
}

Result<Identity> read_identity(std::string_view text, protocol::NameRules rules)
{
    const auto json = parse_object(text);
    if (!json) return fail(json);
    if (const auto its_format = format_of(*json); !its_format) return fail(its_format);
    const auto server_text = text_at(*json, "server");
    if (!server_text) return fail(server_text);
    auto server = protocol::parse_server_name(*server_text, rules);
    if (!server) return fail(server);

    const auto current_json = json->value("current", nlohmann::json());
    const auto recovery_json = json->value("recovery", nlohmann::json());
    if (!current_json.is_object() || !recovery_json.is_object()) {
        return fail(Code::malformed, "has no current or recovery key");
    }
    auto current = signing_key_at(current_json);
    if (!current) return fail(current);
    const auto from = time_at(current_json, "from");
    if (!from) return fail(from);
    const auto recovery = public_key_at(recovery_json, "x");
    if (!recovery) return fail(recovery);

    Identity identity{std::move(*server), std::move(*current), *from, *recovery, {}, {}};
    auto history = read_history(*json, identity);
    if (!history) return fail(history);
    return identity;
}

Result<bool> KeyFolder::has_identity() const
{
    struct stat status{};
    if (::lstat(file().c_str(), &status) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return unseen(file(), errno);
}

Result<void> KeyFolder::check_modes() const
{
    auto folder = check_one(folder_, true);
    if (!folder) return folder;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, failed)) {
        auto file = check_one(entry.path().string(), false);
        // A file that another process just moved into its place.
        if (!file && file.error().code != Code::not_found) return file;
    }
    if (failed) return fail(Code::forbidden, folder_ + " can't be listed: " + failed.message());
    return {};
}

Result<Identity> KeyFolder::load(const protocol::ServerName& server,
                                 protocol::NameRules rules) const
{
    const auto is_there = has_identity();
    if (!is_there) return fail(is_there);
    if (!*is_there) {
        return fail(Code::not_found, "there are no keys in " + folder_ + "; run ententctl setup");
    }
    auto modes = check_modes();
    if (!modes) return fail(modes);
    auto text = read_private_file(file(), max_identity_octets);
    if (!text) return fail(text);
    auto identity = read_identity(*text, rules);
    if (!identity && identity.error().code == Code::unsupported) {
        return fail(Code::unsupported,
                    file() + " " + identity.error().detail + "; install that version again");
    }
    if (!identity) {
        return fail(Code::malformed, file() + " " + identity.error().detail +
                                         "; put back the newest copy of this file");
    }
    if (identity->server != server) {
        return fail(Code::malformed, file() + " holds the keys of " + identity->server.str() +
                                         ", not of " + server.str() +
                                         "; correct server.name or server.keys");
    }
    return identity;
}

Result<void> KeyFolder::create(const Identity& identity) const
{
    auto folder = make_private_folder(folder_);
    if (!folder) return folder;
    auto modes = check_modes();
    if (!modes) return modes;
    return write(identity, IfThere::refuse);
}

Result<void> KeyFolder::replace(const Identity& identity) const
{
    auto modes = check_modes();
    if (!modes) return modes;
    return write(identity, IfThere::replace);
}

Result<void> KeyFolder::write(const Identity& identity, IfThere if_there) const
{
    auto text = write_identity(identity);
    if (text.size() > max_identity_octets) {
        protocol::wipe(text);
        return fail(Code::too_large, file() + " has no room for more statements");
    }
    auto written = write_private_file(file(), text, if_there);
    protocol::wipe(text);
    return written;
}

KeyFolder::Lock::~Lock()
{
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<KeyFolder::Lock> KeyFolder::lock() const
{
    const int folder = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        if (errno != ENOENT) return unseen(folder_, errno);
        return fail(Code::not_found, "there are no keys in " + folder_ + "; run ententctl setup");
    }
    Lock lock(folder);
    if (::flock(folder, LOCK_EX | LOCK_NB) != 0) {
        return fail(Code::conflict, "another program is changing " + folder_ + "; try again");
    }
    return lock;
}

Result<bool> KeyFolder::has_this_form() const
{
    auto text = read_private_file(file(), max_identity_octets);
    if (!text) return fail(text);
    const auto json = parse_object(*text);
    protocol::wipe(*text);
    return !json || json->contains("format");
}

Result<void> KeyFolder::upgrade(const protocol::ServerName& server, protocol::NameRules rules) const
{
    auto current = has_this_form();
    if (!current) return fail(current);
    if (*current) return {};
    auto held = lock();
    if (!held) return fail(held);
    // Somebody else may have done it meanwhile, and more.
    const auto identity = load(server, rules);
    if (!identity) return fail(identity);
    return replace(*identity);
}

}  // namespace entente::daemon
