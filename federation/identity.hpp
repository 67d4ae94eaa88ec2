// Who this server is towards others: its name, keys and what its server document says of
// it. Loaded by the daemon and passed around by reference; reads no files itself. Keys and
// statements change on the I/O thread, when the daemon reloads: they are read there only, and
// no reference to them is held over an await. The rest never changes.
#pragma once

#include <string>
#include <vector>

#include "protocol/ed25519.hpp"
#include "protocol/names.hpp"
#include "protocol/server_document.hpp"

namespace entente::federation {

using protocol::KeyRef;
using protocol::Millis;
using protocol::PublicKey;
using protocol::ServerName;

struct Identity {
    ServerName name;
    protocol::SigningKey key;
    PublicKey recovery;
    Millis from = 0;    // since when `key` signs
    std::string api{};  // https origin without a path
    std::string contact{};
    protocol::TransactionLimits limits{};
    protocol::NameRules names{};
    std::vector<protocol::DocumentKey> old_keys{};
    std::vector<std::string> statements{};
    std::vector<std::string> features{};
    std::string software_version = "0.1.0";
    std::int64_t max_age = 3600;  // seconds

    [[nodiscard]] KeyRef key_ref() const { return KeyRef{name, key.id()}; }
};

// Of the current key and the old ones; nothing where it is none of this server's.
[[nodiscard]] const PublicKey* find_own_key(const Identity& identity, const protocol::KeyId& id);

// Of all of them.
[[nodiscard]] std::vector<KeyRef> own_key_refs(const Identity& identity);

// The newest statements, as many as a document has room for (about 40 rotations), and the
// newest old keys.
[[nodiscard]] protocol::ServerDocument document(const Identity& identity);

}  // namespace entente::federation
