// HTTP: content that says that it is something else than JSON, or JSON in a coding [SIG-14,
// SIG-16].
#include <array>

#include "conformance/cases/http_octets.hpp"
#include "conformance/cases/http_parts.hpp"

namespace entente::conformance {

namespace {

constexpr std::size_t bomb_octets = 64 * 1024 * 1024;
constexpr std::size_t match_octets = 258;

// RFC 1952 section 8.
class Crc32 {
 public:
    Crc32()
    {
        for (std::uint32_t n = 0; n < 256; ++n) {
            auto value = n;
            for (int bit = 0; bit < 8; ++bit)
                value = (value & 1U) != 0 ? 0xEDB88320U ^ (value >> 1) : value >> 1;
            table_[n] = value;
        }
    }
    void take(char octet)
    {
        crc_ = table_[(crc_ ^ static_cast<unsigned char>(octet)) & 0xFFU] ^ (crc_ >> 8);
    }
    [[nodiscard]] std::uint32_t value() const { return ~crc_; }

 private:
    std::array<std::uint32_t, 256> table_{};
    std::uint32_t crc_ = 0xFFFFFFFFU;
};

// Deflate with the fixed codes (RFC 1951 section 3.2.6): characters of ASCII, and repetitions of
// the last one by 258.
class Deflater {
 public:
    Deflater()
    {
        put(1, 1);  // the last block
        put(1, 2);
    }
    void literal(char c) { put_code(0x30U + static_cast<unsigned char>(c), 8); }
    void repeat()
    {
        put_code(0xC5, 8);  // length 258
        put_code(0, 5);     // distance 1
    }
    std::string finish()
    {
        put_code(0, 7);
        while (filled_ != 0) put(0, 1);
        return std::move(octets_);
    }

 private:
    // The lowest bit first.
    void put(unsigned value, int bits)
    {
        for (int bit = 0; bit < bits; ++bit) {
            current_ |= ((value >> bit) & 1U) << filled_;
            if (++filled_ < 8) continue;
            octets_ += static_cast<char>(current_);
            current_ = 0;
            filled_ = 0;
        }
    }
    // Codes come with their highest bit first.
    void put_code(unsigned code, int bits)
    {
        for (int bit = bits - 1; bit >= 0; --bit) put((code >> bit) & 1U, 1);
    }

    std::string octets_;
    unsigned current_ = 0;
    int filled_ = 0;
};

std::string little_endian(std::uint32_t value)
{
    std::string octets;
    for (int shift = 0; shift < 32; shift += 8)
        octets += static_cast<char>((value >> shift) & 0xFFU);
    return octets;
}

// `text` and, behind it, at least `blanks` blanks, which change nothing of JSON.
std::string gzip_of(const std::string& text, std::size_t blanks)
{
    Crc32 crc;
    Deflater deflater;
    for (const char c : text) {
        crc.take(c);
        deflater.literal(c);
    }
    std::size_t written = text.size();
    if (blanks > 0) {
        crc.take(' ');
        deflater.literal(' ');
        ++written;
        for (std::size_t done = 0; done < blanks; done += match_octets) {
            for (std::size_t n = 0; n < match_octets; ++n) crc.take(' ');
            deflater.repeat();
            written += match_octets;
        }
    }
    const std::string header("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10);
    return header + deflater.finish() + little_endian(crc.value()) +
           little_endian(static_cast<std::uint32_t>(written));
}

// The body becomes what `code` makes of it, under a Content-Encoding; the digest is over that.
std::function<void(Trial&)> refuses_encoded(const std::string& coding,
                                            const std::function<std::string(std::string)>& code,
                                            const std::vector<Refusal>& allowed)
{
    return [=](Trial& trial) {
        trial.refuses({.text = [&](std::string& text) { text = code(std::move(text)); },
                       .before_signing =
                           [&](Request& request, SignatureInput&) {
                               request.fields.emplace_back("Content-Encoding", coding);
                           }},
                      allowed);
    };
}

void refuses_other_type(Trial& trial)
{
    trial.refuses({.before_signing =
                       [](Request& request, SignatureInput&) {
                           set_field(request.fields, "Content-Type", "text/plain");
                       }},
                  {{400, "malformed"}});
}

}  // namespace

std::vector<Case> http_body_cases()
{
    return {
        {.id = "http-51",
         .clause = "SIG-14",
         .profile = Profile::hardened,
         .proves = "A content type other than application/json is malformed",
         .run = refuses_other_type,
         .mutants = {{"any-content-type", "refused"}}},
        {.id = "http-52",
         .clause = "SIG-16",
         .profile = Profile::hardened,
         .proves = "A body in gzip is unsupported",
         .run = refuses_encoded("gzip", [](const std::string& text) { return gzip_of(text, 0); },
                                {{415, "unsupported"}}),
         .mutants = {{"gzip-decoded", "refused"}},
         .descends_from = "RFC 9110 section 8.4"},
        {.id = "http-53",
         .clause = "SIG-16",
         .profile = Profile::hardened,
         .proves = "A body in gzip that would become 64 MiB is unsupported, and not unpacked",
         .run = refuses_encoded("gzip",
                                [](const std::string& text) { return gzip_of(text, bomb_octets); },
                                {{415, "unsupported"}}),
         .mutants = {{"gzip-decoded", "refused"}},
         .descends_from = "RFC 9110 section 8.4"},
        {.id = "http-54",
         .clause = "SIG-16",
         .profile = Profile::hardened,
         .proves = "A body in a coding that nobody knows is unsupported",
         .run = refuses_encoded("x-entente", [](const std::string& text) { return text; },
                                {{415, "unsupported"}}),
         .mutants = {{"content-encoding-ignored", "refused"}},
         .descends_from = "RFC 9110 section 8.4"},
    };
}

}  // namespace entente::conformance
