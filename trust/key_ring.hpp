// Which keys speak for which server: the memory of pins and the decisions about them
// [KEY-1 to KEY-5]. On the I/O thread, without I/O: fetching is federation/discovery's,
// keeping pins over a restart is storage/pin_store's. Statements (rotations, revocations)
// will widen what `judge` can reach; until then every changed key is a conflict.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/ed25519.hpp"
#include "protocol/names.hpp"
#include "protocol/server_document.hpp"
#include "protocol/transaction.hpp"

namespace entente::trust {

using protocol::KeyRef;
using protocol::Millis;
using protocol::PublicKey;
using protocol::ServerName;

enum class KeyStatus : std::uint8_t { active, retired, revoked };

// How long a replaced key may still sign requests and seals [KEY-2].
inline constexpr Millis key_overlap_ms = Millis{7} * 24 * 3600 * 1000;

struct PinnedKey {
    PublicKey key;
    KeyStatus status = KeyStatus::active;
    Millis from = 0;
    Millis until = 0;       // retired: the rotation's `at`; 0 where it has none
    Millis revoked_at = 0;  // revoked only
    friend bool operator==(const PinnedKey&, const PinnedKey&) = default;
};

struct PinnedServer {
    ServerName server;
    std::string api;  // https origin without a path
    std::vector<PinnedKey> keys;
    std::optional<PublicKey> recovery;  // always there in what the ring holds
    protocol::TransactionLimits limits;
    std::int64_t max_age = 3600;  // seconds, as the document said
    bool conflict = false;        // [KEY-4]
    Millis pinned_at = 0;
    friend bool operator==(const PinnedServer&, const PinnedServer&) = default;

    [[nodiscard]] const PinnedKey* find_key(const protocol::KeyId& id) const;
};

enum class Verdict : std::uint8_t {
    pinned,    // first contact
    agrees,    // nothing new
    updated,   // api, limits or max_age changed, or a conflict ended
    conflict,  // keys or recovery key out of the pins' reach: pins and api stay
};

class KeyRing {
 public:
    struct Judgement {
        Verdict verdict;
        PinnedServer server;  // as it should be held from now on
    };

    // Lives until the next change of that server's pin: don't hold it over an await.
    [[nodiscard]] const PinnedServer* find(const ServerName& server) const;
    [[nodiscard]] const PinnedKey* find_key(const KeyRef& ref) const;

    // The key that may sign a request of `ref.server` now. `unknown_key` (also where the
    // server isn't pinned), `key_revoked` (revoked, or replaced more than 7 days ago),
    // `key_conflict` (not pinned, and the server's document contradicts the pins).
    [[nodiscard]] Result<PublicKey> request_key(const KeyRef& ref, Millis now) const;
    // The key that may sign a root of submissions whose `at` is `root_at`, as a home judges
    // it on arrival [KEY-7]. Errors as above. For a log that is already written use find_key.
    [[nodiscard]] Result<PublicKey> seal_key(const KeyRef& ref, Millis root_at) const;

    // Pure: what `document` would make of the pins. Store it durably, then load() it.
    [[nodiscard]] Judgement judge(const protocol::ServerDocument& document, Millis now) const;
    // judge() and load() in one, for who has nothing to store.
    Verdict consider(const protocol::ServerDocument& document, Millis now);
    // Takes the place of what is held of that server.
    void load(PinnedServer server);

    [[nodiscard]] std::size_t size() const { return servers_.size(); }

 private:
    [[nodiscard]] Result<const PinnedKey*> pinned(const KeyRef& ref) const;

    std::unordered_map<ServerName, PinnedServer> servers_;
};

}  // namespace entente::trust
