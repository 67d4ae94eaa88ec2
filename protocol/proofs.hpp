// Signatures in bulk (section 4): a signed root over leaves, and the seals,
// checkpoints and snapshots that are its leaves. Made once per transaction or answer;
// a receiver verifies a root once, however many leaves it is shown.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/ed25519.hpp"
#include "protocol/jws.hpp"
#include "protocol/merkle.hpp"

namespace entente::protocol {

// {"root":i,"index":n,"path":["…"]}; `root` is an index into the enclosing `roots`.
struct Proof {
    std::size_t root = 0;
    std::uint64_t index = 0;
    std::vector<Hash> path;
    friend bool operator==(const Proof&, const Proof&) = default;
};

struct Seal {
    std::vector<Hash> events;
    Proof proof;
    friend bool operator==(const Seal&, const Seal&) = default;
};

struct Checkpoint {
    std::int64_t epoch = 1;
    std::int64_t seq = 0;
    std::string hash;  // the entry hash as text; empty goes with seq 0
    Proof proof;
    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

[[nodiscard]] std::string seal_leaf(const ChannelId& channel, const std::vector<Hash>& events);
[[nodiscard]] std::string checkpoint_leaf(const ChannelId& channel, std::int64_t epoch,
                                          std::int64_t seq, std::string_view hash);
[[nodiscard]] std::string snapshot_leaf(const ChannelId& channel, std::int64_t epoch,
                                        std::int64_t seq, std::string_view hash, Millis at,
                                        const Hash& state_hash);

// A `typ` entente-root JWS, read: {"root","size","at"}.
struct SignedRoot {
    Jws jws;
    Hash root{};
    std::uint64_t size = 0;
    Millis at = 0;
};
[[nodiscard]] Result<SignedRoot> parse_signed_root(std::string_view jws, NameRules rules);
// Does not look at the signature: verify `root.jws` first, once.
[[nodiscard]] bool proves(const SignedRoot& root, const Proof& proof, std::string_view leaf_input);

// Gathers leaves, then signs their root once.
class RootBuilder {
 public:
    // Returns the leaf's index.
    std::size_t add(std::string_view leaf_input);
    [[nodiscard]] bool empty() const { return leaves_.empty(); }
    struct Signed {
        std::string jws;
        std::vector<std::vector<Hash>> paths;  // by leaf index
    };
    [[nodiscard]] Signed sign(const SigningKey& key, const ServerName& server, Millis now) const;

 private:
    std::vector<Hash> leaves_;
};

}  // namespace entente::protocol
