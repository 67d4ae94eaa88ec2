// The Merkle tree of RFC 6962 section 2.1 (SHA-256) over leaf inputs, and its audit
// paths. Pure; knows nothing of what a leaf says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/octets.hpp"

namespace entente::protocol {

inline constexpr std::size_t max_path_length = 32;

[[nodiscard]] Hash merkle_leaf(std::string_view input);               // 0x00 prefix
[[nodiscard]] Hash merkle_node(const Hash& left, const Hash& right);  // 0x01 prefix

// Built once over all leaves; root and every path are then look-ups.
class MerkleTree {
 public:
    explicit MerkleTree(std::vector<Hash> leaves);
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] Hash root() const;
    // RFC 6962 section 2.1.1. Requires index < size().
    [[nodiscard]] std::vector<Hash> path(std::size_t index) const;

 private:
    std::vector<std::vector<Hash>> levels_;
};

[[nodiscard]] bool leads_to_root(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                                 const std::vector<Hash>& path, const Hash& root);

}  // namespace entente::protocol
