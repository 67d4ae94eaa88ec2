// All that a run leaves to chance comes from here, and so from its seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "protocol/clock.hpp"

namespace entente::sim {

class Chance {
 public:
    explicit Chance(std::uint64_t seed) : numbers_(seed * 0x9e3779b97f4a7c15 + 1) {}

    // From 0 to n − 1; n is at least 1.
    [[nodiscard]] std::uint64_t below(std::uint64_t n) { return numbers_() % n; }
    [[nodiscard]] std::int64_t between(std::int64_t least, std::int64_t most)
    {
        return least +
               static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
    }
    [[nodiscard]] bool percent(std::uint64_t share) { return below(100) < share; }
    template <class T>
    [[nodiscard]] const T& pick(const std::vector<T>& from)
    {
        return from[below(from.size())];
    }
    [[nodiscard]] std::uint64_t number() { return numbers_(); }

 private:
    std::mt19937_64 numbers_;
};

// Keys, nonces and ids of one machine.
class SeededRandom final : public protocol::Random {
 public:
    explicit SeededRandom(std::uint64_t seed) : chance_(seed) {}
    [[nodiscard]] std::string octets(std::size_t size) override
    {
        std::string made(size, '\0');
        for (auto& octet : made) octet = static_cast<char>(chance_.number());
        return made;
    }

 private:
    Chance chance_;
};

}  // namespace entente::sim
