// Character classes of ASCII, free of locales.
#pragma once

namespace entente::protocol {

[[nodiscard]] constexpr bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

[[nodiscard]] constexpr bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

[[nodiscard]] constexpr bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

// Of either case; below zero for what is no hexadecimal digit.
[[nodiscard]] constexpr int hex_value(char c)
{
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace entente::protocol
