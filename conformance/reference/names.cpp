#include "conformance/reference/names.hpp"

#include <algorithm>

#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::size_t max_server_name = 253;
constexpr std::size_t max_label = 63;
constexpr std::size_t max_localpart = 64;

bool consists_of(std::string_view text, std::string_view characters)
{
    return text.find_first_not_of(characters) == std::string_view::npos;
}

constexpr std::string_view lower_and_digits = "abcdefghijklmnopqrstuvwxyz0123456789";

bool is_label(std::string_view label, const Flags& flags)
{
    if (flags.has<"names-any-case">() &&
        consists_of(label, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"))
        return !label.empty();
    return !label.empty() && label.size() <= max_label && label.front() != '-' &&
           label.back() != '-' && consists_of(label, "abcdefghijklmnopqrstuvwxyz0123456789-");
}

bool is_numeric_label(std::string_view label)
{
    return consists_of(label, "0123456789") ||
           (label.starts_with("0x") && consists_of(label.substr(2), "0123456789abcdef"));
}

}  // namespace

bool is_server_name(std::string_view name, const Flags& flags)
{
    if (flags.has<"names-unchecked">()) return !name.empty();
    if (name.size() > max_server_name) return false;
    std::size_t labels = 0;
    std::string_view last;
    for (auto rest = name;;) {
        const auto dot = rest.find('.');
        last = rest.substr(0, dot);
        if (!is_label(last, flags)) return false;
        ++labels;
        if (dot == std::string_view::npos) break;
        rest.remove_prefix(dot + 1);
    }
    return labels >= 2 && !is_numeric_label(last);
}

bool is_user(std::string_view name, const Flags& flags)
{
    const auto at = name.find('@');
    const auto localpart = name.substr(0, at);
    return at != std::string_view::npos && !localpart.empty() &&
           localpart.size() <= max_localpart &&
           lower_and_digits.find(localpart.front()) != std::string_view::npos &&
           consists_of(localpart, "abcdefghijklmnopqrstuvwxyz0123456789._-") &&
           is_server_name(name.substr(at + 1), flags);
}

bool is_uuid(std::string_view text)
{
    if (text.size() != 36) return false;
    for (std::size_t place = 0; place < text.size(); ++place) {
        const bool is_hyphen = place == 8 || place == 13 || place == 18 || place == 23;
        const bool fits = is_hyphen ? text[place] == '-'
                                    : std::string_view("0123456789abcdef").find(text[place]) !=
                                          std::string_view::npos;
        if (!fits) return false;
    }
    return true;
}

bool is_channel_id(std::string_view text, const Flags& flags)
{
    const auto at = text.find('@');
    const auto uuid = text.substr(0, at);
    return at != std::string_view::npos && is_uuid(uuid) && uuid[14] == '7' &&
           std::string_view("89ab").find(uuid[19]) != std::string_view::npos &&
           is_server_name(text.substr(at + 1), flags);
}

bool is_hash(std::string_view text)
{
    const auto octets = from_base64url(text);
    return octets && octets->size() == 32;
}

std::string server_of(std::string_view name)
{
    const auto at = name.rfind('@');
    return std::string(at == std::string_view::npos ? name : name.substr(at + 1));
}

}  // namespace entente::conformance::reference
