// Fixed and free octet strings, base64url (RFC 4648 section 5, without padding)
// and SHA-256. Holds no keys; signatures are in ed25519.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.hpp"

namespace entente::protocol {

using Octets = std::vector<std::uint8_t>;
using Hash = std::array<std::uint8_t, 32>;

[[nodiscard]] std::string to_base64url(const std::uint8_t* data, std::size_t size);
[[nodiscard]] std::string to_base64url(std::string_view octets);
[[nodiscard]] std::string to_base64url(const Hash& hash);  // 43 characters

// Refuses padding, foreign characters and non-zero trailing bits: `malformed`.
[[nodiscard]] Result<std::string> from_base64url(std::string_view text);
[[nodiscard]] Result<Hash> hash_from_base64url(std::string_view text);

// Standard alphabet with padding (RFC 4648 section 4), as structured fields use.
[[nodiscard]] std::string to_base64(std::string_view octets);
[[nodiscard]] Result<std::string> from_base64(std::string_view text);

// SHA-256 over the concatenation of the parts.
[[nodiscard]] Hash sha256(std::string_view octets);
[[nodiscard]] Hash sha256(std::initializer_list<std::string_view> parts);

[[nodiscard]] inline std::string_view as_view(const Hash& hash)
{
    return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

[[nodiscard]] inline const std::uint8_t* bytes_of(std::string_view octets)
{
    return reinterpret_cast<const std::uint8_t*>(octets.data());
}

// Compares in time that depends on the lengths alone.
[[nodiscard]] bool equal_in_constant_time(std::string_view left, std::string_view right);

}  // namespace entente::protocol
