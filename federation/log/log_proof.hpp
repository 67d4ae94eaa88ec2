// Makes the proof of one entry for a third party from what is stored [LOG-9, PRF-1]: at the
// channel's home under a checkpoint that it signs for this entry, at a follower under one of
// those that it has kept. Judges nothing; sends nothing.
#pragma once

#include <cstdint>

#include <boost/asio/awaitable.hpp>

#include "federation/identity.hpp"
#include "protocol/entry_proof.hpp"
#include "storage/group_commit.hpp"
#include "trust/key_ring.hpp"

namespace entente::federation {

namespace asio = boost::asio;

struct LogProverParts {
    const Identity& identity;
    const trust::KeyRing& ring;
    storage::GroupCommit& commits;
    const protocol::Clock& clock;
};

class LogProver {
 public:
    explicit LogProver(LogProverParts parts) : parts_(parts) {}

    // `not_found` for an entry that isn't held, also one whose log isn't; `too_large` where no
    // checkpoint is kept within max_entry_proof_chain entries; `key_unavailable` where a key
    // that signed isn't known here. Without `with_content`, and where the content is gone,
    // the proof is of the event alone.
    asio::awaitable<Result<protocol::EntryProof>> prove(protocol::ChannelId channel,
                                                        std::int64_t seq, bool with_content);

 private:
    [[nodiscard]] Result<void> add_keys(protocol::EntryProof& proof) const;

    LogProverParts parts_;
};

}  // namespace entente::federation
