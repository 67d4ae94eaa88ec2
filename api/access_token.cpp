#include "api/access_token.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "protocol/json_rules.hpp"
#include "protocol/octets.hpp"

namespace entente::api {
namespace {

using nlohmann::json;

constexpr std::string_view header = R"({"alg":"EdDSA","typ":"JWT"})";

protocol::Failure invalid(std::string detail)
{
    return protocol::Failure{
        Error{Code::unauthenticated, std::move(detail), "the access token is not valid", 0}};
}

const std::string& encoded_header()
{
    static const std::string text = protocol::to_base64url(header);
    return text;
}

const std::string* text_member(const json& object, const char* name)
{
    const auto found = object.find(name);
    if (found == object.end()) return nullptr;
    return found->get_ptr<const std::string*>();
}

std::optional<std::int64_t> integer_member(const json& object, const char* name)
{
    const auto found = object.find(name);
    if (found == object.end() || !found->is_number_integer()) return {};
    return found->get<std::int64_t>();
}

Result<AccessClaims> parse_claims(std::string_view payload)
{
    if (!protocol::check_json(payload)) return invalid("claims break the JSON rules");
    const auto object = json::parse(payload, nullptr, false);
    if (!object.is_object()) return invalid("claims are no object");

    const auto* subject = text_member(object, "sub");
    const auto* device = text_member(object, "did");
    const auto* key = text_member(object, "dfp");
    const auto* session = text_member(object, "sid");
    const auto* role = text_member(object, "role");
    const auto issued = integer_member(object, "iat");
    const auto expires = integer_member(object, "exp");
    if (subject == nullptr || device == nullptr || key == nullptr || session == nullptr ||
        role == nullptr || !issued || !expires)
        return invalid("a claim is missing or of a wrong type");

    const auto device_id = protocol::parse_uuid(*device);
    const auto key_id = protocol::parse_key_id(*key);
    const auto session_id = protocol::parse_uuid(*session);
    if (!device_id || !key_id || !session_id) return invalid("a claim has a wrong form");
    return AccessClaims{*subject, *device_id, *key_id, *session_id, *role, *issued, *expires};
}

}  // namespace

std::string write_access_token(const protocol::SigningKey& key, const AccessClaims& claims)
{
    std::string payload = R"({"sub":)" + protocol::json_string(claims.subject);
    payload += R"(,"did":")" + claims.device.str();
    payload += R"(","dfp":")" + claims.key.str();
    payload += R"(","sid":")" + claims.session.str();
    payload += R"(","role":)" + protocol::json_string(claims.role);
    payload += R"(,"iat":)" + std::to_string(claims.issued);
    payload += R"(,"exp":)" + std::to_string(claims.expires) + "}";

    std::string token = encoded_header() + "." + protocol::to_base64url(payload);
    const auto signature = key.sign(token);
    token += ".";
    token += protocol::to_base64url(signature);
    return token;
}

Result<AccessToken> parse_access_token(std::string_view text)
{
    if (text.size() > max_access_token_octets) return invalid("token is too long");
    const auto first = text.find('.');
    if (first == std::string_view::npos) return invalid("token has no parts");
    const auto second = text.find('.', first + 1);
    if (second == std::string_view::npos) return invalid("token has two parts");
    if (text.substr(0, first) != encoded_header()) return invalid("token has a foreign header");

    const auto payload = protocol::from_base64url(text.substr(first + 1, second - first - 1));
    if (!payload) return invalid("claims are no base64url");
    auto signature = protocol::from_base64url(text.substr(second + 1));
    if (!signature || signature->size() != 64) return invalid("signature has a wrong form");
    auto claims = parse_claims(*payload);
    if (!claims) return fail(claims);
    return AccessToken{std::move(*claims), std::string{text.substr(0, second)},
                       std::move(*signature)};
}

Result<AccessClaims> check_access_token(std::string_view text, const protocol::PublicKey& key,
                                        protocol::Seconds now)
{
    auto token = parse_access_token(text);
    if (!token) return fail(token);
    if (!key.verifies(token->signature, token->signing_input)) return invalid("wrong signature");
    if (token->claims.expires <= now) return invalid("token is over");
    return std::move(token->claims);
}

}  // namespace entente::api
