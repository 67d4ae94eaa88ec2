#include "conformance/reference/verifying.hpp"

#include <array>
#include <cstring>
#include <string>

#include <sodium.h>

#include "conformance/wire/keys.hpp"

namespace entente::conformance::reference {

namespace {

using Octets32 = std::array<unsigned char, 32>;

Octets32 octets32(std::string_view text)
{
    Octets32 octets{};
    std::memcpy(octets.data(), text.data(), octets.size());
    return octets;
}

constexpr Octets32 neutral = {1};

// The same point in its canonical encoding.
Octets32 canonical(const Octets32& point)
{
    Octets32 sum{};
    static_cast<void>(crypto_core_ed25519_add(sum.data(), point.data(), neutral.data()));
    return sum;
}

bool is_small(Octets32 point)
{
    for (int doubling = 0; doubling < 3; ++doubling)
        if (crypto_core_ed25519_add(point.data(), point.data(), point.data()) != 0) return false;
    return point == neutral;
}

// The R to which S, reduced, would fit: S·B − k·A.
Octets32 fitting_r(std::string_view octets, std::string_view signature, std::string_view key)
{
    std::array<unsigned char, crypto_core_ed25519_NONREDUCEDSCALARBYTES> wide{};
    std::memcpy(wide.data(), signature.data() + 32, 32);
    Octets32 s{};
    crypto_core_ed25519_scalar_reduce(s.data(), wide.data());
    const auto hashed =
        std::string(signature.substr(0, 32)) + std::string(key) + std::string(octets);
    crypto_hash_sha512(wide.data(), reinterpret_cast<const unsigned char*>(hashed.data()),
                       hashed.size());
    Octets32 k{};
    crypto_core_ed25519_scalar_reduce(k.data(), wide.data());
    const auto a = octets32(key);
    Octets32 sb = neutral;
    Octets32 ka = neutral;
    static_cast<void>(crypto_scalarmult_ed25519_base_noclamp(sb.data(), s.data()));
    static_cast<void>(crypto_scalarmult_ed25519_noclamp(ka.data(), k.data(), a.data()));
    Octets32 r{};
    static_cast<void>(crypto_core_ed25519_sub(r.data(), sb.data(), ka.data()));
    return r;
}

bool is_right_for_mutants(std::string_view octets, std::string_view signature, std::string_view key,
                          const Flags& flags)
{
    if (signature.size() != 64 || key.size() != 32) return false;
    const auto given = octets32(signature);
    const auto fitting = fitting_r(octets, signature, key);
    if (flags.has<"s-unreduced">() || flags.has<"r-small-order">())
        if (given == fitting) return true;
    if (flags.has<"r-not-canonical">() && canonical(given) == fitting) return true;
    if (!flags.has<"cofactored">()) return false;
    Octets32 difference{};
    return crypto_core_ed25519_sub(difference.data(), fitting.data(), given.data()) == 0 &&
           is_small(difference);
}

}  // namespace

bool is_right_signature(std::string_view octets, std::string_view signature,
                        std::string_view public_octets, const Flags& flags)
{
    return verifies(octets, signature, public_octets) ||
           is_right_for_mutants(octets, signature, public_octets, flags);
}

}  // namespace entente::conformance::reference
