#include "conformance/report/visible.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <utility>

namespace entente::conformance {

namespace {

// One code point, or one octet that begins none.
struct CodePoint {
    std::uint32_t value = 0;
    std::size_t length = 1;
    bool valid = false;
};

// Unicode 15 table 3-7: no overlong forms, no surrogates, nothing beyond U+10FFFF.
CodePoint code_point_at(std::string_view octets)
{
    const auto at = [&](std::size_t place) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(octets[place]));
    };
    const auto first = at(0);
    CodePoint point{first};
    if (first < 0x80) {
        point.valid = true;
        return point;
    }
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || octets.size() < length) return point;
    auto value = first & (0xffU >> (length + 1));
    for (std::size_t place = 1; place < length; ++place) {
        if ((at(place) & 0xc0U) != 0x80U) return point;
        value = (value << 6U) | (at(place) & 0x3fU);
    }
    constexpr std::array<std::uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return point;
    return {value, length, true};
}

// Code points that print nothing, or change how others print. The noncharacters are among them:
// XML forbids two of them.
bool is_deceptive(std::uint32_t value)
{
    static constexpr std::pair<std::uint32_t, std::uint32_t> ranges[] = {
        {0x7f, 0x9f},     {0xad, 0xad},       {0x34f, 0x34f},    {0x61c, 0x61c},   {0x115f, 0x1160},
        {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200f},  {0x2028, 0x202e}, {0x2060, 0x206f},
        {0x3164, 0x3164}, {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},  {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
        {0xfff0, 0xfffb}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};
    return value < 0x20 || (value & 0xfffeU) == 0xfffe ||
           std::any_of(
               std::begin(ranges), std::end(ranges),
               [&](const auto& range) { return value >= range.first && value <= range.second; });
}

std::string spelling_of(const CodePoint& point)
{
    switch (point.valid ? point.value : 0) {
        case '\t': return "\\t";
        case '\n': return "\\n";
        case '\r': return "\\r";
        default: break;
    }
    std::array<char, 16> text{};
    const bool is_octet = !point.valid || point.value < 0x80;
    std::snprintf(text.data(), text.size(), is_octet ? "\\x%02x" : "\\u{%x}", point.value);
    return text.data();
}

}  // namespace

void for_each_piece(std::string_view octets, LineEnds ends,
                    const std::function<void(std::string_view, bool)>& on)
{
    // Where the run of code points begins that stand as they are.
    std::size_t from = 0;
    std::size_t at = 0;
    const auto end_run = [&] {
        if (at > from) on(octets.substr(from, at - from), false);
    };
    while (at < octets.size()) {
        const auto point = code_point_at(octets.substr(at));
        if (point.valid && !is_deceptive(point.value)) {
            at += point.length;
            continue;
        }
        end_run();
        const bool crlf = octets.substr(at, 2) == "\r\n";
        const bool lf = point.value == '\n' && point.valid;
        if (crlf && ends == LineEnds::http) {
            on("\n", false);
            at += 2;
        } else {
            if (!lf || ends != LineEnds::lf) on(spelling_of(point), true);
            if (lf && ends != LineEnds::spelt) on("\n", false);
            at += point.length;
        }
        from = at;
    }
    end_run();
}

std::string visible(std::string_view octets, LineEnds ends)
{
    std::string text;
    for_each_piece(octets, ends, [&](std::string_view piece, bool) { text += piece; });
    return text;
}

std::string utf8_of(std::string_view octets)
{
    std::string text;
    while (!octets.empty()) {
        const auto point = code_point_at(octets);
        text += point.valid ? std::string(octets.substr(0, point.length)) : spelling_of(point);
        octets.remove_prefix(point.length);
    }
    return text;
}

bool is_utf8(std::string_view octets)
{
    while (!octets.empty()) {
        const auto point = code_point_at(octets);
        if (!point.valid) return false;
        octets.remove_prefix(point.length);
    }
    return true;
}

std::string_view beginning_of(std::string_view text, std::size_t most)
{
    if (text.size() <= most) return text;
    // Of a code point at most three octets stand before the cut.
    const auto is_inside = [&](std::size_t place) {
        return (static_cast<unsigned char>(text[place]) & 0xc0U) == 0x80U;
    };
    auto cut = most;
    while (cut > 0 && most - cut < 3 && is_inside(cut)) --cut;
    return text.substr(0, is_inside(cut) ? most : cut);
}

std::string bounded(std::string_view text, std::size_t most)
{
    const auto kept = beginning_of(text, most);
    if (kept.size() == text.size()) return std::string(text);
    return std::string(kept) + "\u2026 (" + std::to_string(text.size() - kept.size()) +
           " octets more)";
}

std::string escaped(std::string_view text)
{
    std::string safe;
    safe.reserve(text.size() + text.size() / 8);
    for (const char c : text) {
        switch (c) {
            case '&': safe += "&amp;"; break;
            case '<': safe += "&lt;"; break;
            case '>': safe += "&gt;"; break;
            case '"': safe += "&quot;"; break;
            case '\'': safe += "&#39;"; break;
            default: safe += c;
        }
    }
    return safe;
}

}  // namespace entente::conformance
