#pragma once

// Compact JWS as names.md has them: of statements, and of signed roots.

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "conformance/reference/flags.hpp"

namespace entente::conformance::reference {

struct Jws {
    std::string typ;
    // Who signed it: server#keyid.
    std::string server;
    std::string key_id;
    nlohmann::json payload;
    // What is signed, and the 64 octets.
    std::string input;
    std::string signature;

    [[nodiscard]] bool is_signed_by(std::string_view public_octets) const;
};

// Throws Refused("malformed").
[[nodiscard]] Jws read_jws(const std::string& text, const Flags& flags);

}  // namespace entente::conformance::reference
