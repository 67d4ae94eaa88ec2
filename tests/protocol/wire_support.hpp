// What the tests of the wire formats share: hexadecimal octets, keys made from a
// number, and the folder of public vectors.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/clock.hpp"
#include "protocol/ed25519.hpp"

namespace entente::protocol {

inline std::string from_hex(std::string_view hex)
{
    std::string octets;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        octets.push_back(static_cast<char>(std::stoi(std::string{hex.substr(i, 2)}, nullptr, 16)));
    }
    return octets;
}

// Counts up from its seed, so that a run can be repeated.
class CountingRandom final : public Random {
 public:
    explicit CountingRandom(unsigned char seed) : next_(seed) {}
    std::string octets(std::size_t size) override
    {
        std::string result;
        while (result.size() < size) result.push_back(static_cast<char>(next_++));
        return result;
    }

 private:
    unsigned char next_;
};

inline SigningKey key_from(unsigned char seed)
{
    start_crypto();
    CountingRandom random{seed};
    return SigningKey::generate(random);
}

inline std::optional<std::filesystem::path> vectors_folder()
{
    const char* const folder = std::getenv("ENTENTE_VECTORS");
    if (folder == nullptr || *folder == '\0') return std::nullopt;
    return std::filesystem::path{folder};
}

inline std::string read_file(const std::filesystem::path& path)
{
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

}  // namespace entente::protocol
