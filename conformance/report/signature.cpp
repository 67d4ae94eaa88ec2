#include "conformance/report/signature.hpp"

#include <nlohmann/json.hpp>

#include "conformance/report/members.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr const char* report_typ = "entente-conformance-report";

}  // namespace

std::string canonical_octets(const nlohmann::json& report)
{
    if (!report.is_object() || !report.contains("signature")) return report.dump();
    auto bare = report;
    bare.erase("signature");
    return bare.dump();
}

void sign_report(nlohmann::json& report, const SigningKey& key)
{
    const nlohmann::json header = {{"alg", "Ed25519"}, {"kid", key.id()}, {"typ", report_typ}};
    report["signature"] = {{"key", key.jwk()},
                           {"jws", jws_of(header.dump(), sha256(canonical_octets(report)), key)}};
}

std::string signature_fault(const nlohmann::json& report)
{
    const auto& signature = member_of(report, "signature");
    if (!signature.is_object()) return "has no signature";
    const auto jws = text_of(signature, "jws");
    const auto first = jws.find('.');
    const auto last = jws.rfind('.');
    if (first == std::string::npos || first == last) return "has a signature that is no JWS";
    const auto header_octets = from_base64url(jws.substr(0, first));
    const auto payload = from_base64url(jws.substr(first + 1, last - first - 1));
    const auto proof = from_base64url(jws.substr(last + 1));
    const auto key = from_base64url(text_of(member_of(signature, "key"), "x"));
    if (!header_octets || !payload || !proof || !key) return "has a signature that is no JWS";
    const auto header = nlohmann::json::parse(*header_octets, nullptr, false);
    if (text_of(header, "alg") != "Ed25519" || text_of(header, "typ") != report_typ ||
        text_of(header, "kid") != thumbprint(*key))
        return "has a signature of another kind";
    if (!verifies(jws.substr(0, last), *proof, *key))
        return "has been altered: its signature doesn't verify";
    if (*payload != sha256(canonical_octets(report)))
        return "has been altered: its signature is of another report";
    return {};
}

}  // namespace entente::conformance
