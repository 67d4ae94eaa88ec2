// Any proof is judged without harm, and every path that the tree gives leads to its root.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "protocol/merkle.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    std::uint64_t index = 0;
    std::uint64_t leaves = 0;
    if (size < 2 * sizeof index) return 0;
    std::memcpy(&index, data, sizeof index);
    std::memcpy(&leaves, data + sizeof index, sizeof leaves);
    std::vector<Hash> hashes;
    for (std::size_t at = 2 * sizeof index; at < size && hashes.size() < 64; at += 32)
        std::memcpy(hashes.emplace_back().data(), data + at, std::min<std::size_t>(32, size - at));
    if (hashes.empty()) return 0;

    const MerkleTree tree(hashes);
    for (std::size_t i = 0; i < hashes.size(); ++i) {
        if (!leads_to_root(hashes[i], i, hashes.size(), tree.path(i), tree.root())) std::abort();
        if (leads_to_root(hashes[i], hashes.size(), hashes.size(), tree.path(i), tree.root()))
            std::abort();
    }
    const auto leaf = hashes.front();
    hashes.erase(hashes.begin());
    (void)leads_to_root(leaf, index, leaves, hashes, tree.root());
    return 0;
}
