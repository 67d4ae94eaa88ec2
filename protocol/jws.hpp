// JWS in compact form as the specification uses it: protected header exactly
// {"alg":"Ed25519","kid":"server#keyid","typ":"…"} in any order, payload under the
// JSON rules [EVT-3].
#pragma once

#include <string>
#include <string_view>

#include "protocol/ed25519.hpp"
#include "protocol/names.hpp"

namespace entente::protocol {

struct Jws {
    std::string text;           // as it came, to be handed on octet by octet
    KeyRef key;                 // who claims to have signed
    std::string type;           // `typ`
    std::string payload;        // the JSON text
    std::string signing_input;  // header.payload
    std::string signature;      // 64 octets
};

inline constexpr std::size_t max_jws_octets = 4096;

// Form only; `malformed` or `too_large`. Says nothing of the signature.
[[nodiscard]] Result<Jws> parse_jws(std::string_view text, NameRules rules);
[[nodiscard]] bool verifies(const Jws& jws, const PublicKey& key);
[[nodiscard]] std::string make_jws(const SigningKey& key, const ServerName& server,
                                   std::string_view type, std::string_view payload);

}  // namespace entente::protocol
