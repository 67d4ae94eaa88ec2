// Digest: Content-Digest over the octets as they came, and nothing that would make others of them
// [SIG-6, SIG-9, SIG-14, SIG-16].
#include <array>

#include <sodium.h>

#include "conformance/cases/changes.hpp"
#include "conformance/cases/groups.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

std::string sha512_digest(std::string_view body)
{
    std::string hash(crypto_hash_sha512_BYTES, '\0');
    crypto_hash_sha512(reinterpret_cast<unsigned char*>(hash.data()),
                       reinterpret_cast<const unsigned char*>(body.data()), body.size());
    return "sha-512=:" + base64(hash) + ":";
}

// Content-Digest as `make` has it, of the body that is sent, and signed.
std::function<void(Request&, SignatureInput&)> digested(
    std::function<std::string(const std::string& body)> make)
{
    return [make = std::move(make)](Request& request, SignatureInput&) {
        set_field(request.fields, "Content-Digest", make(request.body));
    };
}

// Another text in a message of the same length.
void change_body(Request& request)
{
    const auto at = request.body.rfind("dig-");
    if (at == std::string::npos) throw CouldNotRun("the body doesn't hold the case's own text");
    request.body[at] = 'D';
}

std::string little_end(std::uint32_t value, int octets)
{
    std::string text;
    for (int place = 0; place < octets; ++place)
        text += static_cast<char>((value >> (8 * place)) & 0xffU);
    return text;
}

// RFC 1952 around one stored block of RFC 1951: no compressor is needed for what only has to be
// right.
std::string gzipped(const std::string& text)
{
    std::uint32_t check = ~0U;
    for (const char letter : text) {
        check ^= static_cast<unsigned char>(letter);
        for (int bit = 0; bit < 8; ++bit) check = (check >> 1U) ^ ((check & 1U) * 0xedb88320U);
    }
    const auto size = static_cast<std::uint32_t>(text.size());
    return std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff\x01", 11) + little_end(size, 2) +
           little_end(~size, 2) + text + little_end(~check, 4) + little_end(size, 4);
}

void encode_body(Request& request, const std::string& coding, const std::string& body)
{
    request.body = body;
    set_field(request.fields, "Content-Encoding", coding);
    set_field(request.fields, "Content-Length", std::to_string(body.size()));
}

std::vector<Case> digest_value_cases()
{
    return {
        {.id = "dig-01",
         .clause = "SIG-6",
         .proves = "A body that was changed on its way is refused as digest-mismatch",
         .run = refuses_changed(change_body, refusals::mismatch),
         .mutants = {{"digest-unchecked", "refused"}}},
        {.id = "dig-02",
         .clause = "SIG-6",
         .proves = "A signed digest of another body is refused as digest-mismatch",
         .run = refuses_signed(
             digested([](const std::string& body) { return content_digest(body + " "); }),
             refusals::mismatch),
         .mutants = {{"digest-unchecked", "refused"}}},
        {.id = "dig-03",
         .clause = "SIG-1",
         .proves = "A body that was changed on its way together with its digest is refused",
         .run = refuses_changed(
             [](Request& request) {
                 change_body(request);
                 set_field(request.fields, "Content-Digest", content_digest(request.body));
             },
             refusals::invalid),
         .mutants = {{"base-without-digest", "refused"}}},
        {.id = "dig-04",
         .clause = "SIG-6",
         .proves = "A wrong sha-512 beside a right sha-256 is refused as digest-mismatch",
         .run = refuses_signed(digested([](const std::string& body) {
                                   return content_digest(body) + ", " + sha512_digest(body + " ");
                               }),
                               refusals::mismatch),
         .mutants = {{"sha512-ignored", "refused"}}},
        {.id = "dig-05",
         .clause = "SIG-6",
         .proves = "A wrong sha-256 in front of a right sha-512 is refused as digest-mismatch",
         .run = refuses_signed(digested([](const std::string& body) {
                                   return content_digest(body + " ") + ", " + sha512_digest(body);
                               }),
                               refusals::mismatch),
         .mutants = {{"digest-unchecked", "refused"}, {"any-digest-enough", "refused"}}},
        {.id = "dig-06",
         .clause = "SIG-16",
         .proves = "A digest of an unknown algorithm alone is refused as digest-mismatch",
         .run = refuses_signed(digested([](const std::string& body) {
                                   return "sha3-256=:" + base64(sha256(body)) + ":";
                               }),
                               refusals::mismatch),
         .mutants = {{"sha256-optional", "refused"}}},
        {.id = "dig-07",
         .clause = "SIG-16",
         .proves = "A right sha-512 alone is refused as digest-mismatch",
         .run = refuses_signed(digested(sha512_digest), refusals::mismatch),
         .mutants = {{"sha256-optional", "refused"}}},
        {.id = "dig-08",
         .clause = "SIG-16",
         .proves = "A right sha-512 and an unknown algorithm beside a right sha-256 are taken",
         .run = accepts_signed(digested([](const std::string& body) {
             return content_digest(body) + ", " + sha512_digest(body) + ", unixsum=:AAAA:";
         })),
         .mutants = {{"unknown-digests-refused", "accepted"}},
         .negative = false},
    };
}

std::vector<Case> digest_form_cases()
{
    return {
        {.id = "dig-09",
         .clause = "SIG-13",
         .proves = "A body without Content-Digest is refused as signature-incomplete",
         .run =
             refuses_signed([](Request& request,
                               SignatureInput&) { drop_field(request.fields, "Content-Digest"); },
                            refusals::incomplete),
         .mutants = {{"digest-optional", "refused"}}},
        {.id = "dig-10",
         .clause = "SIG-9",
         .proves = "Content-Digest on two lines is malformed",
         .run = refuses_with(
             {.before_signing = digested([](const std::string& body) {
                  return content_digest(body) + ", " + sha512_digest(body);
              }),
              .after_signing =
                  [](Request& request) {
                      set_field(request.fields, "Content-Digest", content_digest(request.body));
                      request.fields.emplace_back("Content-Digest", sha512_digest(request.body));
                  }},
             refusals::malformed),
         .mutants = {{"field-twice", "refused"}}},
        {.id = "dig-11",
         .clause = "SIG-9",
         .proves = "A Content-Digest whose base64 has no padding is malformed",
         .run = refuses_signed(digested([](const std::string& body) {
                                   auto text = content_digest(body);
                                   return text.erase(text.find_last_of('='), 1);
                               }),
                               refusals::malformed),
         .mutants = {{"not-canonical", "refused"}},
         .descends_from = "RFC 9651 section 4.2.7"},
        {.id = "dig-12",
         .clause = "SIG-14",
         .proves = "A query with a covered digest of no content is malformed",
         .run = refuses_query({.before_signing =
                                   [](Request& request, SignatureInput& input) {
                                       cover(request, input, "content-digest", content_digest(""));
                                   }},
                              refusals::malformed),
         .mutants = {{"content-covered-without-content", "refused"}}},
        {.id = "dig-13",
         .clause = "SIG-16",
         .proves = "A body in gzip is unsupported, though the digest is of what is sent",
         .run = refuses_signed(
             [](Request& request, SignatureInput&) {
                 encode_body(request, "gzip", gzipped(request.body));
                 set_field(request.fields, "Content-Digest", content_digest(request.body));
             },
             refusals::unsupported),
         .mutants = {{"gzip-decoded", "refused"}},
         .descends_from = "RFC 9530 section 2"},
        {.id = "dig-14",
         .clause = "SIG-16",
         .proves = "The content coding identity is unsupported as well",
         .run =
             refuses_signed([](Request& request,
                               SignatureInput&) { encode_body(request, "identity", request.body); },
                            refusals::unsupported),
         .mutants = {{"identity-taken", "refused"}}},
        {.id = "dig-15",
         .clause = "EVT-3",
         .proves = "Octets behind the JSON of a body are malformed, though they are digested",
         .run =
             refuses_with({.text = [](std::string& text) { text += "{}"; }}, refusals::malformed),
         .mutants = {{"rubbish-behind-json", "refused"}}},
    };
}

}  // namespace

std::vector<Case> digest_cases()
{
    auto cases = digest_value_cases();
    auto more = digest_form_cases();
    cases.insert(cases.end(), more.begin(), more.end());
    return cases;
}

}  // namespace entente::conformance
