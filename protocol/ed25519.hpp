// Ed25519 keys, signatures and their JWK form (RFC 8032, RFC 8037, RFC 7638), all
// through libsodium, whose verification is the protocol's: strict and cofactorless
// [SIG-7].
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/names.hpp"
#include "protocol/octets.hpp"
#include "protocol/result.hpp"

namespace entente::protocol {

using Signature = std::array<std::uint8_t, 64>;

// A public key that passed SIG-7: canonical encoding, no small order.
class PublicKey {
 public:
    [[nodiscard]] static Result<PublicKey> from_octets(std::string_view octets);
    [[nodiscard]] static Result<PublicKey> from_x(std::string_view base64url_x);

    [[nodiscard]] std::string_view octets() const
    {
        return {reinterpret_cast<const char*>(octets_.data()), octets_.size()};
    }
    [[nodiscard]] std::string x() const;  // the JWK's member, base64url
    [[nodiscard]] KeyId thumbprint() const;
    // Canonical S, A and R, no small-order points.
    [[nodiscard]] bool verifies(std::string_view signature, std::string_view message) const;

    friend bool operator==(const PublicKey&, const PublicKey&) = default;

 private:
    PublicKey() = default;
    std::array<std::uint8_t, 32> octets_{};
};

// A private key; wiped when it goes.
class SigningKey {
 public:
    [[nodiscard]] static SigningKey generate(Random& random);
    [[nodiscard]] static Result<SigningKey> from_seed(std::string_view seed);  // 32 octets
    SigningKey(const SigningKey&);
    SigningKey(SigningKey&&) noexcept;
    SigningKey& operator=(const SigningKey&);
    SigningKey& operator=(SigningKey&&) noexcept;
    ~SigningKey();

    [[nodiscard]] const PublicKey& public_key() const { return public_; }
    [[nodiscard]] const KeyId& id() const { return id_; }
    [[nodiscard]] std::string seed() const;
    [[nodiscard]] std::string sign(std::string_view message) const;  // 64 octets

 private:
    SigningKey(const std::array<std::uint8_t, 64>& secret, PublicKey key);
    std::array<std::uint8_t, 64> secret_;
    PublicKey public_;
    KeyId id_;
};

// Overwrites what was a secret, and empties it.
void wipe(std::string& secret);

// Call once before anything else of this header or of SystemRandom; repeats are free.
void start_crypto();

}  // namespace entente::protocol
