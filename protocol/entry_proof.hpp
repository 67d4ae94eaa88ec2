// One entry of a channel's log with all that proves it to a third party who has nothing but
// this text and knows the servers' keys (docs/protocol/entry-proofs.md): read, written and
// judged. Pure; makes no proof, fetches no key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/slice.hpp"

namespace entente::protocol {

inline constexpr std::size_t max_entry_proof_octets = 16'777'216;
inline constexpr std::size_t max_entry_proof_chain = 100'000;
inline constexpr std::size_t max_entry_proof_statements = 256;  // of a key

// An entry behind the proven one, as far as its hash needs it.
struct ChainLink {
    Millis at = 0;
    Hash event{};
    friend bool operator==(const ChainLink&, const ChainLink&) = default;
};

struct EntryProofKey {
    ServerName server;
    PublicKey key;
    std::vector<std::string> statements;  // JWS [KEY-6]; carried, not judged
};

struct EntryProof {
    ChannelId channel;
    std::int64_t epoch = 1;
    std::int64_t seq = 0;
    std::string previous;  // the entry hash before this one; empty with seq 1
    Millis at = 0;         // the home's
    std::string event;     // octets
    std::optional<std::string> content;
    std::vector<ChainLink> chain;  // the entries behind it, up to the checkpoint's
    Checkpoint checkpoint;
    std::optional<Seal> seal;         // of another server's user than the home's
    std::vector<std::string> roots;   // JWS
    std::vector<EntryProofKey> keys;  // of those that signed the roots
};

// `malformed`, `too_large`. Says nothing of what it proves.
[[nodiscard]] Result<EntryProof> parse_entry_proof(std::string_view text, NameRules rules);
[[nodiscard]] std::string write_entry_proof(const EntryProof& proof);

struct ProvenSignature {
    KeyRef key;
    Millis at = 0;          // the signer's time
    bool is_given = false;  // the asker knew this key; else the text alone says whose it is
};

// What an EntryProof that holds proves.
struct ProvenEntry {
    FollowedEvent followed;  // with a breach: the entry is there and has no effect [LOG-1]
    std::string hash;        // the entry's
    ProvenSignature home;    // of the checkpoint
    // The signer is the server in the channel's name. In a later epoch the home is another,
    // and which one it is doesn't follow from the proof.
    bool is_home_by_name = false;
    std::optional<ProvenSignature> author;  // of the seal; nothing for the home's own users
    bool content_matches = false;           // there is a content, and it is the event's
};

// [PRF-2] to [PRF-5]. `given`: keys that the asker knows to be their servers'; where one of a
// server is given, another of it is `unknown_key`. Else `signature_invalid` for what doesn't
// lead to its root or isn't signed by its key, `not_home`, `malformed`.
[[nodiscard]] Result<ProvenEntry> verify_entry_proof(const EntryProof& proof,
                                                     const std::vector<KeyRef>& given,
                                                     NameRules rules);

}  // namespace entente::protocol
