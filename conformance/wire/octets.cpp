#include "conformance/wire/octets.hpp"

#include <cassert>
#include <chrono>

#include <sodium.h>

namespace entente::conformance {

namespace {

std::string encode(std::string_view octets, int variant)
{
    std::string text(sodium_base64_encoded_len(octets.size(), variant), '\0');
    sodium_bin2base64(text.data(), text.size(),
                      reinterpret_cast<const unsigned char*>(octets.data()), octets.size(),
                      variant);
    text.pop_back();
    return text;
}

std::optional<std::string> decode(std::string_view text, int variant)
{
    std::string octets(text.size(), '\0');
    std::size_t length = 0;
    const char* end = nullptr;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(octets.data()), octets.size(),
                          text.data(), text.size(), nullptr, &length, &end, variant) != 0 ||
        end != text.data() + text.size())
        return std::nullopt;
    octets.resize(length);
    // One value has one spelling.
    if (encode(octets, variant) != text) return std::nullopt;
    return octets;
}

std::string uuid_text(std::string octets, unsigned version)
{
    octets[6] =
        static_cast<char>((static_cast<unsigned char>(octets[6]) & 0x0fU) | (version << 4U));
    octets[8] = static_cast<char>((static_cast<unsigned char>(octets[8]) & 0x3fU) | 0x80U);
    auto text = hex(octets);
    for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, "-");
    return text;
}

thread_local Draw* draw_in_force = nullptr;

}  // namespace

std::string base64url(std::string_view octets)
{
    return encode(octets, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::string base64(std::string_view octets)
{
    return encode(octets, sodium_base64_VARIANT_ORIGINAL);
}

std::optional<std::string> from_base64url(std::string_view text)
{
    return decode(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::optional<std::string> from_base64(std::string_view text)
{
    return decode(text, sodium_base64_VARIANT_ORIGINAL);
}

std::string hex(std::string_view octets)
{
    std::string text(octets.size() * 2 + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(octets.data()),
                   octets.size());
    text.pop_back();
    return text;
}

std::string sha256(std::string_view octets)
{
    std::string hash(crypto_hash_sha256_BYTES, '\0');
    crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()),
                       reinterpret_cast<const unsigned char*>(octets.data()), octets.size());
    return hash;
}

std::string random_octets(std::size_t count)
{
    return draw_in_force == nullptr ? fresh_octets(count) : draw_in_force->octets(count);
}

std::string random_uuid()
{
    return uuid_text(random_octets(16), 4);
}

std::string fresh_octets(std::size_t count)
{
    std::string octets(count, '\0');
    randombytes_buf(octets.data(), octets.size());
    return octets;
}

std::string fresh_uuid()
{
    return uuid_text(fresh_octets(16), 4);
}

Draw::Draw(std::string_view seed) : key_(sha256(seed))
{
    assert(draw_in_force == nullptr);
    draw_in_force = this;
}

Draw::~Draw()
{
    draw_in_force = nullptr;
}

std::string Draw::octets(std::size_t count)
{
    static_assert(randombytes_SEEDBYTES == crypto_hash_sha256_BYTES);
    const auto seed = sha256(key_ + std::to_string(drawn_++));
    std::string octets(count, '\0');
    randombytes_buf_deterministic(octets.data(), octets.size(),
                                  reinterpret_cast<const unsigned char*>(seed.data()));
    return octets;
}

std::string time_uuid(std::int64_t at)
{
    auto octets = random_octets(16);
    for (std::size_t place = 0; place < 6; ++place)
        octets[place] = static_cast<char>(static_cast<std::uint64_t>(at) >> (40 - 8 * place));
    return uuid_text(octets, 7);
}

std::int64_t system_milliseconds()
{
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace entente::conformance
