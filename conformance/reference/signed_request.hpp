#pragma once

// What the signature fields of a request claim: who made it, when, and what is signed. Syntax alone
// [SIG-1, SIG-2, SIG-9, SIG-13 to SIG-15]; whether any of it is true is the gate's business.

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/reference/flags.hpp"
#include "conformance/wire/message.hpp"

namespace entente::conformance::reference {

struct Claim {
    std::string origin;
    std::string key_id;
    // s since 1970.
    std::int64_t created = 0;
    std::int64_t expires = 0;
    std::string nonce;
    // 64 octets.
    std::string signature;
    // The signature base; behind it those that a mutant takes as well.
    std::vector<std::string> bases;
    // The whole Signature field, which the answer's signature covers.
    std::string signature_field;
};

// Throws Refused.
[[nodiscard]] Claim read_claim(const Request& request, const Flags& flags);

// The one value of a field; empty where it is absent. Throws Refused("malformed") where it stands
// twice.
[[nodiscard]] std::string single_field(const Request& request, std::string_view name,
                                       const Flags& flags);

// [NAME-3] Throws Refused("malformed").
void check_path(std::string_view target, const Flags& flags);

// With its escapes taken away, as only mutants do.
[[nodiscard]] std::string decoded_path(std::string_view path);

}  // namespace entente::conformance::reference
