// What can be checked of a transaction without knowing what this server holds: roots,
// seals, checkpoints, chains, contents. Done on the I/O thread, each root's signature
// once; what comes out is fit for the writer, which only compares and applies.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/discovery/discovery.hpp"
#include "federation/identity.hpp"
#include "federation/log/shown_keys.hpp"
#include "protocol/channel_state.hpp"
#include "protocol/consent.hpp"
#include "protocol/transaction.hpp"

namespace entente::federation {

namespace asio = boost::asio;

// A root of the enclosing list whose signature was looked at.
struct CheckedRoot {
    std::optional<protocol::SignedRoot> root;      // where it can be read and its signature holds
    std::optional<protocol::SignedRoot> unproven;  // where its key is missing
    bool may_seal = false;                         // its key may sign submissions now [KEY-7]
    bool key_missing = false;                      // the key isn't to be had: `need-keys`
    std::optional<KeyRef> key;                     // whose it claims to be
    std::optional<trust::PinnedKey> pinned;        // that key as it is held of another server
    bool is_server_pinned = false;                 // keys of that server are held
    bool is_unheard = false;                       // statements were shown, and not looked at
    Millis revoked_at = 0;  // [KEY-7] of its key: from when on it proves nothing; 0: never
    // The JWS as it came, where it is a root at all. Shared: every slice that names it keeps it.
    std::shared_ptr<const std::string> text;
    Error problem;  // where there is no root, or it may not seal
    // [LOG-6] Of an unproven one that somebody shows the key of: whether its signature holds.
    // Looked at once, by whoever checks the slices, however many there are.
    mutable std::optional<bool> is_by_shown_key;
};
using CheckedRoots = std::vector<CheckedRoot>;

// One event of a submission: form, content and sender hold, or why they don't.
struct VerifiedEvent {
    std::optional<protocol::Event> event;
    std::string content;
    std::optional<protocol::Hash> id;  // also of an event that is refused, where it has one
    Error problem;
    bool depends_on_time = false;  // the problem: at another time there might be none
};

struct VerifiedSubmission {
    std::string channel_text;
    protocol::ChannelId channel;
    std::vector<VerifiedEvent> events;
    protocol::Seal seal;
    std::string root;  // the JWS that the seal's proof leads to
    Millis root_at = 0;
    std::optional<Error> problem;  // refused as a whole
};

// An entry that the home took under a key that was revoked before [KEY-7].
struct LateEntry {
    std::size_t index = 0;  // in the slice
    KeyRef key;
};

// What a slice's seals and roots say of one of its entries.
struct SealFacts {
    std::uint8_t marks = 0;  // EVT-7, KEY-7 and LOG-6, as protocol::Mark
    Millis sealed_at = 0;    // of the root; 0 where the home's checkpoint does for a seal
    // [LOG-6] The key that only the home shows, and its octets in base64url; mostly empty.
    std::string vouched_kid;
    std::string vouched_x;
    // Of a channel.move: its consent is signed by who it names [SUC-2].
    bool has_consent = true;
};

// Whose a channel.move's consent is: by the JWS.
struct CheckedConsent {
    bool holds = false;        // by the new home's key, whatever its status
    bool is_current = false;   // which may sign today
    bool key_missing = false;  // and which isn't to be had
    bool is_unknown = false;   // since that server shows no such key
    KeyRef key;
};
using CheckedConsents = std::map<std::string, CheckedConsent>;

struct VerifiedSlice {
    std::string channel_text;
    ServerName home;  // whose checkpoint proves it
    protocol::Slice slice;
    std::vector<protocol::FollowedEvent> events;
    std::vector<SealFacts> facts;     // of each entry
    std::vector<std::string> hashes;  // the entry hash behind each entry
    // JWS by the index that proofs use: of a slice that is proven those that it names.
    std::map<std::size_t, std::shared_ptr<const std::string>> roots;
    std::vector<std::string> missing;  // kids whose key isn't to be had
    std::vector<LateEntry> late;       // told, never refused
    // [KEY-7] Its checkpoint, or the last entry, is newer than the revocation of the key that
    // signed it. From the home itself that is told and taken; from others it proves nothing.
    bool is_by_revoked_key = false;
    std::optional<Error> problem;

    // Requires: one of its own proofs, and no problem.
    [[nodiscard]] const std::string& root_of(const protocol::Proof& proof) const
    {
        return *roots.at(proof.root);
    }
};

// What looking at one transaction may fetch keys for, its roots and its consents together:
// whoever names servers that nobody knows makes us ask no more. By default nothing.
struct KeyAllowance {
    std::size_t fetches = 0;  // that are left
    Millis until = 0;         // when the last may begin
};
inline constexpr Millis key_fetching_ms = 15'000;
inline constexpr std::size_t most_fetches = 8;

// Signatures verified in one go, about 35 µs each: then others on the I/O thread have a turn.
inline constexpr std::size_t roots_a_turn = 32;

// [LOG-6] Events that statements of one server, shown with a slice, are charged as at most: who
// shows more than its budget holds must not wait for ever.
inline constexpr std::size_t max_statements_charged = 32;
// Lists of statements of which it is remembered that they were heard.
inline constexpr std::size_t max_shown_before = 1'000;

class Verifier {
 public:
    Verifier(const Identity& identity, Discovery& discovery, const protocol::Clock& clock);

    // Eight fetches within 15 s.
    [[nodiscard]] KeyAllowance key_allowance() const;
    // The same for a transaction that can need other servers' keys; else nothing.
    [[nodiscard]] KeyAllowance key_allowance(const protocol::Transaction& transaction) const;

    // Fetches what keys are missing as `keys` allows, of which it takes what it needs.
    asio::awaitable<CheckedRoots> check_roots(std::vector<std::string> roots, KeyAllowance& keys);
    // Of an answer, which has an allowance of its own or none.
    asio::awaitable<CheckedRoots> check_roots(std::vector<std::string> roots,
                                              bool may_fetch = true);

    // [LOG-6] Where a pinned server's key is missing, the statements that slices show of it may
    // lead there. Each costs up to three signature checks: `may_hear` charges for so many, once.
    asio::awaitable<void> hear_shown(CheckedRoots& roots,
                                     const std::vector<protocol::Read<protocol::Slice>>& slices,
                                     std::function<bool(std::size_t)> may_hear);

    // The consents of all that a transaction hands in, of what its roots have left of `keys`.
    asio::awaitable<CheckedConsents> check_consents(const protocol::Transaction& transaction,
                                                    KeyAllowance& keys);
    // One by the keys at hand. On the I/O thread.
    [[nodiscard]] CheckedConsent check_consent(const protocol::Consent& consent,
                                               const std::vector<protocol::ShownKey>& shown) const;

    [[nodiscard]] VerifiedSubmission check_submission(protocol::Read<protocol::Submission> read,
                                                      const CheckedRoots& roots,
                                                      const ServerName& origin,
                                                      const CheckedConsents& consents = {}) const;
    // `home` is whose checkpoint it has to be; `consents` nothing for a log that this server has
    // ordered: those it has seen to then.
    [[nodiscard]] VerifiedSlice check_slice(protocol::Read<protocol::Slice> read,
                                            const CheckedRoots& roots, const ServerName& home,
                                            const CheckedConsents* consents = nullptr) const;
    // Whose checkpoint it shows, proven or not; `sender` where that can't be told.
    [[nodiscard]] static ServerName home_of(const protocol::Read<protocol::Slice>& read,
                                            const CheckedRoots& roots, const ServerName& sender);
    // MEM-3, QRY-1: proof, state and state hash of a snapshot by `home`.
    [[nodiscard]] Result<protocol::ChannelState> check_snapshot(const protocol::Snapshot& snapshot,
                                                                const CheckedRoots& roots,
                                                                const ServerName& home) const;

 private:
    asio::awaitable<Result<trust::PinnedKey>> fetch_key(KeyRef ref, KeyAllowance& keys);
    asio::awaitable<CheckedRoot> check_root(std::string text, KeyAllowance& keys);
    void take_consents(VerifiedSlice& verified, const CheckedConsents& consents) const;
    [[nodiscard]] Result<void> check_move(const protocol::Event& event, const std::string& content,
                                          const CheckedConsents& consents) const;
    [[nodiscard]] Result<void> check_entries(VerifiedSlice& verified) const;
    [[nodiscard]] Result<void> check_checkpoint(const VerifiedSlice& verified,
                                                const CheckedRoots& roots,
                                                const ServerName& home) const;
    // [LOG-6] The root that a slice's `keys` prove where no pin does, and no statement leads to
    // it: never the home's, and never this server's own.
    [[nodiscard]] bool is_vouched(const CheckedRoot& root, const ShownKeys& shown,
                                  const ServerName& home) const;
    [[nodiscard]] SealFacts facts_of(const CheckedRoot& root, bool vouched, Millis entry_at) const;
    [[nodiscard]] Result<void> check_seals(VerifiedSlice& verified, const CheckedRoots& roots,
                                           const ServerName& home) const;

    const Identity& identity_;
    Discovery& discovery_;
    const protocol::Clock& clock_;
    std::set<protocol::Hash> shown_before_;  // lists of statements that were heard
};

}  // namespace entente::federation
