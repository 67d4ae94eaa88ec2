// Writing the fields of a signed request and of a signed answer. What is written is
// canonical by construction: it comes from the serialiser that the reader compares with.
#include "protocol/message_signature.hpp"
#include "protocol/octets.hpp"
#include "protocol/signature_base.hpp"
#include "protocol/structured_fields.hpp"

namespace entente::protocol {
namespace {

constexpr std::string_view our_label = "entente";

sf::InnerList cover(std::initializer_list<sf::Item> components)
{
    sf::InnerList covered;
    covered.items = components;
    return covered;
}

void add_text(sf::InnerList& covered, std::string_view name, std::string text)
{
    covered.parameters.emplace_back(name, sf::BareItem{std::move(text)});
}

void add_number(sf::InnerList& covered, std::string_view name, std::int64_t number)
{
    covered.parameters.emplace_back(name, sf::BareItem{number});
}

// Without a base (a target that is no target, say) the message goes unsigned and is
// refused; nothing else may ever be signed in its place.
void add_signature(Fields& fields, const SigningKey& key, const sf::InnerList& covered,
                   const Result<std::string>& base)
{
    if (!base) return;
    const std::string label{our_label};
    const sf::Dictionary input{{label, covered}};
    const sf::Dictionary signature{{label, sf::Item{sf::Bytes{key.sign(*base)}, {}}}};
    fields.emplace_back("signature-input", sf::serialize(input));
    fields.emplace_back("signature", sf::serialize(signature));
}

}  // namespace

std::string content_digest(std::string_view body)
{
    return "sha-256=:" + to_base64(as_view(sha256(body))) + ":";
}

Fields sign_request(const SigningKey& key, const ServerName& origin, const ServerName& destination,
                    std::string_view method, std::string_view target, std::string_view body,
                    SigningTime time, std::string_view nonce)
{
    Fields fields;
    fields.emplace_back("entente-destination", destination.str());
    sf::InnerList covered = cover({component("@method"), component("@path"), component("@query"),
                                   component("entente-destination")});
    if (!body.empty()) {
        fields.emplace_back("content-type", "application/json");
        fields.emplace_back("content-digest", content_digest(body));
        covered.items.push_back(component("content-type"));
        covered.items.push_back(component("content-digest"));
    }
    add_number(covered, "created", time.created);
    add_number(covered, "expires", time.expires);
    add_text(covered, "nonce", std::string{nonce});
    add_text(covered, "keyid", KeyRef{origin, key.id()}.str());
    add_text(covered, "alg", "ed25519");
    add_text(covered, "tag", "entente-v1");
    add_signature(fields, key, covered, request_base({method, target, fields, body}, covered));
    return fields;
}

Fields sign_answer(const SigningKey& key, const ServerName& self, int status, std::string_view body,
                   std::string_view request_signature, Seconds created)
{
    Fields fields;
    fields.emplace_back("content-digest", content_digest(body));
    sf::InnerList covered =
        cover({component("@status"), component("content-digest"), component("signature", true)});
    add_number(covered, "created", created);
    add_text(covered, "keyid", KeyRef{self, key.id()}.str());
    add_text(covered, "tag", "entente-v1-response");
    add_signature(fields, key, covered, answer_base(status, fields, request_signature, covered));
    return fields;
}

}  // namespace entente::protocol
