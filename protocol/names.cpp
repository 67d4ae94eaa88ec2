// The forms of section 1. All comparisons are of octets [NAME-2].
#include "protocol/names.hpp"

#include <algorithm>

#include "protocol/ascii.hpp"
#include "protocol/octets.hpp"

namespace entente::protocol {
namespace {

constexpr std::size_t max_server_octets = 253;
constexpr std::size_t max_label_octets = 63;
constexpr std::size_t max_localpart_octets = 64;
constexpr std::size_t uuid_text_octets = 36;

constexpr bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

bool is_label(std::string_view label)
{
    return !label.empty() && label.size() <= max_label_octets && label.front() != '-' &&
           label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
               return is_lower(c) || is_digit(c) || c == '-';
           });
}

// What resolvers read as the last part of an IPv4 address: 1, 0x7f.
bool is_number(std::string_view label)
{
    if (std::all_of(label.begin(), label.end(), is_digit)) return true;
    if (!label.starts_with("0x")) return false;
    label.remove_prefix(2);
    return std::all_of(label.begin(), label.end(), is_hex);
}

// Splits at the only '@'; both empty where there is none or more than one.
std::pair<std::string_view, std::string_view> split_at_sign(std::string_view text)
{
    const auto at = text.find('@');
    if (at == std::string_view::npos || text.find('@', at + 1) != std::string_view::npos) {
        return {};
    }
    return {text.substr(0, at), text.substr(at + 1)};
}

std::string_view before_at_sign(const std::string& text)
{
    return std::string_view{text}.substr(0, text.find('@'));
}

ServerName after_at_sign(const std::string& text)
{
    const auto at = text.find('@');
    return at == std::string::npos ? ServerName{} : ServerName::trusted(text.substr(at + 1));
}

}  // namespace

Result<ServerName> parse_server_name(std::string_view text, NameRules rules)
{
    const auto refused = [](std::string_view why) {
        return refuse(Code::malformed, "server name: " + std::string{why});
    };
    if (text.empty() || text.size() > max_server_octets) return refused("empty or over 253 octets");
    std::size_t labels = 0;
    std::string_view last;
    for (std::size_t start = 0; start <= text.size();) {
        const auto end = std::min(text.find('.', start), text.size());
        last = text.substr(start, end - start);
        if (!is_label(last))
            return refused("a label is not 1-63 of a-z 0-9 -, without - at its edges");
        ++labels;
        start = end + 1;
    }
    if (is_number(last)) return refused("the last label is a number");
    if (!rules.allow_test_names) {
        if (labels < 2) return refused("a single label");
        if (last == "test" || last == "localhost") return refused("a name for tests only");
    }
    return ServerName::trusted(std::string{text});
}

bool is_localpart(std::string_view text)
{
    return !text.empty() && text.size() <= max_localpart_octets &&
           (is_lower(text.front()) || is_digit(text.front())) &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_lower(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
           });
}

Result<UserId> parse_user_id(std::string_view text, NameRules rules)
{
    const auto [localpart, server] = split_at_sign(text);
    if (!is_localpart(localpart)) return refuse(Code::malformed, "not a user's name");
    if (auto parsed = parse_server_name(server, rules); !parsed) return fail(std::move(parsed));
    return UserId::trusted(std::string{text});
}

Result<ChannelId> parse_channel_id(std::string_view text, NameRules rules)
{
    const auto [id, server] = split_at_sign(text);
    const auto uuid = parse_uuid(id);
    if (!uuid || (uuid->octets[6] >> 4U) != 7 || (uuid->octets[8] >> 6U) != 2) {
        return refuse(Code::malformed, "not a channel's name: UUIDv7@server");
    }
    if (auto parsed = parse_server_name(server, rules); !parsed) return fail(std::move(parsed));
    return ChannelId::trusted(std::string{text});
}

Result<Alias> parse_alias(std::string_view text, NameRules rules)
{
    const bool is_marked = text.starts_with('#');
    const auto [localpart, server] = split_at_sign(text.substr(is_marked ? 1 : 0));
    if (!is_marked || !is_localpart(localpart))
        return refuse(Code::malformed, "not an alias: #localpart@server");
    if (auto parsed = parse_server_name(server, rules); !parsed) return fail(std::move(parsed));
    return Alias::trusted(std::string{text});
}

Result<KeyId> parse_key_id(std::string_view text)
{
    if (!hash_from_base64url(text)) {
        return refuse(Code::malformed, "not a key id: 43 characters of base64url");
    }
    return KeyId::trusted(std::string{text});
}

Result<Uuid> parse_uuid(std::string_view text)
{
    const auto refused = [] { return refuse(Code::malformed, "not a lower-case UUID"); };
    if (text.size() != uuid_text_octets) return refused();
    Uuid uuid;
    std::size_t nibble = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') return refused();
            continue;
        }
        if (!is_hex(c)) return refused();
        auto& octet = uuid.octets[nibble / 2];
        octet = static_cast<std::uint8_t>((octet << 4U) | hex_value(c));
        ++nibble;
    }
    return uuid;
}

std::string Uuid::str() const
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(uuid_text_octets);
    for (std::size_t i = 0; i < octets.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
        text.push_back(digits[octets[i] >> 4U]);
        text.push_back(digits[octets[i] & 15U]);
    }
    return text;
}

Uuid make_uuid7(Millis now, Random& random)
{
    Uuid uuid;
    const auto time = static_cast<std::uint64_t>(now);
    for (unsigned i = 0; i < 6; ++i) {
        uuid.octets[i] = static_cast<std::uint8_t>(time >> (40U - 8U * i));
    }
    const std::string noise = random.octets(10);
    for (std::size_t i = 0; i < noise.size(); ++i) {
        uuid.octets[6 + i] = static_cast<std::uint8_t>(noise[i]);
    }
    uuid.octets[6] = static_cast<std::uint8_t>((uuid.octets[6] & 0x0fU) | 0x70U);
    uuid.octets[8] = static_cast<std::uint8_t>((uuid.octets[8] & 0x3fU) | 0x80U);
    return uuid;
}

ChannelId make_channel_id(const ServerName& home, Millis now, Random& random)
{
    return ChannelId::trusted(make_uuid7(now, random).str() + "@" + home.str());
}

ServerName server_of(const UserId& user)
{
    return after_at_sign(user.str());
}

ServerName creator_of(const ChannelId& channel)
{
    return after_at_sign(channel.str());
}

std::string_view localpart_of(const UserId& user)
{
    return before_at_sign(user.str());
}

ServerName server_of(const Alias& alias)
{
    return after_at_sign(alias.str());
}

std::string_view localpart_of(const Alias& alias)
{
    return before_at_sign(alias.str()).substr(1);
}

Result<KeyRef> parse_key_ref(std::string_view text, NameRules rules)
{
    const auto hash_sign = text.find('#');
    if (hash_sign == std::string_view::npos) {
        return refuse(Code::malformed, "not a key's name: server#keyid");
    }
    auto server = parse_server_name(text.substr(0, hash_sign), rules);
    if (!server) return fail(std::move(server));
    auto key = parse_key_id(text.substr(hash_sign + 1));
    if (!key) return fail(std::move(key));
    return KeyRef{std::move(*server), std::move(*key)};
}

}  // namespace entente::protocol
