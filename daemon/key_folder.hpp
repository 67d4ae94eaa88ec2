// The folder of this server's keys and statements [LOG-10]: one JSON file in a folder of
// its own, apart from the database and never restored with it. Folder 0700, file 0600;
// anything looser is refused. Makes no keys and signs nothing.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/durable_file.hpp"
#include "protocol/clock.hpp"
#include "protocol/ed25519.hpp"
#include "protocol/names.hpp"
#include "protocol/result.hpp"
#include "protocol/server_document.hpp"

namespace entente::daemon {

// Who this server is. `statements` are the JWS of rotations, revocations and recoveries in
// the order they were made (section 2).
struct Identity {
    protocol::ServerName server;
    protocol::SigningKey current;
    protocol::Millis from = 0;  // since when `current` signs
    protocol::PublicKey recovery;
    std::vector<protocol::DocumentKey> old_keys;
    std::vector<std::string> statements;
    // Of old keys that aren't revoked: what a key needs to revoke itself.
    std::vector<protocol::SigningKey> old_secrets{};

    // Of the newest that the folder knows: it only grows, so that an older copy of the folder
    // shows [LOG-10].
    [[nodiscard]] protocol::Millis newest() const;
    [[nodiscard]] const protocol::SigningKey* secret_of(const protocol::KeyId& id) const;
};

class KeyFolder {
 public:
    explicit KeyFolder(std::string folder) : folder_(std::move(folder)) {}

    [[nodiscard]] const std::string& path() const { return folder_; }
    // Whether `ententctl setup` has been done here. Says nothing of modes or contents. `forbidden`
    // where this user may not look.
    [[nodiscard]] Result<bool> has_identity() const;
    // The folder is 0700 or tighter, every file in it 0600 or tighter, all of this user's or
    // root's, none a link: `forbidden`, with the path and the chmod or chown that mends it.
    // A folder that isn't there is `not_found`.
    [[nodiscard]] Result<void> check_modes() const;
    // Checks the modes first. `not_found` before setup; `malformed` where the file is damaged
    // or belongs to a server of another name. The detail is fit for an operator's eyes.
    [[nodiscard]] Result<Identity> load(const protocol::ServerName& server,
                                        protocol::NameRules rules) const;
    // Makes the folder where it is missing. `conflict` where there is an identity already.
    [[nodiscard]] Result<void> create(const Identity& identity) const;
    // In place of what is there, all or nothing: after a crash it is the old or the new.
    [[nodiscard]] Result<void> replace(const Identity& identity) const;

    // Held while a program reads, changes and replaces; goes with its owner, however it ends.
    class Lock {
     public:
        explicit Lock(int descriptor) : descriptor_(descriptor) {}
        Lock(Lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
        Lock& operator=(Lock&&) = delete;
        ~Lock();

     private:
        int descriptor_;
    };
    // `conflict` where another program holds it; doesn't wait.
    [[nodiscard]] Result<Lock> lock() const;
    // Writes a file that an earlier version left in the form of this one; nothing where it has
    // that already. Errors as load's and lock's.
    [[nodiscard]] Result<void> upgrade(const protocol::ServerName& server,
                                       protocol::NameRules rules) const;

 private:
    [[nodiscard]] Result<void> write(const Identity& identity, IfThere if_there) const;
    [[nodiscard]] Result<bool> has_this_form() const;
    [[nodiscard]] std::string file() const { return folder_ + "/identity.json"; }

    std::string folder_;
};

// The file's text and back; secrets are in it. Also reads the form that version 0.1 wrote
// before keys could be rotated; that of a newer version is `unsupported`.
[[nodiscard]] std::string write_identity(const Identity& identity);
[[nodiscard]] Result<Identity> read_identity(std::string_view json, protocol::NameRules rules);

}  // namespace entente::daemon
