#include "tests/bench/scan.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace entente::bench {

bool Scan::pass(std::string_view mark)
{
    const void* const at = ::memmem(rest_.data(), rest_.size(), mark.data(), mark.size());
    if (at == nullptr) return false;
    const auto before = static_cast<std::size_t>(static_cast<const char*>(at) - rest_.data());
    rest_.remove_prefix(before + mark.size());
    return true;
}

std::string_view Scan::take(std::size_t size)
{
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
}

std::string_view Scan::take_word()
{
    const auto end = rest_.find('"');
    const auto word = rest_.substr(0, end);
    rest_.remove_prefix(std::min(word.size() + 1, rest_.size()));
    return word;
}

std::int64_t Scan::take_number()
{
    std::int64_t number = 0;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
        number = number * 10 + (rest_.front() - '0');
        rest_.remove_prefix(1);
    }
    return number;
}

std::int64_t parse_hex(std::string_view digits)
{
    std::int64_t value = 0;
    for (const char c : digits) {
        int digit = -1;
        if (c >= '0' && c <= '9') digit = c - '0';
        if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
        if (digit < 0) return -1;
        value = value << 4U | digit;
    }
    return value;
}

void write_hex(std::uint64_t value, char* begin, std::size_t size)
{
    for (std::size_t i = size; i-- > 0; value >>= 4U) begin[i] = "0123456789abcdef"[value & 0xFU];
}

}  // namespace entente::bench
