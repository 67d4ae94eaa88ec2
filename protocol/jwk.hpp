// Public keys as JWK (RFC 8037), as server documents and statements carry them. For the
// .cpp files of this folder only.
#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "protocol/ed25519.hpp"

namespace entente::protocol {

// An Ed25519 key whose `kid` is its thumbprint [DISC-1] and whose point is a good one
// [SIG-7]; else `malformed`, naming `what`.
[[nodiscard]] Result<PublicKey> read_jwk(const nlohmann::json& jwk, const char* what);
// Of the key with this `x` (base64url), whatever point that is: RFC 7638. To look at the point
// itself costs as much as a signature.
[[nodiscard]] KeyId thumbprint_of(std::string_view x);
// With kty, crv, x and kid.
[[nodiscard]] nlohmann::json jwk_of(const PublicKey& key);

}  // namespace entente::protocol
