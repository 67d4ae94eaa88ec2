// Base64 in its two alphabets, and SHA-256 by OpenSSL: every event, entry and nonce
// passes through here, and OpenSSL's is the faster of the two that we have.
#include "protocol/octets.hpp"

#include <cstdlib>
#include <memory>

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace entente::protocol {
namespace {

constexpr std::string_view url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view standard_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xff;

using DigitTable = std::array<std::uint8_t, 256>;

constexpr DigitTable digits_of(std::string_view alphabet)
{
    DigitTable table{};
    table.fill(no_digit);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return table;
}

constexpr DigitTable url_digits = digits_of(url_alphabet);
constexpr DigitTable standard_digits = digits_of(standard_alphabet);

// Without padding.
std::string encode(const std::uint8_t* data, std::size_t size, std::string_view alphabet)
{
    std::string text;
    text.reserve((size * 4 + 2) / 3 + 2);
    std::size_t i = 0;
    for (; i + 3 <= size; i += 3) {
        const std::uint32_t group =
            (std::uint32_t{data[i]} << 16U) | (std::uint32_t{data[i + 1]} << 8U) | data[i + 2];
        text.push_back(alphabet[group >> 18U]);
        text.push_back(alphabet[(group >> 12U) & 63U]);
        text.push_back(alphabet[(group >> 6U) & 63U]);
        text.push_back(alphabet[group & 63U]);
    }
    if (i + 1 == size) {
        const std::uint32_t group = std::uint32_t{data[i]} << 16U;
        text.push_back(alphabet[group >> 18U]);
        text.push_back(alphabet[(group >> 12U) & 63U]);
    } else if (i + 2 == size) {
        const std::uint32_t group =
            (std::uint32_t{data[i]} << 16U) | (std::uint32_t{data[i + 1]} << 8U);
        text.push_back(alphabet[group >> 18U]);
        text.push_back(alphabet[(group >> 12U) & 63U]);
        text.push_back(alphabet[(group >> 6U) & 63U]);
    }
    return text;
}

// Without padding. Writes size * 3 / 4 octets, which the caller has made room for.
// One text per value: trailing bits that aren't zero would give an object several
// spellings, and with them several hashes.
bool decode(std::string_view text, const DigitTable& digits, char* out)
{
    if (text.size() % 4 == 1) return false;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const std::uint8_t digit = digits[static_cast<std::uint8_t>(c)];
        if (digit == no_digit) return false;
        bits = (bits << 6U) | digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            *out++ = static_cast<char>(static_cast<std::uint8_t>(bits >> count));
            bits &= (1U << count) - 1U;
        }
    }
    return bits == 0;
}

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Fetched once: OpenSSL 3 looks an algorithm up anew for each implicit use, which
// costs more than hashing a short text.
const EVP_MD* sha256_method()
{
    static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return method;
}

EVP_MD_CTX* thread_context()
{
    thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context{EVP_MD_CTX_new()};
    return context.get();
}

// A machine that can't hash can't do anything safely; nobody's input leads here.
void require(bool holds)
{
    if (!holds) std::abort();
}

template <class Parts>
Hash hash_of(const Parts& parts)
{
    EVP_MD_CTX* const context = thread_context();
    require(context != nullptr && sha256_method() != nullptr);
    require(EVP_DigestInit_ex2(context, sha256_method(), nullptr) == 1);
    for (const std::string_view part : parts) {
        require(EVP_DigestUpdate(context, part.data(), part.size()) == 1);
    }
    Hash hash;
    unsigned size = 0;
    require(EVP_DigestFinal_ex(context, hash.data(), &size) == 1 && size == hash.size());
    return hash;
}

}  // namespace

std::string to_base64url(const std::uint8_t* data, std::size_t size)
{
    return encode(data, size, url_alphabet);
}

std::string to_base64url(std::string_view octets)
{
    return encode(bytes_of(octets), octets.size(), url_alphabet);
}

std::string to_base64url(const Hash& hash)
{
    return encode(hash.data(), hash.size(), url_alphabet);
}

Result<std::string> from_base64url(std::string_view text)
{
    std::string octets(text.size() / 4 * 3 + text.size() % 4 * 3 / 4, '\0');
    if (!decode(text, url_digits, octets.data())) {
        return refuse(Code::malformed, "not base64url without padding");
    }
    return octets;
}

Result<Hash> hash_from_base64url(std::string_view text)
{
    Hash hash;
    if (text.size() != 43 || !decode(text, url_digits, reinterpret_cast<char*>(hash.data()))) {
        return refuse(Code::malformed, "not a SHA-256 in base64url");
    }
    return hash;
}

std::string to_base64(std::string_view octets)
{
    std::string text = encode(bytes_of(octets), octets.size(), standard_alphabet);
    while (text.size() % 4 != 0) text.push_back('=');
    return text;
}

Result<std::string> from_base64(std::string_view text)
{
    const std::size_t padded = text.size();
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    std::string octets(text.size() / 4 * 3 + text.size() % 4 * 3 / 4, '\0');
    if (padded % 4 != 0 || padded - text.size() != (4 - text.size() % 4) % 4 ||
        !decode(text, standard_digits, octets.data())) {
        return refuse(Code::malformed, "not base64 with padding");
    }
    return octets;
}

Hash sha256(std::string_view octets)
{
    return hash_of(std::array<std::string_view, 1>{octets});
}

Hash sha256(std::initializer_list<std::string_view> parts)
{
    return hash_of(parts);
}

bool equal_in_constant_time(std::string_view left, std::string_view right)
{
    return left.size() == right.size() &&
           CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace entente::protocol
