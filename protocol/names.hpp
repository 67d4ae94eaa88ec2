// The names of section 1. A value of one of these types has been checked; nothing
// is lower-cased or repaired on the way in [NAME-2].
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "protocol/clock.hpp"
#include "protocol/result.hpp"

namespace entente::protocol {

// Of the longest name, a user's, with room: what a member that holds one is read up to.
inline constexpr std::size_t max_name_octets = 320;

// [NAME-1] `.test`, `.localhost` and single labels are for tests and private
// networks, and only where the configuration allows them.
struct NameRules {
    bool allow_test_names = false;
};

// A checked string with value semantics; each kind of name is a type of its own.
template <class Tag>
class CheckedName {
 public:
    CheckedName() = default;
    [[nodiscard]] const std::string& str() const { return text_; }
    [[nodiscard]] bool empty() const { return text_.empty(); }
    friend bool operator==(const CheckedName&, const CheckedName&) = default;
    friend auto operator<=>(const CheckedName&, const CheckedName&) = default;

    // For text that was checked before, such as what our own store holds.
    [[nodiscard]] static CheckedName trusted(std::string text)
    {
        CheckedName name;
        name.text_ = std::move(text);
        return name;
    }

 private:
    std::string text_;
};

using ServerName = CheckedName<struct ServerTag>;  // a.example
using UserId = CheckedName<struct UserTag>;        // alice@a.example
using ChannelId = CheckedName<struct ChannelTag>;  // uuid@a.example
using KeyId = CheckedName<struct KeyTag>;          // 43 characters of base64url
using Alias = CheckedName<struct AliasTag>;        // #general@a.example

// 16 octets; text form lower case 8-4-4-4-12.
struct Uuid {
    std::array<std::uint8_t, 16> octets{};
    friend bool operator==(const Uuid&, const Uuid&) = default;
    friend auto operator<=>(const Uuid&, const Uuid&) = default;
    [[nodiscard]] std::string str() const;
    [[nodiscard]] std::string_view bytes() const
    {
        return {reinterpret_cast<const char*>(octets.data()), octets.size()};
    }
};

[[nodiscard]] Result<ServerName> parse_server_name(std::string_view text, NameRules rules);
[[nodiscard]] Result<UserId> parse_user_id(std::string_view text, NameRules rules);
[[nodiscard]] Result<ChannelId> parse_channel_id(std::string_view text, NameRules rules);
[[nodiscard]] Result<Alias> parse_alias(std::string_view text, NameRules rules);
[[nodiscard]] Result<KeyId> parse_key_id(std::string_view text);
[[nodiscard]] Result<Uuid> parse_uuid(std::string_view text);
[[nodiscard]] bool is_localpart(std::string_view text);

// UUIDv7 (RFC 9562): sorts by time.
[[nodiscard]] Uuid make_uuid7(Millis now, Random& random);
[[nodiscard]] ChannelId make_channel_id(const ServerName& home, Millis now, Random& random);

[[nodiscard]] ServerName server_of(const UserId& user);
[[nodiscard]] ServerName creator_of(const ChannelId& channel);
[[nodiscard]] std::string_view localpart_of(const UserId& user);
[[nodiscard]] ServerName server_of(const Alias& alias);
[[nodiscard]] std::string_view localpart_of(const Alias& alias);

// `keyid` of a request and `kid` of a JWS: server#keyid.
struct KeyRef {
    ServerName server;
    KeyId key;
    friend bool operator==(const KeyRef&, const KeyRef&) = default;
    friend auto operator<=>(const KeyRef&, const KeyRef&) = default;
    [[nodiscard]] std::string str() const { return server.str() + "#" + key.str(); }
};
[[nodiscard]] Result<KeyRef> parse_key_ref(std::string_view text, NameRules rules);

}  // namespace entente::protocol

template <class Tag>
struct std::hash<entente::protocol::CheckedName<Tag>> {
    std::size_t operator()(const entente::protocol::CheckedName<Tag>& name) const noexcept
    {
        return std::hash<std::string>{}(name.str());
    }
};

template <>
struct std::hash<entente::protocol::Uuid> {
    std::size_t operator()(const entente::protocol::Uuid& uuid) const noexcept
    {
        return std::hash<std::string_view>{}(uuid.bytes());
    }
};
