#include "conformance/reference/refused.hpp"

#include <map>

namespace entente::conformance::reference {

int status_of(const std::string& code)
{
    static const std::map<std::string, int> statuses = {
        {"malformed", 400},         {"digest-mismatch", 400},
        {"wrong-destination", 400}, {"signature-incomplete", 401},
        {"signature-invalid", 401}, {"key-revoked", 401},
        {"unknown-key", 401},       {"clock-skew", 401},
        {"key-conflict", 403},      {"blocked", 403},
        {"forbidden", 403},         {"not-member", 403},
        {"not-home", 403},          {"not-found", 404},
        {"equivocation", 409},      {"superseded", 409},
        {"replayed", 409},          {"channel-full", 409},
        {"too-large", 413},         {"unsupported", 415},
        {"rate-limited", 429},      {"key-unavailable", 503},
        {"unavailable", 503},
    };
    return statuses.at(code);
}

nlohmann::json problem_of(const Refused& refused)
{
    auto problem = refused.members;
    problem["type"] = "urn:entente:problem:" + refused.code;
    problem["status"] = status_of(refused.code);
    problem["title"] = refused.detail.empty() ? refused.code : refused.detail;
    return problem;
}

}  // namespace entente::conformance::reference
