#include "protocol/jwk.hpp"

#include <nlohmann/json.hpp>

namespace entente::protocol {
namespace {

Failure wrong(const char* what, const char* reason)
{
    return refuse(Code::malformed, "/" + std::string{what} + ": " + reason);
}

// Null where the member is absent or no string.
const std::string* text_of(const nlohmann::json& jwk, const char* name)
{
    const auto found = jwk.find(name);
    return found == jwk.end() ? nullptr : found->get_ptr<const std::string*>();
}

}  // namespace

Result<PublicKey> read_jwk(const nlohmann::json& jwk, const char* what)
{
    if (!jwk.is_object()) return wrong(what, "must be a JWK");
    const auto* const kty = text_of(jwk, "kty");
    const auto* const crv = text_of(jwk, "crv");
    if (kty == nullptr || crv == nullptr || *kty != "OKP" || *crv != "Ed25519") {
        return wrong(what, "must be an Ed25519 key");
    }
    const auto* const x = text_of(jwk, "x");
    if (x == nullptr) return wrong(what, "has no valid x");
    auto key = PublicKey::from_x(*x);
    if (!key) return wrong(what, "has no valid x");
    const auto* const kid = text_of(jwk, "kid");
    if (kid == nullptr || *kid != key->thumbprint().str()) {
        return wrong(what, "has no kid that is its thumbprint");
    }
    return key;
}

KeyId thumbprint_of(std::string_view x)
{
    const Hash hash = sha256({R"({"crv":"Ed25519","kty":"OKP","x":")", x, R"("})"});
    return KeyId::trusted(to_base64url(hash));
}

nlohmann::json jwk_of(const PublicKey& key)
{
    return nlohmann::json{
        {"kty", "OKP"}, {"crv", "Ed25519"}, {"x", key.x()}, {"kid", key.thumbprint().str()}};
}

}  // namespace entente::protocol
