#pragma once

// How a report is signed, so that another program can check it.
//
// What is signed is the report without its member `signature`, as RFC 8785 (JCS) writes it: members
// in the order of their names, no white space, the shortest escapes, UTF-8. A report has neither
// fractions nor numbers beyond 2^53, and its names are ASCII; so JCS is what nlohmann::json dumps.
//
// `signature` is {"key","jws"}: the JWK of a key that was made for this run alone and is thrown
// away with it, and a compact JWS (RFC 7515, EdDSA under its RFC 9864 name Ed25519) with the header
// {"alg":"Ed25519","kid":<thumbprint of key>,"typ":"entente-conformance-report"} whose payload is
// the 32 octets of the SHA-256 of those octets.
//
// It shows that nobody has changed a report by hand, not who made it: who makes up a whole report
// signs it under a key of his own. Whether it is the report of a run that somebody saw is told by
// the key's thumbprint, which `run` prints.

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "conformance/wire/keys.hpp"

namespace entente::conformance {

// What is signed. Its depth must be bounded.
[[nodiscard]] std::string canonical_octets(const nlohmann::json& report);

// Sets `signature`.
void sign_report(nlohmann::json& report, const SigningKey& key);

// Empty where the signature holds, else what is wrong with it.
[[nodiscard]] std::string signature_fault(const nlohmann::json& report);

}  // namespace entente::conformance
