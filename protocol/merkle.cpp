// RFC 6962 section 2.1, level by level: a node without a sibling rises unchanged,
// which gives the same tree as the RFC's split at the largest power of two.
#include "protocol/merkle.hpp"

#include <cassert>

namespace entente::protocol {

Hash merkle_leaf(std::string_view input)
{
    return sha256({std::string_view{"\0", 1}, input});
}

Hash merkle_node(const Hash& left, const Hash& right)
{
    return sha256({std::string_view{"\1", 1}, as_view(left), as_view(right)});
}

MerkleTree::MerkleTree(std::vector<Hash> leaves)
{
    levels_.push_back(std::move(leaves));
    while (levels_.back().size() > 1) {
        const auto& below = levels_.back();
        std::vector<Hash> level;
        level.reserve((below.size() + 1) / 2);
        for (std::size_t i = 0; i + 1 < below.size(); i += 2) {
            level.push_back(merkle_node(below[i], below[i + 1]));
        }
        if (below.size() % 2 != 0) level.push_back(below.back());
        levels_.push_back(std::move(level));
    }
}

std::size_t MerkleTree::size() const
{
    return levels_.front().size();
}

Hash MerkleTree::root() const
{
    return size() == 0 ? sha256(std::string_view{}) : levels_.back().front();
}

std::vector<Hash> MerkleTree::path(std::size_t index) const
{
    assert(index < size());
    std::vector<Hash> path;
    for (const auto& level : levels_) {
        const std::size_t sibling = index ^ 1U;
        if (sibling < level.size()) path.push_back(level[sibling]);
        index /= 2;
    }
    return path;
}

// The check of RFC 9162 section 2.1.3.2: the path's length must fit the place, too,
// else one leaf could be shown at several indexes.
bool leads_to_root(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                   const std::vector<Hash>& path, const Hash& root)
{
    if (index >= size || path.size() > max_path_length) return false;
    std::uint64_t node = index;
    std::uint64_t last = size - 1;
    Hash hash = leaf;
    for (const Hash& sibling : path) {
        if (last == 0) return false;
        if (node % 2 != 0 || node == last) {
            hash = merkle_node(sibling, hash);
            while (node % 2 == 0 && node != 0) {
                node /= 2;
                last /= 2;
            }
        } else {
            hash = merkle_node(hash, sibling);
        }
        node /= 2;
        last /= 2;
    }
    return last == 0 && hash == root;
}

}  // namespace entente::protocol
