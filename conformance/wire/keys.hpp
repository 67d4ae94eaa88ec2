#pragma once

// Ed25519 keys of the runner's peers, and what names them: JWK, thumbprint, JWS.

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace entente::conformance {

class SigningKey {
 public:
    [[nodiscard]] static SigningKey random();
    // `seed`: 32 octets; the same seed gives the same key.
    [[nodiscard]] static SigningKey from_seed(std::string_view seed);

    // 64 octets.
    [[nodiscard]] std::string sign(std::string_view octets) const;
    // 32 octets.
    [[nodiscard]] const std::string& public_octets() const { return public_; }
    // What it was made of: for signatures that no library makes. 32 octets.
    [[nodiscard]] std::string seed() const;
    // RFC 7638 thumbprint in base64url.
    [[nodiscard]] const std::string& id() const { return id_; }
    // {"kty","crv","x","kid"}
    [[nodiscard]] nlohmann::json jwk() const;

 private:
    std::string public_;
    std::string secret_;
    std::string id_;
};

// The JWK of any 32 octets, keys that no secret belongs to included.
[[nodiscard]] nlohmann::json jwk_of(std::string_view public_octets);
[[nodiscard]] std::string thumbprint(std::string_view public_octets);

// Strict and without cofactor, as [SIG-7] has it.
[[nodiscard]] bool verifies(std::string_view octets, std::string_view signature,
                            std::string_view public_octets);

// A compact JWS. `header` is the protected header's text, so that a case can spell it as it likes.
[[nodiscard]] std::string jws_of(std::string_view header, std::string_view payload,
                                 const SigningKey& key);

// With the header {"alg":"Ed25519","kid":"server#keyid","typ":typ}.
[[nodiscard]] std::string jws(std::string_view server, std::string_view typ,
                              std::string_view payload, const SigningKey& key);

}  // namespace entente::conformance
