#pragma once

// A server document, read as [DISC-1], [DISC-6] and [DISC-7] have it: usable, or refused whole.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/reference/flags.hpp"

namespace entente::conformance::reference {

struct ShownKey {
    std::string id;
    // 32 octets.
    std::string octets;
    // Of an old key: when it was replaced, and when it was revoked.
    std::optional<std::int64_t> until{};
    std::optional<std::int64_t> revoked_at{};
};

struct ServerDocument {
    std::string server;
    std::string api_host;
    std::uint16_t api_port = 443;
    std::vector<ShownKey> keys;
    std::vector<ShownKey> old_keys;
    ShownKey recovery;
    std::vector<std::string> statements;
    std::int64_t transaction_bytes = 4'194'304;
    std::int64_t transaction_items = 1'000;
    // s, clamped.
    std::int64_t max_age = 3'600;
};

// Throws Refused("malformed") where it isn't usable. `server`: the name that was asked for.
[[nodiscard]] ServerDocument read_document(const nlohmann::json& document,
                                           const std::string& server, const Flags& flags);

// A JWK whose `kid` is its thumbprint. Throws Refused("malformed").
[[nodiscard]] ShownKey read_jwk(const nlohmann::json& jwk, const Flags& flags);

// [SIG-7, SIG-17]: on the curve, in canonical encoding, not of small order.
[[nodiscard]] bool is_acceptable_key(const std::string& octets, const Flags& flags);

struct HttpsOrigin {
    std::string host;
    std::uint16_t port = 443;
};
// `https://host` or `https://host:port`, nothing behind. Throws Refused("malformed"). What isn't
// checked is taken for an origin as far as it goes: mutants ask for that.
[[nodiscard]] HttpsOrigin read_https_origin(const std::string& text, bool is_checked,
                                            const Flags& flags);

}  // namespace entente::conformance::reference
