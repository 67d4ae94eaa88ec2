// Signature: who signed what, what was changed afterwards, and which 64 octets count as a
// signature [SIG-5, SIG-7, SIG-14, SIG-18].
#include <array>
#include <iterator>

#include <sodium.h>

#include "conformance/cases/changes.hpp"
#include "conformance/cases/signature_parts.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

// 32 octets, little end first.
using Scalar = std::array<unsigned char, crypto_core_ed25519_SCALARBYTES>;

const unsigned char* octets_of_text(std::string_view text)
{
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string text_of(const Scalar& scalar)
{
    return {reinterpret_cast<const char*>(scalar.data()), scalar.size()};
}

// RFC 8032 section 5.1.5: the scalar behind the key.
Scalar secret_scalar(const SigningKey& key)
{
    std::array<unsigned char, crypto_hash_sha512_BYTES> hash{};
    const auto seed = key.seed();
    crypto_hash_sha512(hash.data(), octets_of_text(seed), seed.size());
    Scalar scalar{};
    std::copy_n(hash.begin(), scalar.size(), scalar.begin());
    scalar[0] &= 248;
    scalar[31] &= 63;
    scalar[31] |= 64;
    return scalar;
}

// S of RFC 8032 section 5.1.6 for any R, whose discrete logarithm is `r` but for a small component.
std::string answer_to(const std::string& r_octets, const Scalar& r, const std::string& base,
                      const SigningKey& key)
{
    const auto hashed = r_octets + key.public_octets() + base;
    std::array<unsigned char, crypto_hash_sha512_BYTES> hash{};
    crypto_hash_sha512(hash.data(), octets_of_text(hashed), hashed.size());
    Scalar k{};
    crypto_core_ed25519_scalar_reduce(k.data(), hash.data());
    const auto a = secret_scalar(key);
    Scalar s{};
    crypto_core_ed25519_scalar_mul(s.data(), k.data(), a.data());
    crypto_core_ed25519_scalar_add(s.data(), s.data(), r.data());
    return r_octets + text_of(s);
}

// S + L is the same number in the group [RFC 8032 section 5.1.7].
std::string with_larger_s(const std::string& base, const SigningKey& key)
{
    static constexpr Scalar order = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                     0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                     0,    0,    0,    0,    0,    0,    0,    0,
                                     0,    0,    0,    0,    0,    0,    0,    0x10};
    auto signature = key.sign(base);
    unsigned carry = 0;
    for (std::size_t place = 0; place < order.size(); ++place) {
        auto& octet = signature[32 + place];
        const auto sum = static_cast<unsigned char>(octet) + order[place] + carry;
        octet = static_cast<char>(sum & 0xffU);
        carry = sum >> 8U;
    }
    return signature;
}

// R is the neutral point, in its one canonical encoding or as y = p + 1.
std::string with_neutral_r(bool canonical, const std::string& base, const SigningKey& key)
{
    std::string r(32, canonical ? '\0' : '\xff');
    r[0] = canonical ? '\x01' : '\xee';
    if (!canonical) r[31] = '\x7f';
    return answer_to(r, Scalar{}, base, key);
}

// R = rB + T, T of order 8: right but for what a cofactor would take away.
std::string with_mixed_r(const std::string& base, const SigningKey& key)
{
    static constexpr Scalar small = {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f,
                                     0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
                                     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6,
                                     0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a};
    Scalar r{};
    crypto_core_ed25519_scalar_reduce(r.data(), octets_of_text(random_octets(64)));
    Scalar point{};
    crypto_scalarmult_ed25519_base_noclamp(point.data(), r.data());
    if (crypto_core_ed25519_add(point.data(), point.data(), small.data()) != 0)
        throw CouldNotRun("a point of order 8 isn't one for libsodium");
    return answer_to(text_of(point), r, base, key);
}

using MakeSignature = std::function<std::string(const std::string& base, const SigningKey& key)>;

std::function<void(Trial&)> refuses_octets(MakeSignature make, std::vector<Refusal> allowed)
{
    return refuses_with({.signature = std::move(make)}, std::move(allowed));
}

std::vector<Case> octet_cases()
{
    return {
        {.id = "sig-45",
         .clause = "SIG-7",
         .proves = "A signature with one bit changed is refused as signature-invalid",
         .run = refuses_octets(
             [](const std::string& base, const SigningKey& key) {
                 auto signature = key.sign(base);
                 signature[40] = static_cast<char>(signature[40] ^ 1);
                 return signature;
             },
             refusals::invalid),
         .mutants = {{"signature-unchecked", "refused"}}},
        {.id = "sig-46",
         .clause = "SIG-14",
         .proves = "A signature of 63 octets is malformed",
         .run = refuses_octets([](const std::string& base,
                                  const SigningKey& key) { return key.sign(base).substr(0, 63); },
                               refusals::malformed),
         .mutants = {{"signature-any-length", "refused"}},
         .descends_from = "Wycheproof: TruncatedSignature"},
        {.id = "sig-47",
         .clause = "SIG-14",
         .proves = "A signature with an octet too many is malformed",
         .run = refuses_octets(
             [](const std::string& base, const SigningKey& key) { return key.sign(base) + "x"; },
             refusals::malformed),
         .mutants = {{"signature-any-length", "refused"}},
         .descends_from = "Wycheproof: SignatureWithGarbage"},
        {.id = "sig-48",
         .clause = "SIG-7",
         .proves = "A signature whose S isn't below the group's order is refused",
         .run = refuses_octets(with_larger_s, refusals::invalid),
         .mutants = {{"s-unreduced", "refused"}},
         .descends_from = "CVE-2020-36843"},
        {.id = "sig-49",
         .clause = "SIG-7",
         .proves = "A signature whose R is in no canonical encoding is refused",
         .run = refuses_octets(std::bind_front(with_neutral_r, false), refusals::invalid),
         .mutants = {{"r-not-canonical", "refused"}},
         .descends_from = "RFC 8032 section 5.1.7"},
        {.id = "sig-50",
         .clause = "SIG-7",
         .proves = "A signature whose R is of small order is refused",
         .run = refuses_octets(std::bind_front(with_neutral_r, true), refusals::invalid),
         .mutants = {{"r-small-order", "refused"}}},
        {.id = "sig-51",
         .clause = "SIG-7",
         .proves = "A signature that verifies with the cofactor alone is refused",
         .run = refuses_octets(with_mixed_r, refusals::invalid),
         .mutants = {{"cofactored", "refused"}}},
    };
}

std::vector<Case> signer_cases()
{
    return {
        {.id = "sig-52",
         .clause = "SIG-7",
         .proves = "Another server's signature under this server's keyid is refused",
         .run =
             [](Trial& trial) {
                 const auto stranger = trial.another().key();
                 trial.refuses(
                     {.signature = [=](const std::string& base,
                                       const SigningKey&) { return stranger.sign(base); }},
                     refusals::invalid);
             },
         .mutants = {{"signature-unchecked", "refused"}}},
        {.id = "sig-53",
         .clause = "KEY-5",
         .proves = "Another server's key is no key of this one",
         .run =
             [](Trial& trial) {
                 auto& other = trial.another();
                 // So that the target knows the key, as the other's.
                 trial.join(other, other.user(), trial.channel());
                 trial.refuses({.key = other.key()},
                               {{401, "unknown-key"}, {503, "key-unavailable"}});
             },
         .mutants = {{"keys-of-all-servers", "refused"}}},
        {.id = "sig-54",
         .clause = "SIG-18",
         .proves = "A request whose keyid names the receiving server is forbidden",
         .run =
             [](Trial& trial) {
                 const auto kid =
                     trial.world().document()["/keys/0/kid"_json_pointer].get<std::string>();
                 trial.refuses(
                     {.before_signing =
                          [keyid = trial.target() + "#" + kid](Request&, SignatureInput& input) {
                              input.set("keyid", conformance::quoted(keyid));
                          }},
                     {{403, "forbidden"}});
             },
         .mutants = {{"own-name-served", "refused"}}},
        {.id = "sig-55",
         .clause = "SIG-5",
         .proves = "A request to another destination is refused as wrong-destination",
         .run = refuses_signed(
             [](Request& request, SignatureInput&) {
                 set_field(request.fields, "Entente-Destination", "another.example");
             },
             {{400, "wrong-destination"}}),
         .mutants = {{"destination-ignored", "refused"}}},
        {.id = "sig-56",
         .clause = "SIG-5",
         .proves = "The receiver's name in upper case is another destination",
         .run =
             [](Trial& trial) {
                 auto name = trial.target();
                 for (auto& letter : name)
                     if (letter >= 'a' && letter <= 'z')
                         letter = static_cast<char>(letter - 'a' + 'A');
                 trial.refuses({.before_signing =
                                    [=](Request& request, SignatureInput&) {
                                        set_field(request.fields, "Entente-Destination", name);
                                    }},
                               {{400, "wrong-destination"}});
             },
         .mutants = {{"destination-any-case", "refused"}}},
        {.id = "sig-57",
         .clause = "SIG-7",
         .proves = "A request that was signed for another server can't be turned to this one",
         .run =
             [](Trial& trial) {
                 trial.refuses({.before_signing =
                                    [](Request& request, SignatureInput&) {
                                        set_field(request.fields, "Entente-Destination",
                                                  "another.example");
                                    },
                                .after_signing =
                                    [name = trial.target()](Request& request) {
                                        set_field(request.fields, "Entente-Destination", name);
                                    }},
                               refusals::invalid);
             },
         .mutants = {{"base-without-destination", "refused"}}},
    };
}

// Signed with `before` as its target, and then sent to the inbox.
std::function<void(Trial&)> refuses_turned(const std::string& method, const std::string& target)
{
    return refuses_with({.before_signing =
                             [=](Request& request, SignatureInput&) {
                                 request.method = method;
                                 request.target = target;
                             },
                         .after_signing =
                             [](Request& request) {
                                 request.method = "POST";
                                 request.target = "/federation/v1/inbox";
                             }},
                        refusals::invalid);
}

AfterSigning with_target(const std::string& from, const std::string& to)
{
    return [=](Request& request) {
        const auto at = request.target.find(from);
        if (at == std::string::npos) throw CouldNotRun("the target has no " + from);
        request.target.replace(at, from.size(), to);
    };
}

std::vector<Case> change_cases()
{
    return {
        {.id = "sig-58",
         .clause = "SIG-7",
         .proves = "The method can't be changed after signing",
         .run = refuses_turned("PUT", "/federation/v1/inbox"),
         .mutants = {{"base-without-method", "refused"}}},
        {.id = "sig-59",
         .clause = "SIG-7",
         .proves = "The path can't be changed after signing",
         .run = refuses_turned("POST", "/federation/v1/keys/claim"),
         .mutants = {{"base-without-path", "refused"}}},
        {.id = "sig-60",
         .clause = "SIG-7",
         .proves = "A query can't be taken away after signing",
         .run = refuses_turned("POST", "/federation/v1/inbox?after=0"),
         .mutants = {{"base-without-query", "refused"}}},
        {.id = "sig-61",
         .clause = "SIG-7",
         .proves = "A query can't be changed after signing",
         .run =
             refuses_query({.after_signing = with_target("limit=1", "limit=2")}, refusals::invalid),
         .mutants = {{"base-without-query", "refused"}}},
        {.id = "sig-62",
         .clause = "SIG-7",
         .proves = "A query can't be added after signing",
         .run = refuses_query(
             {.before_signing =
                  [](Request& request, SignatureInput&) {
                      with_target("?after=0&limit=1", "")(request);
                  },
              .after_signing = [](Request& request) { request.target += "?after=0&limit=1"; }},
             refusals::invalid),
         .mutants = {{"base-without-query", "refused"}}},
        {.id = "sig-63",
         .clause = "NAME-3",
         .proves = "A path that is escaped without need after signing is malformed",
         .run = refuses_query({.after_signing = with_target("@", "%40")}, refusals::malformed),
         .mutants = {{"path-normalised", "refused"}},
         .descends_from = "RFC 9421 section 2.2.6"},
        {.id = "sig-64",
         .clause = "NAME-3",
         .proves = "A path that is signed as escaped without need is malformed",
         .run = refuses_query(
             {.before_signing = [](Request& request,
                                   SignatureInput&) { with_target("@", "%40")(request); }},
             refusals::malformed),
         .mutants = {{"path-escapes-taken", "refused"}}},
        {.id = "sig-65",
         .clause = "SIG-7",
         .proves = "A parameter can't be changed after signing",
         .run = refuses_changed(
             [](Request& request) {
                 replace_in(request, "Signature-Input", ";nonce=\"", ";nonce=\"AAAA");
             },
             refusals::invalid),
         .mutants = {{"base-without-parameters", "refused"}}},
    };
}

}  // namespace

std::vector<Case> signature_proof_cases()
{
    std::vector<Case> all;
    for (auto* part : {octet_cases, signer_cases, change_cases}) {
        auto cases = part();
        std::move(cases.begin(), cases.end(), std::back_inserter(all));
    }
    return all;
}

}  // namespace entente::conformance
