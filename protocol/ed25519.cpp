// Signatures by libsodium only. Its verification refuses a non-canonical S, A or R and
// small-order A and R, and compares without the cofactor; what from_octets asks of a
// key is the same, so that no key is pinned that could never verify anything [SIG-7].
#include "protocol/ed25519.hpp"

#include <algorithm>
#include <cstdlib>

#include <sodium.h>

#include "protocol/jwk.hpp"

namespace entente::protocol {
namespace {

using Point = std::array<std::uint8_t, crypto_core_ed25519_BYTES>;

static_assert(crypto_sign_PUBLICKEYBYTES == 32 && crypto_sign_SECRETKEYBYTES == 64 &&
              crypto_sign_SEEDBYTES == 32 && crypto_sign_BYTES == 64);

constexpr Point identity()
{
    Point point{};
    point[0] = 1;
    return point;
}

// On the curve, in the one canonical encoding, and 8 times it isn't the identity.
// Not crypto_core_ed25519_is_valid_point: that also refuses keys with a small
// component beside a large one, which verification accepts and SIG-7 doesn't name.
bool is_acceptable(const Point& key)
{
    Point sum;
    const Point zero = identity();
    if (crypto_core_ed25519_add(sum.data(), key.data(), zero.data()) != 0 || sum != key) {
        return false;
    }
    for (int doubling = 0; doubling < 3; ++doubling) {
        const Point before = sum;
        if (crypto_core_ed25519_add(sum.data(), before.data(), before.data()) != 0) return false;
    }
    return sum != zero;
}

}  // namespace

void start_crypto()
{
    // Without a source of randomness nothing that follows would be safe.
    if (sodium_init() < 0) std::abort();
}

void wipe(std::string& secret)
{
    sodium_memzero(secret.data(), secret.size());
    secret.clear();
}

Result<PublicKey> PublicKey::from_octets(std::string_view octets)
{
    PublicKey key;
    if (octets.size() != key.octets_.size()) {
        return refuse(Code::malformed, "an Ed25519 key has 32 octets");
    }
    std::copy(octets.begin(), octets.end(), key.octets_.begin());
    if (!is_acceptable(key.octets_)) {
        return refuse(Code::malformed, "not an acceptable Ed25519 key");
    }
    return key;
}

Result<PublicKey> PublicKey::from_x(std::string_view base64url_x)
{
    auto octets = from_base64url(base64url_x);
    if (!octets) return fail(std::move(octets));
    return from_octets(*octets);
}

std::string PublicKey::x() const
{
    return to_base64url(octets());
}

KeyId PublicKey::thumbprint() const
{
    return thumbprint_of(x());
}

bool PublicKey::verifies(std::string_view signature, std::string_view message) const
{
    return signature.size() == crypto_sign_BYTES &&
           crypto_sign_verify_detached(bytes_of(signature), bytes_of(message), message.size(),
                                       octets_.data()) == 0;
}

SigningKey::SigningKey(const std::array<std::uint8_t, 64>& secret, PublicKey key)
    : secret_(secret), public_(key), id_(key.thumbprint())
{
}

SigningKey::SigningKey(const SigningKey&) = default;
SigningKey& SigningKey::operator=(const SigningKey&) = default;

// A move copies the secret: the source wipes its own when it goes.
SigningKey::SigningKey(SigningKey&& other) noexcept
    : secret_(other.secret_), public_(other.public_), id_(std::move(other.id_))
{
}

SigningKey& SigningKey::operator=(SigningKey&& other) noexcept
{
    secret_ = other.secret_;
    public_ = other.public_;
    id_ = std::move(other.id_);
    return *this;
}

SigningKey::~SigningKey()
{
    sodium_memzero(secret_.data(), secret_.size());
}

SigningKey SigningKey::generate(Random& random)
{
    std::string seed = random.octets(crypto_sign_SEEDBYTES);
    auto key = from_seed(seed);
    sodium_memzero(seed.data(), seed.size());
    // Every seed of 32 octets gives a key of large order.
    if (!key) std::abort();
    return std::move(*key);
}

Result<SigningKey> SigningKey::from_seed(std::string_view seed)
{
    if (seed.size() != crypto_sign_SEEDBYTES) {
        return fail(Code::malformed, "an Ed25519 seed has 32 octets");
    }
    std::array<std::uint8_t, 32> key{};
    std::array<std::uint8_t, 64> secret{};
    crypto_sign_seed_keypair(key.data(), secret.data(), bytes_of(seed));
    auto checked = PublicKey::from_octets({reinterpret_cast<const char*>(key.data()), key.size()});
    if (!checked) return fail(std::move(checked));
    SigningKey result{secret, *checked};
    sodium_memzero(secret.data(), secret.size());
    return result;
}

std::string SigningKey::seed() const
{
    return {reinterpret_cast<const char*>(secret_.data()), crypto_sign_SEEDBYTES};
}

std::string SigningKey::sign(std::string_view message) const
{
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(reinterpret_cast<std::uint8_t*>(signature.data()), nullptr,
                         bytes_of(message), message.size(), secret_.data());
    return signature;
}

}  // namespace entente::protocol
