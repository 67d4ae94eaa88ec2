#include "protocol/nearest_name.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace entente::protocol {
namespace {

constexpr std::size_t most_compared_octets = 64;
constexpr std::size_t most_changes = 2;

std::size_t edit_distance(std::string_view left, std::string_view right)
{
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= left.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const auto change = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
        }
    }
    return row.back();
}

}  // namespace

std::optional<std::string_view> nearest_name(std::string_view unknown,
                                             std::span<const std::string_view> known)
{
    std::optional<std::string_view> nearest;
    std::size_t least = most_changes + 1;
    for (const auto name : known) {
        const auto distance = edit_distance(unknown.substr(0, most_compared_octets), name);
        if (distance >= least) continue;
        least = distance;
        nearest = name;
    }
    return nearest;
}

}  // namespace entente::protocol
