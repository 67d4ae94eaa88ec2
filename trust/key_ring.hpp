// Which keys speak for which server: the memory of pins and the decisions about them
// [KEY-1 to KEY-7]. On the I/O thread, without I/O: fetching is federation/discovery's,
// keeping pins over a restart is storage/pin_store's; what statements say is resolution's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/server_document.hpp"
#include "trust/pins.hpp"
#include "trust/resolution.hpp"

namespace entente::trust {

// How long a replaced key may still sign requests and seals [KEY-2].
inline constexpr Millis key_overlap_ms = Millis{7} * 24 * 3600 * 1000;

enum class PinVerdict : std::uint8_t {
    pinned,    // first contact, or anew by the administrator's word
    agrees,    // nothing new
    updated,   // statements, api, limits or max_age changed, or a conflict ended
    conflict,  // keys or recovery key out of the pins' reach: pins and api stay
};

class KeyRing {
 public:
    struct Judgement {
        PinVerdict verdict;
        PinnedServer server;  // as it should be held from now on
        bool agrees = true;   // all that the document signs with follows from these pins
    };

    // Lives until the next change of that server's pin: don't hold it over an await.
    [[nodiscard]] const PinnedServer* find(const ServerName& server) const;
    // With the status that statements give it. For a log that is already written, whatever
    // that status [KEY-7].
    [[nodiscard]] const PinnedKey* find_key(const KeyRef& ref) const;
    // The recovery key of today; null where the server isn't pinned.
    [[nodiscard]] const PublicKey* recovery_key(const ServerName& server) const;

    // The key that may sign a request of `ref.server` now. `unknown_key` (also where the
    // server isn't pinned), `key_revoked` (revoked, or replaced more than 7 days ago),
    // `key_conflict` (out of the pins' reach, and the server's document contradicts the pins or
    // the administrator has refused the key).
    [[nodiscard]] Result<PublicKey> request_key(const KeyRef& ref, Millis now) const;
    // The key that may sign a root of submissions whose `at` is `root_at`, as a home judges
    // it on arrival [KEY-7, KEY-9]. Errors as above.
    [[nodiscard]] Result<PublicKey> seal_key(const KeyRef& ref, Millis root_at, Millis now) const;

    // Pure: what `document` would make of the pins. Store it durably, then load() it.
    [[nodiscard]] Judgement judge(const protocol::ServerDocument& document, Millis now) const;
    // The same of statements that somebody hands on [KEY-6], JWS of `server`; foreign ones among
    // them are ignored. Nothing where the server isn't pinned: they never pin.
    [[nodiscard]] std::optional<Judgement> judge(const ServerName& server,
                                                 const std::vector<std::string>& statements,
                                                 Millis now) const;
    // [KEY-4] The administrator's word on a document of a pinned server that contradicts the pins.
    // Pure, as judge(). accept: what it shows is pinned anew; keys that counted until now and that
    // it doesn't show sign nothing from `now` on, and verify the logs that they have signed. A
    // document that contradicts itself is in conflict then too. keep: what it shows out of the
    // pins' reach is not that server's, and no conflict any more; pins and `api` stay.
    [[nodiscard]] Judgement accept(const protocol::ServerDocument& document, Millis now) const;
    [[nodiscard]] Judgement keep(const protocol::ServerDocument& document, Millis now) const;
    // judge() and load() in one, for who has nothing to store.
    PinVerdict consider(const protocol::ServerDocument& document, Millis now);
    // Takes the place of what is held of that server.
    void load(PinnedServer server);
    void drop(const ServerName& server) { servers_.erase(server); }
    // By when they were pinned.
    [[nodiscard]] std::vector<ServerName> oldest_first() const;

    [[nodiscard]] std::size_t size() const { return servers_.size(); }

 private:
    struct Held {
        PinnedServer pins;
        Resolution now;
    };
    [[nodiscard]] Result<const PinnedKey*> pinned(const KeyRef& ref) const;
    [[nodiscard]] bool is_undecided(const ServerName& server, const Resolution& resolution) const;

    std::unordered_map<ServerName, Held> servers_;
};

}  // namespace entente::trust
