// What is remembered of another server [KEY-1]: what was first learned of it and the
// statements since. Values only: what follows from them is trust/resolution's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/ed25519.hpp"
#include "protocol/names.hpp"
#include "protocol/statement.hpp"
#include "protocol/transaction.hpp"

namespace entente::trust {

using protocol::KeyId;
using protocol::KeyRef;
using protocol::Millis;
using protocol::PublicKey;
using protocol::ServerName;

enum class KeyStatus : std::uint8_t {
    active,
    retired,  // replaced at `until`
    revoked,  // signs nothing from `revoked_at` on
    lost,     // only rotations that don't count lead to it: revoked from the first one's `at`
};

struct PinnedKey {
    PublicKey key;
    KeyStatus status = KeyStatus::active;
    Millis from = 0;
    Millis until = 0;       // the `at` of the rotation that replaced it; 0 where there is none
    Millis revoked_at = 0;  // revoked and lost only
    friend bool operator==(const PinnedKey&, const PinnedKey&) = default;
};

// How far a statement is proven.
enum class Standing : std::uint8_t {
    waiting,  // the key that it names or the key that signed it isn't known
    proven,   // its signature verifies under a key of the server
    stands,   // besides, it was the first rotation by its key to be pinned [KEY-2]
};

struct HeldStatement {
    protocol::Statement statement;
    Millis received_at = 0;
    Standing standing = Standing::waiting;
    friend bool operator==(const HeldStatement&, const HeldStatement&) = default;
};

struct PinnedServer {
    ServerName server;
    std::string api;                    // https origin without a path
    std::vector<PinnedKey> keys;        // as they were first pinned
    std::optional<PublicKey> recovery;  // the same; always there in what the ring holds
    protocol::TransactionLimits limits;
    std::int64_t max_age = 3600;  // seconds, as the document said
    bool conflict = false;        // [KEY-4]
    Millis pinned_at = 0;
    std::vector<HeldStatement> statements{};  // in the order of their arrival
    // [KEY-4] What its document has shown and the administrator has said not to be its own: at
    // most one document's.
    std::vector<PublicKey> refused{};
    friend bool operator==(const PinnedServer&, const PinnedServer&) = default;
};

}  // namespace entente::trust
