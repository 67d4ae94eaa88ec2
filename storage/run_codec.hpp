// How a run's entries and proofs are written into their two blobs.
//
//   body    per entry: varint at, octet kind (0 content, 1 deleted, 2 expired; 64 more
//           where an octet of marks follows), varint length and octets of the event, then for kind
//           0 varint length and octets of the content, for kind 1 varint deleted_by
//   proofs  varint count of roots, each varint length and octets (JWS); varint count of
//           seals, each varint count and 32-octet event ids, then a proof; octet 1 and
//           varint epoch, varint seq, varint length and octets of hash, a proof, where
//           there is a checkpoint, else octet 0
//   proof   varint root, varint index, varint count and 32-octet hashes of the path
//
// varint is LEB128. A blob that can't be read is a damaged store: Code::internal.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/slice.hpp"

namespace entente::storage {

// What proves a run's entries [LOG-9]. Proof::root counts into `roots`.
struct RunProofs {
    std::vector<std::string> roots;
    std::vector<protocol::Seal> seals;
    std::optional<protocol::Checkpoint> checkpoint;

    // The index of `jws` in roots, added where it is new.
    std::size_t root_index(std::string_view jws);
};

// What is found when an entry is taken, and stays so; the other marks are found by who reads.
inline constexpr std::uint8_t stored_marks =
    protocol::bit(protocol::Mark::late) | protocol::bit(protocol::Mark::key_revoked) |
    protocol::bit(protocol::Mark::key_retired) | protocol::bit(protocol::Mark::no_effect) |
    protocol::bit(protocol::Mark::withheld);

void append_entry(std::string& body, const protocol::Entry& entry);
[[nodiscard]] Result<std::vector<protocol::Entry>> decode_entries(std::string_view body);
[[nodiscard]] std::string encode_proofs(const RunProofs& proofs);
[[nodiscard]] Result<RunProofs> decode_proofs(std::string_view blob);

}  // namespace entente::storage
