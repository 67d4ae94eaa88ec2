// Codes, statuses and titles of section 9, in switches without `default`, so that a
// new code doesn't compile before it has all three.
#include "protocol/problem.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "protocol/json_rules.hpp"

namespace entente::protocol {
namespace {

constexpr std::string_view type_prefix = "urn:entente:problem:";
constexpr std::size_t max_problem_octets = 65536;
constexpr std::size_t max_detail_octets = 512;
constexpr std::size_t max_server_octets_told = 253;

std::string_view title(Code code)
{
    switch (code) {
        case Code::malformed: return "The request is not well-formed";
        case Code::digest_mismatch: return "The content does not match its digest";
        case Code::wrong_destination: return "The request is meant for another server";
        case Code::signature_incomplete: return "The signature does not cover what it must";
        case Code::signature_invalid: return "The signature does not verify";
        case Code::key_revoked: return "The signing key was revoked";
        case Code::unknown_key: return "The signing key is not known";
        case Code::clock_skew: return "The signature's times do not fit this server's clock";
        case Code::replayed: return "The nonce was used before";
        case Code::key_conflict: return "The server's keys do not follow from those pinned here";
        case Code::blocked: return "The server is blocked here";
        case Code::forbidden: return "This is not allowed";
        case Code::not_member: return "Only members may do this";
        case Code::not_home: return "This server is not the channel's home";
        case Code::not_found: return "There is nothing of this name";
        case Code::equivocation: return "Another event has this txn";
        case Code::superseded: return "The channel has another home";
        case Code::channel_full: return "The channel's state is at its limit";
        case Code::too_large: return "The request is too large";
        case Code::unsupported: return "The content's type or encoding is not supported";
        case Code::rate_limited: return "Too many requests";
        case Code::key_unavailable: return "The signing key could not be fetched yet";
        case Code::unavailable: return "The server cannot do this at present";
        case Code::unauthenticated: return "A valid login is needed";
        case Code::conflict: return "This conflicts with what is there";
        case Code::method_not_allowed: return "The method is not allowed here";
        case Code::timeout: return "The request took too long to arrive";
        case Code::internal: return "The server made a mistake";
    }
    return {};
}

constexpr auto last_code = static_cast<std::uint8_t>(Code::internal);

// For a code of a later edition: what its class asks of us [VER-1].
Code code_from_status(std::int64_t status)
{
    switch (status) {
        case 401: return Code::signature_invalid;
        case 403: return Code::forbidden;
        case 404: return Code::not_found;
        case 405: return Code::method_not_allowed;
        case 408: return Code::timeout;
        case 409: return Code::conflict;
        case 413: return Code::too_large;
        case 415: return Code::unsupported;
        case 429: return Code::rate_limited;
        case 503: return Code::unavailable;
        default: return status >= 500 && status <= 599 ? Code::internal : Code::malformed;
    }
}

// At most `limit` octets, never half a character.
std::string cut(const std::string& text, std::size_t limit)
{
    if (text.size() <= limit) return text;
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0U) == 0x80U) --limit;
    return text.substr(0, limit);
}

}  // namespace

int http_status(Code code)
{
    switch (code) {
        case Code::malformed:
        case Code::digest_mismatch:
        case Code::wrong_destination: return 400;
        case Code::signature_incomplete:
        case Code::signature_invalid:
        case Code::key_revoked:
        case Code::unknown_key:
        case Code::clock_skew:
        case Code::unauthenticated: return 401;
        case Code::key_conflict:
        case Code::blocked:
        case Code::forbidden:
        case Code::not_member:
        case Code::not_home: return 403;
        case Code::not_found: return 404;
        case Code::method_not_allowed: return 405;
        case Code::timeout: return 408;
        case Code::replayed:
        case Code::equivocation:
        case Code::superseded:
        case Code::channel_full:
        case Code::conflict: return 409;
        case Code::too_large: return 413;
        case Code::unsupported: return 415;
        case Code::rate_limited: return 429;
        case Code::internal: return 500;
        case Code::key_unavailable:
        case Code::unavailable: return 503;
    }
    return 500;
}

std::string_view code_name(Code code)
{
    switch (code) {
        case Code::malformed: return "malformed";
        case Code::digest_mismatch: return "digest-mismatch";
        case Code::wrong_destination: return "wrong-destination";
        case Code::signature_incomplete: return "signature-incomplete";
        case Code::signature_invalid: return "signature-invalid";
        case Code::key_revoked: return "key-revoked";
        case Code::unknown_key: return "unknown-key";
        case Code::clock_skew: return "clock-skew";
        case Code::replayed: return "replayed";
        case Code::key_conflict: return "key-conflict";
        case Code::blocked: return "blocked";
        case Code::forbidden: return "forbidden";
        case Code::not_member: return "not-member";
        case Code::not_home: return "not-home";
        case Code::not_found: return "not-found";
        case Code::equivocation: return "equivocation";
        case Code::superseded: return "superseded";
        case Code::channel_full: return "channel-full";
        case Code::too_large: return "too-large";
        case Code::unsupported: return "unsupported";
        case Code::rate_limited: return "rate-limited";
        case Code::key_unavailable: return "key-unavailable";
        case Code::unavailable: return "unavailable";
        case Code::unauthenticated: return "unauthenticated";
        case Code::conflict: return "conflict";
        case Code::method_not_allowed: return "method-not-allowed";
        case Code::timeout: return "timeout";
        case Code::internal: return "internal";
    }
    return {};
}

std::optional<Code> code_from_name(std::string_view name)
{
    for (std::uint8_t i = 0; i <= last_code; ++i) {
        if (code_name(Code{i}) == name) return Code{i};
    }
    return std::nullopt;
}

std::string problem_json(const Error& error, Millis now)
{
    std::string json = R"({"type":")";
    json += type_prefix;
    json += code_name(error.code);
    json += R"(","status":)";
    json += std::to_string(http_status(error.code));
    json += R"(,"title":)";
    append_json_string(json, title(error.code));
    if (!error.hint.empty()) {
        json += error.code == Code::superseded ? R"(,"home":)" : R"(,"detail":)";
        append_json_string(json, error.hint);
    }
    if (error.retry_after > 0) {
        json += R"(,"retry_after":)";
        json += std::to_string(error.retry_after);
    }
    if (error.code == Code::clock_skew) {
        json += R"(,"now":)";
        json += std::to_string(now);
    }
    json += '}';
    return json;
}

std::optional<Error> parse_problem(std::string_view json)
{
    if (json.size() > max_problem_octets || !check_json(json)) return std::nullopt;
    const auto document = nlohmann::json::parse(json, nullptr, false);
    if (!document.is_object()) return std::nullopt;
    const auto text_of = [&document](const char* name) -> const std::string* {
        const auto member = document.find(name);
        return member == document.end() ? nullptr : member->get_ptr<const std::string*>();
    };
    const auto number_of = [&document](const char* name) -> std::int64_t {
        const auto member = document.find(name);
        return member != document.end() && member->is_number_integer() ? member->get<std::int64_t>()
                                                                       : 0;
    };
    const std::string* const type = text_of("type");
    if (type == nullptr || !type->starts_with(type_prefix)) return std::nullopt;

    Error error;
    const auto known = code_from_name(std::string_view{*type}.substr(type_prefix.size()));
    error.code = known ? *known : code_from_status(number_of("status"));
    if (const std::string* const detail = text_of("detail")) {
        error.detail = cut(*detail, max_detail_octets);
    }
    error.retry_after = std::max<std::int64_t>(0, number_of("retry_after"));
    const std::string* const home = text_of("home");
    if (error.code == Code::superseded && home != nullptr && home->size() <= max_server_octets_told)
        error.hint = *home;
    return error;
}

}  // namespace entente::protocol
