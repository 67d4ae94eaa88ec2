#pragma once

// What a server says of its own keys [KEY-2, KEY-3], as JWS: rotations, revocations and recoveries,
// and the parts of them that a case wants to spell otherwise.

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "conformance/wire/keys.hpp"

namespace entente::conformance {

// {"server","previous","key","at"}: what a rotation and its proof are both over. `previous` is a
// key id, `at` ms since 1970.
[[nodiscard]] nlohmann::json rotation_members(std::string_view server, std::string_view previous,
                                              const SigningKey& key, std::int64_t at);

// The JWS of typ entente-rotation-proof over `members`, by `key`.
[[nodiscard]] std::string rotation_proof(std::string_view server, const nlohmann::json& members,
                                         const SigningKey& key);

// The key `previous` is replaced by `key`; signed by `signer`, proven by `key`.
[[nodiscard]] std::string rotation(std::string_view server, std::string_view previous,
                                   const SigningKey& key, std::int64_t at,
                                   const SigningKey& signer);

// The key `kid` signs nothing from `at` on.
[[nodiscard]] std::string revocation(std::string_view server, std::string_view kid, std::int64_t at,
                                     const SigningKey& signer);

// The recovery key `previous` is replaced by `key`.
[[nodiscard]] std::string recovery(std::string_view server, const SigningKey& previous,
                                   const SigningKey& key, std::int64_t at);

}  // namespace entente::conformance
