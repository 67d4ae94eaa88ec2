// Character classes of HTTP (RFC 9110 section 5.6), free of locales.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "protocol/ascii.hpp"

namespace entente::net {

using protocol::is_digit;

[[nodiscard]] constexpr bool is_token_character(char c)
{
    if (is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
    return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

[[nodiscard]] constexpr bool is_token(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

// What a field's value may hold: no controls but the tab, so no line end either.
[[nodiscard]] constexpr bool is_value_character(char c)
{
    const auto octet = static_cast<unsigned char>(c);
    return octet == '\t' || (octet >= 0x20 && octet != 0x7F);
}

[[nodiscard]] constexpr char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline std::string lower_case(std::string_view text)
{
    std::string lowered(text);
    std::transform(lowered.begin(), lowered.end(), lowered.begin(), lower);
    return lowered;
}

// Without the blanks and tabs at either end.
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

}  // namespace entente::net
