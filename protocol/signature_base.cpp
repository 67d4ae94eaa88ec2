// One line per component, in the order that the signer chose, and the parameters last.
#include "protocol/signature_base.hpp"

#include <algorithm>

#include "protocol/ascii.hpp"

namespace entente::protocol {
namespace {

Failure refused(std::string_view why)
{
    return refuse(Code::malformed, "signature: " + std::string{why});
}

bool is_sign(char c)
{
    return std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

bool is_field_name(std::string_view name)
{
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return is_lower(c) || is_digit(c) || is_sign(c);
    });
}

bool is_method(std::string_view name)
{
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return is_lower(c) || is_upper(c) || is_digit(c) || is_sign(c);
    });
}

// The origin form, in printable ASCII: nothing in it can end a line of the base.
bool is_target(std::string_view target)
{
    return target.starts_with('/') && std::all_of(target.begin(), target.end(), [](char c) {
               return c > 0x20 && c < 0x7f && c != '#';
           });
}

std::string_view trimmed(std::string_view value)
{
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
    while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
    return value;
}

// A line break in a value would let a peer write further lines of the base.
bool is_one_line(std::string_view value)
{
    return std::all_of(value.begin(), value.end(), [](char c) {
        const auto octet = static_cast<unsigned char>(c);
        return (octet >= 0x20 && octet != 0x7f) || c == '\t';
    });
}

Result<std::string> field_value(const Fields& fields, std::string_view name)
{
    if (!is_field_name(name)) return refused("covers an unknown component");
    auto value = single_field(fields, name);
    if (!value) return fail(std::move(value));
    if (!*value) return refused("covers a field that is absent");
    if (!is_one_line(**value)) return refused("covers a field with control characters");
    return std::string{trimmed(**value)};
}

// Lower case and without the port that https means anyway (RFC 9421 section 2.2.3).
Result<std::string> authority(const Fields& fields)
{
    auto host = field_value(fields, "host");
    if (!host) return host;
    if (host->ends_with(":443")) host->resize(host->size() - 4);
    for (char& c : *host) {
        if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
    }
    return host;
}

Result<std::string> request_value(const RequestParts& request, std::string_view name)
{
    const auto query = std::min(request.target.find('?'), request.target.size());
    if (name == "@method") return std::string{request.method};
    if (name == "@path") return std::string{request.target.substr(0, query)};
    if (name == "@query") {
        const auto rest = request.target.substr(query);
        return rest.empty() ? std::string{"?"} : std::string{rest};
    }
    if (name == "@request-target") return std::string{request.target};
    if (name == "@scheme") return std::string{"https"};
    if (name == "@authority") return authority(request.fields);
    if (name == "@target-uri") {
        auto host = authority(request.fields);
        if (!host) return host;
        return "https://" + *host + std::string{request.target};
    }
    return field_value(request.fields, name);
}

// The base with the values that `value_of` gives for each component.
template <class ValueOf>
Result<std::string> base_of(const sf::InnerList& covered, const ValueOf& value_of)
{
    if (covered.items.size() > max_components) return refused("covers over 64 components");
    std::string base;
    for (auto item = covered.items.begin(); item != covered.items.end(); ++item) {
        const auto* const name = std::get_if<std::string>(&item->value);
        if (name == nullptr) return refused("a component is not a string");
        if (std::find(covered.items.begin(), item, *item) != item) {
            return refused("a component is covered twice");
        }
        Result<std::string> value = value_of(*item, *name);
        if (!value) return value;
        base += sf::serialize(*item);
        base += ": ";
        base += *value;
        base += '\n';
    }
    base += "\"@signature-params\": ";
    base += sf::serialize(covered);
    return base;
}

}  // namespace

Result<std::string> request_base(const RequestParts& request, const sf::InnerList& covered)
{
    if (!is_method(request.method)) return refused("the method is not a token");
    if (!is_target(request.target)) return refused("the target is not a path and query");
    return base_of(
        covered, [&request](const sf::Item& item, const std::string& name) -> Result<std::string> {
            if (!item.parameters.empty()) return refused("a component has parameters");
            return request_value(request, name);
        });
}

Result<std::string> answer_base(int status, const Fields& fields,
                                std::string_view request_signature, const sf::InnerList& covered)
{
    const sf::Item of_request = component("signature", true);
    return base_of(covered,
                   [&](const sf::Item& item, const std::string& name) -> Result<std::string> {
                       if (item == of_request) {
                           if (!is_one_line(request_signature))
                               return refused("the request's has control characters");
                           return std::string{trimmed(request_signature)};
                       }
                       if (!item.parameters.empty()) return refused("a component has parameters");
                       if (name == "@status") return std::to_string(status);
                       return field_value(fields, name);
                   });
}

Result<std::optional<std::string>> single_field(const Fields& fields, std::string_view name)
{
    std::optional<std::string> value;
    for (const auto& [field, text] : fields) {
        if (field != name) continue;
        if (value) return refuse(Code::malformed, std::string{name} + ": stands twice");
        value = text;
    }
    return value;
}

Result<std::optional<sf::Dictionary>> canonical_dictionary(const Fields& fields,
                                                           std::string_view name)
{
    auto text = single_field(fields, name);
    if (!text) return fail(std::move(text));
    if (!*text) return std::optional<sf::Dictionary>{};
    auto dictionary = sf::parse_dictionary(**text);
    if (!dictionary) return fail(std::move(dictionary));
    if (sf::serialize(*dictionary) != **text) {
        return refuse(Code::malformed, std::string{name} + ": not in canonical form");
    }
    return std::optional{std::move(*dictionary)};
}

sf::Item component(std::string_view name, bool request)
{
    sf::Item item{std::string{name}, {}};
    if (request) item.parameters.emplace_back("req", true);
    return item;
}

bool covers(const sf::InnerList& covered, const sf::Item& component)
{
    return std::find(covered.items.begin(), covered.items.end(), component) != covered.items.end();
}

}  // namespace entente::protocol
