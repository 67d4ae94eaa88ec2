// A signed request and a signed answer that a test can bend before they are read.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "protocol/message_signature.hpp"
#include "protocol/signature_base.hpp"
#include "protocol/structured_fields.hpp"
#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {

// What `after` says of what was let through.
inline constexpr Code accepted = Code::internal;

inline constexpr NameRules strict_names{};
inline constexpr Seconds noon = 1763683200;
inline const std::string nonce_text = to_base64url(std::string(16, 'n'));

inline ServerName origin_name()
{
    return ServerName::trusted("a.example");
}
inline ServerName destination_name()
{
    return ServerName::trusted("b.example");
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to)
{
    const auto at = text.find(from);
    if (at == std::string::npos) throw std::logic_error{"nothing to replace: " + std::string{from}};
    return text.replace(at, from.size(), to);
}

// What a peer sends; every member may be changed, then `resign` signs it anew as a
// peer would that means it.
struct SignedRequest {
    std::string method = "POST";
    std::string target = "/federation/v1/inbox";
    std::string body = R"({"roots":[]})";
    SigningKey key = key_from(1);
    Fields fields;

    SignedRequest() { sign(); }
    explicit SignedRequest(std::string path) : method("GET"), target(std::move(path)), body()
    {
        sign();
    }

    void sign()
    {
        fields = sign_request(key, origin_name(), destination_name(), method, target, body,
                              {noon, noon + 300}, nonce_text);
    }

    std::string& field(std::string_view name)
    {
        const auto place = std::find_if(fields.begin(), fields.end(),
                                        [name](const auto& f) { return f.first == name; });
        if (place == fields.end()) throw std::logic_error{"no field " + std::string{name}};
        return place->second;
    }

    void remove(std::string_view name)
    {
        std::erase_if(fields, [name](const auto& f) { return f.first == name; });
    }

    SignedRequest& change_input(std::string_view from, std::string_view to)
    {
        field("signature-input") = replaced(field("signature-input"), from, to);
        return *this;
    }

    // Signs what Signature-Input now says, under the label `entente`.
    void resign()
    {
        const auto inputs = sf::parse_dictionary(field("signature-input"));
        const auto& covered = std::get<sf::InnerList>(inputs->front().second);
        const auto base = request_base(parts(), covered);
        if (!base) throw std::logic_error{base.error().detail};
        const sf::Dictionary signature{{"entente", sf::Item{sf::Bytes{key.sign(*base)}, {}}}};
        field("signature") = sf::serialize(signature);
    }

    [[nodiscard]] RequestParts parts() const { return {method, target, fields, body}; }
    [[nodiscard]] Result<RequestSignature> read() const
    {
        return read_request_signature(parts(), strict_names);
    }
    [[nodiscard]] bool verifies() const
    {
        const auto signature = read();
        return signature && key.public_key().verifies(signature->signature, signature->base);
    }
    // internal: it was read without an error.
    [[nodiscard]] Code code() const
    {
        const auto signature = read();
        return signature ? Code::internal : signature.error().code;
    }
};

}  // namespace entente::protocol
