#pragma once

// The forms of names.md. Names are compared octet by octet, and never repaired.

#include <string>
#include <string_view>

#include "conformance/reference/flags.hpp"

namespace entente::conformance::reference {

// [NAME-1], [NAME-4]; the top-level name `test` is allowed here.
[[nodiscard]] bool is_server_name(std::string_view name, const Flags& flags);
[[nodiscard]] bool is_user(std::string_view name, const Flags& flags);
[[nodiscard]] bool is_uuid(std::string_view text);
// [NAME-5]
[[nodiscard]] bool is_channel_id(std::string_view text, const Flags& flags);
// 32 octets as base64url.
[[nodiscard]] bool is_hash(std::string_view text);

// Of a user, a channel or a server's bare name: what is behind the `@`.
[[nodiscard]] std::string server_of(std::string_view name);

}  // namespace entente::conformance::reference
