#include "conformance/wire/signing.hpp"

#include <algorithm>

#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

std::string value_of(const Request& request, std::string_view component)
{
    const auto question = request.target.find('?');
    if (component == "@method") return request.method;
    if (component == "@path") return request.target.substr(0, question);
    if (component == "@query")
        return question == std::string::npos ? "?" : request.target.substr(question);
    if (component == "@target-uri")
        return "https://" + field_of(request.fields, "host").value_or("") + request.target;
    if (component == "@authority") return field_of(request.fields, "host").value_or("");
    return field_of(request.fields, component).value_or("");
}

std::string_view bare(std::string_view component)
{
    if (component.starts_with('"')) component.remove_prefix(1);
    return component.substr(0, component.find('"'));
}

}  // namespace

void SignatureInput::set(std::string_view name, std::string value)
{
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [&](const auto& one) { return one.first == name; });
    if (value.empty()) {
        if (found != parameters.end()) parameters.erase(found);
    } else if (found != parameters.end()) {
        found->second = std::move(value);
    } else {
        parameters.emplace_back(name, std::move(value));
    }
}

std::string SignatureInput::get(std::string_view name) const
{
    for (const auto& [given, value] : parameters)
        if (given == name) return value;
    return {};
}

void SignatureInput::drop_component(std::string_view component)
{
    std::erase_if(components, [&](const auto& one) { return bare(one) == component; });
}

std::string SignatureInput::text() const
{
    std::string text = "(";
    for (const auto& component : components) {
        if (text.size() > 1) text += ' ';
        text += component;
    }
    text += ')';
    for (const auto& [name, value] : parameters) text += ";" + name + "=" + value;
    return text;
}

std::string quoted(std::string_view text)
{
    return "\"" + std::string(text) + "\"";
}

std::string signature_base(const Request& request, const SignatureInput& input)
{
    std::string base;
    for (const auto& component : input.components)
        base += component + ": " + value_of(request, bare(component)) + "\n";
    return base + "\"@signature-params\": " + input.text();
}

std::string answer_base(int status, std::string_view content_digest,
                        std::string_view request_signature, std::string_view parameters)
{
    return "\"@status\": " + std::to_string(status) +
           "\n\"content-digest\": " + std::string(content_digest) +
           "\n\"signature\";req: " + std::string(request_signature) +
           "\n\"@signature-params\": " + std::string(parameters);
}

std::string content_digest(std::string_view body)
{
    return "sha-256=:" + base64(sha256(body)) + ":";
}

SignatureInput full_input(bool has_content, std::string_view server, const SigningKey& key,
                          std::int64_t created)
{
    SignatureInput input;
    input.components = {"\"@method\"", "\"@path\"", "\"@query\"", "\"entente-destination\""};
    if (has_content) {
        input.components.emplace_back("\"content-type\"");
        input.components.emplace_back("\"content-digest\"");
    }
    input.parameters = {{"created", std::to_string(created)},
                        {"expires", std::to_string(created + 300)},
                        {"nonce", conformance::quoted(base64url(random_octets(24)))},
                        {"keyid", conformance::quoted(std::string(server) + "#" + key.id())},
                        {"alg", "\"ed25519\""},
                        {"tag", "\"entente-v1\""}};
    return input;
}

std::string signature_field(const SignatureInput& input, std::string_view octets)
{
    return input.label + "=:" + base64(octets) + ":";
}

void sign(Request& request, const SignatureInput& input, const SigningKey& key)
{
    const auto signature = key.sign(signature_base(request, input));
    set_field(request.fields, "Signature-Input", input.label + "=" + input.text());
    set_field(request.fields, "Signature", signature_field(input, signature));
}

void sign_answer(Answer& answer, const Request& request, std::string_view server,
                 const SigningKey& key, std::int64_t created)
{
    const auto digest = content_digest(answer.body);
    const auto parameters =
        "(\"@status\" \"content-digest\" \"signature\";req);created=" + std::to_string(created) +
        ";keyid=" + conformance::quoted(std::string(server) + "#" + key.id()) +
        ";tag=\"entente-v1-response\"";
    const auto base = answer_base(answer.status, digest,
                                  field_of(request.fields, "signature").value_or(""), parameters);
    set_field(answer.fields, "Content-Length", std::to_string(answer.body.size()));
    set_field(answer.fields, "Content-Digest", digest);
    set_field(answer.fields, "Signature-Input", "entente=" + parameters);
    set_field(answer.fields, "Signature", "entente=:" + base64(key.sign(base)) + ":");
}

}  // namespace entente::conformance
