// Compact JWS, form and signature.
#include "protocol/jws.hpp"

#include <nlohmann/json.hpp>

#include "protocol/json_rules.hpp"
#include "protocol/octets.hpp"

namespace entente::protocol {
namespace {

struct Header {
    KeyRef key;
    std::string type;
};

tl::unexpected<Error> refused_jws(std::string_view why)
{
    return refuse(Code::malformed, "JWS: " + std::string{why});
}

// Exactly the three members: a header that says more (`crit`, `jwk`, `b64`) asks for
// something that we wouldn't do.
Result<Header> parse_header(std::string_view text, NameRules rules)
{
    if (auto checked = check_json(text); !checked) return fail(std::move(checked));
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object() || json.size() != 3) return refused_jws("header is not alg, kid and typ");
    const auto text_of = [&json](const char* name) -> const std::string* {
        const auto member = json.find(name);
        return member == json.end() ? nullptr : member->get_ptr<const std::string*>();
    };
    const auto* const algorithm = text_of("alg");
    const auto* const key = text_of("kid");
    const auto* const type = text_of("typ");
    if (algorithm == nullptr || key == nullptr || type == nullptr) {
        return refused_jws("header is not alg, kid and typ");
    }
    if (*algorithm != "Ed25519") return refused_jws("alg is not Ed25519");
    auto parsed = parse_key_ref(*key, rules);
    if (!parsed) return fail(std::move(parsed));
    return Header{std::move(*parsed), *type};
}

}  // namespace

Result<Jws> parse_jws(std::string_view text, NameRules rules)
{
    if (text.size() > max_jws_octets) return refuse(Code::too_large, "JWS: over 4096 octets");
    const auto first = text.find('.');
    const auto second = first == std::string_view::npos ? first : text.find('.', first + 1);
    // A third dot is refused below: it isn't a character of base64url.
    if (second == std::string_view::npos) return refused_jws("not three parts");

    auto header_text = from_base64url(text.substr(0, first));
    if (!header_text) return fail(std::move(header_text));
    auto payload = from_base64url(text.substr(first + 1, second - first - 1));
    if (!payload) return fail(std::move(payload));
    auto signature = from_base64url(text.substr(second + 1));
    if (!signature) return fail(std::move(signature));
    if (signature->size() != std::tuple_size_v<Signature>)
        return refused_jws("signature is not 64 octets");

    auto header = parse_header(*header_text, rules);
    if (!header) return fail(std::move(header));
    if (auto checked = check_json(*payload); !checked) return fail(std::move(checked));

    Jws jws;
    jws.text = text;
    jws.key = std::move(header->key);
    jws.type = std::move(header->type);
    jws.payload = std::move(*payload);
    jws.signing_input = text.substr(0, second);
    jws.signature = std::move(*signature);
    return jws;
}

bool verifies(const Jws& jws, const PublicKey& key)
{
    return key.verifies(jws.signature, jws.signing_input);
}

std::string make_jws(const SigningKey& key, const ServerName& server, std::string_view type,
                     std::string_view payload)
{
    std::string header = R"({"alg":"Ed25519","kid":)";
    append_json_string(header, KeyRef{server, key.id()}.str());
    header += R"(,"typ":)";
    append_json_string(header, type);
    header += '}';
    std::string text = to_base64url(header) + "." + to_base64url(payload);
    const std::string signature = key.sign(text);
    text += '.';
    text += to_base64url(signature);
    return text;
}

}  // namespace entente::protocol
