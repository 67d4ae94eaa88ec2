#include "conformance/wire/keys.hpp"

#include <sodium.h>
#include <nlohmann/json.hpp>

#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

const unsigned char* bytes(std::string_view octets)
{
    return reinterpret_cast<const unsigned char*>(octets.data());
}

}  // namespace

SigningKey SigningKey::random()
{
    return from_seed(random_octets(crypto_sign_SEEDBYTES));
}

SigningKey SigningKey::from_seed(std::string_view seed)
{
    SigningKey key;
    key.public_.resize(crypto_sign_PUBLICKEYBYTES);
    key.secret_.resize(crypto_sign_SECRETKEYBYTES);
    crypto_sign_seed_keypair(reinterpret_cast<unsigned char*>(key.public_.data()),
                             reinterpret_cast<unsigned char*>(key.secret_.data()), bytes(seed));
    key.id_ = thumbprint(key.public_);
    return key;
}

std::string SigningKey::sign(std::string_view octets) const
{
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, bytes(octets),
                         octets.size(), bytes(secret_));
    return signature;
}

std::string SigningKey::seed() const
{
    return secret_.substr(0, crypto_sign_SEEDBYTES);
}

nlohmann::json SigningKey::jwk() const
{
    return jwk_of(public_);
}

nlohmann::json jwk_of(std::string_view public_octets)
{
    return {{"kty", "OKP"},
            {"crv", "Ed25519"},
            {"x", base64url(public_octets)},
            {"kid", thumbprint(public_octets)}};
}

std::string thumbprint(std::string_view public_octets)
{
    return base64url(
        sha256(R"({"crv":"Ed25519","kty":"OKP","x":")" + base64url(public_octets) + "\"}"));
}

bool verifies(std::string_view octets, std::string_view signature, std::string_view public_octets)
{
    return signature.size() == crypto_sign_BYTES &&
           public_octets.size() == crypto_sign_PUBLICKEYBYTES &&
           crypto_sign_verify_detached(bytes(signature), bytes(octets), octets.size(),
                                       bytes(public_octets)) == 0;
}

std::string jws_of(std::string_view header, std::string_view payload, const SigningKey& key)
{
    const auto input = base64url(header) + "." + base64url(payload);
    return input + "." + base64url(key.sign(input));
}

std::string jws(std::string_view server, std::string_view typ, std::string_view payload,
                const SigningKey& key)
{
    const nlohmann::json header = {
        {"alg", "Ed25519"}, {"kid", std::string(server) + "#" + key.id()}, {"typ", typ}};
    return jws_of(header.dump(), payload, key);
}

}  // namespace entente::conformance
