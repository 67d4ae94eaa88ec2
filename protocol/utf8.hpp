// Well-formed UTF-8 (table 3-7 of the Unicode standard): no overlong forms, no
// surrogates, nothing past U+10FFFF. Knows nothing of characters' meaning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace entente::protocol {

// The length of the well-formed sequence of two or more octets that `text` starts
// with, 0 where there is none.
[[nodiscard]] inline std::size_t utf8_sequence_length(std::string_view text)
{
    const auto octet = [text](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto follows = [octet](std::size_t i) { return (octet(i) & 0xc0U) == 0x80U; };
    const unsigned lead = octet(0);
    const unsigned second = octet(1);
    if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        const bool outside = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f);
        return follows(1) && follows(2) && !outside ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        const bool outside = (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
        return follows(1) && follows(2) && follows(3) && !outside ? 4 : 0;
    }
    return 0;
}

// `point` is at most U+10FFFF; a surrogate becomes its three octets.
inline void append_utf8(std::string& out, std::uint32_t point)
{
    const auto put = [&out](std::uint32_t octet) { out.push_back(static_cast<char>(octet)); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xc0U | (point >> 6U));
        put(0x80U | (point & 63U));
    } else if (point < 0x10000) {
        put(0xe0U | (point >> 12U));
        put(0x80U | ((point >> 6U) & 63U));
        put(0x80U | (point & 63U));
    } else {
        put(0xf0U | (point >> 18U));
        put(0x80U | ((point >> 12U) & 63U));
        put(0x80U | ((point >> 6U) & 63U));
        put(0x80U | (point & 63U));
    }
}

[[nodiscard]] inline bool is_utf8(std::string_view text)
{
    while (!text.empty()) {
        const bool ascii = static_cast<unsigned char>(text.front()) < 0x80;
        const std::size_t length = ascii ? 1 : utf8_sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

// The longest beginning of a valid text that has no more octets and ends between two characters.
[[nodiscard]] inline std::string_view utf8_prefix(std::string_view text, std::size_t octets)
{
    if (text.size() <= octets) return text;
    while (octets > 0 && (static_cast<unsigned char>(text[octets]) & 0xC0U) == 0x80U) --octets;
    return text.substr(0, octets);
}

}  // namespace entente::protocol
