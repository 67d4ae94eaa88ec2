// Access tokens: JWTs (RFC 7519) signed with EdDSA (RFC 8037) by this server's own token
// key and read by nobody else. Form, signature and expiry only; whether the session
// still lives is asked of sessions.hpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/clock.hpp"
#include "protocol/ed25519.hpp"
#include "protocol/names.hpp"
#include "protocol/result.hpp"

namespace entente::api {

inline constexpr std::size_t max_access_token_octets = 2048;
inline constexpr protocol::Seconds access_token_life_s = 15 * 60;

struct AccessClaims {
    std::string subject;            // sub: the user's id
    protocol::Uuid device;          // did
    protocol::KeyId key;            // dfp: thumbprint of the device key
    protocol::Uuid session;         // sid
    std::string role;               // role
    protocol::Seconds issued = 0;   // iat
    protocol::Seconds expires = 0;  // exp
};

struct AccessToken {
    AccessClaims claims;
    std::string signing_input;
    std::string signature;  // 64 octets
};

[[nodiscard]] std::string write_access_token(const protocol::SigningKey& key,
                                             const AccessClaims& claims);
// Form only; `unauthenticated`. The header is compared octet by octet with the one that
// we write: no algorithm is ever chosen by who sends a token.
[[nodiscard]] Result<AccessToken> parse_access_token(std::string_view text);
// Form, signature, `exp` after `now`; `unauthenticated`.
[[nodiscard]] Result<AccessClaims> check_access_token(std::string_view text,
                                                      const protocol::PublicKey& key,
                                                      protocol::Seconds now);

}  // namespace entente::api
