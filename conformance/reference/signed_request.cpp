#include "conformance/reference/signed_request.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "conformance/reference/http_head.hpp"
#include "conformance/reference/names.hpp"
#include "conformance/reference/refused.hpp"
#include "conformance/reference/structured_fields.hpp"
#include "conformance/wire/octets.hpp"
#include "conformance/wire/signing.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::string_view request_tag = "entente-v1";
constexpr std::size_t max_components = 64;
constexpr std::size_t min_nonce = 16;
constexpr std::size_t max_nonce = 64;
constexpr std::size_t signature_octets = 64;

[[noreturn]] void bad_signature(const std::string& why)
{
    throw Refused{"malformed", "signature: " + why};
}

[[noreturn]] void lacks(const std::string& what)
{
    throw Refused{"signature-incomplete", "signature: no " + what};
}

std::ptrdiff_t count_fields(const Request& request, std::string_view name)
{
    return std::count_if(request.fields.begin(), request.fields.end(),
                         [&](const auto& field) { return field.first == name; });
}

bool has_tag(const DictionaryMember& input, const Flags& flags)
{
    const auto* tag = find_parameter(input.parameters, "tag");
    if (tag == nullptr) return flags.has<"tag-optional">();
    return tag->value == request_tag || flags.has<"any-tag">();
}

// The one input with the tag. Others are another protocol's.
const DictionaryMember& find_input(const std::vector<DictionaryMember>& inputs, const Flags& flags)
{
    const DictionaryMember* found = nullptr;
    for (const auto& input : inputs) {
        if (!input.is_list) bad_signature("an input that is no list");
        if (!has_tag(input, flags)) continue;
        if (found != nullptr) {
            if (flags.has<"two-signatures">()) break;
            bad_signature("two with the tag");
        }
        found = &input;
    }
    if (found == nullptr) lacks("signature with the tag");
    return *found;
}

std::string octets_under(const std::vector<DictionaryMember>& signatures, const std::string& label,
                         const Flags& flags)
{
    const auto found = std::find_if(signatures.begin(), signatures.end(),
                                    [&](const auto& one) { return one.name == label; });
    if (found == signatures.end()) {
        if (flags.has<"labels-ignored">()) return signatures.front().item.value;
        lacks("octets under its label");
    }
    if (flags.has<"label-fixed">() && label != "entente") lacks("label as it should be");
    if (found->is_list || found->item.kind != BareItem::Kind::octets)
        bad_signature("it is no octets");
    if (found->item.value.size() != signature_octets) {
        if (!flags.has<"signature-any-length">()) bad_signature("it isn't 64 octets");
    }
    return found->item.value;
}

// --- what is covered

bool is_hex(char c)
{
    return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}

bool covers(const DictionaryMember& input, std::string_view component)
{
    return std::any_of(input.list.begin(), input.list.end(),
                       [&](const Item& item) { return item.bare.value == component; });
}

std::optional<std::string> derived_component(const Request& request, std::string_view name,
                                             const Flags& flags)
{
    if (flags.has<"derived-from-fields">())
        if (auto field = field_of(request.fields, name)) return field;
    const auto question = request.target.find('?');
    const auto host = field_of(request.fields, "host").value_or("");
    const auto path = request.target.substr(0, question);
    const auto query = question == std::string::npos ? "?" : request.target.substr(question);
    if (name == "@method") return request.method;
    if (name == "@path") return flags.has<"path-normalised">() ? decoded_path(path) : path;
    if (name == "@query") return query;
    if (name == "@authority") return host;
    if (name == "@scheme") return "https";
    if (name == "@request-target") return request.target;
    if (name == "@target-uri") return "https://" + host + request.target;
    return std::nullopt;
}

std::string component_value(const Request& request, const std::string& name, const Flags& flags)
{
    if (name.starts_with('@')) {
        auto value = derived_component(request, name, flags);
        if (!value) bad_signature("there is no component " + name);
        return *value;
    }
    if (name != in_lower_case(name) && !flags.has<"upper-case-components">())
        bad_signature("a component in upper case");
    const auto count = count_fields(request, in_lower_case(name));
    if (count == 0 && !flags.has<"absent-covered-field">())
        bad_signature("a covered field is absent");
    if (count > 1 && !flags.has<"covered-field-twice">() && !flags.has<"field-twice">())
        bad_signature("a covered field twice");
    return field_of(request.fields, name).value_or("");
}

void check_components(const Request& request, const DictionaryMember& input, const Flags& flags)
{
    if (input.list.size() > max_components && !flags.has<"any-number-of-components">())
        bad_signature("too many components");
    if (input.list.size() > 32 && flags.has<"components-too-few">())
        bad_signature("too many components");
    if (input.list.size() > 6 && flags.has<"extra-components-refused">())
        bad_signature("a component that isn't asked for");
    for (auto item = input.list.begin(); item != input.list.end(); ++item) {
        if (item->bare.kind != BareItem::Kind::text) bad_signature("a component that is no text");
        if (!item->parameters.empty() && !flags.has<"component-parameters">())
            bad_signature("a component with parameters");
        const bool again = std::any_of(input.list.begin(), item, [&](const Item& before) {
            return before.bare.value == item->bare.value;
        });
        if (again && !flags.has<"component-twice">()) bad_signature("a component twice");
    }
    const auto require = [&](const char* component, bool waived) {
        if (!covers(input, component) && !waived) lacks(component);
    };
    require("@method", flags.has<"method-not-covered">());
    require("@path", flags.has<"path-not-covered">());
    require("@query", flags.has<"query-not-covered">());
    require("entente-destination", flags.has<"destination-not-covered">());
    if (!request.body.empty()) {
        require("content-type", flags.has<"content-type-not-covered">());
        require("content-digest", flags.has<"content-digest-not-covered">());
    } else if (covers(input, "content-type") || covers(input, "content-digest")) {
        if (!flags.has<"content-covered-without-content">())
            bad_signature("it covers content where there is none");
    }
}

void check_fields_there(const Request& request, const Flags& flags)
{
    if (single_field(request, "entente-destination", flags).empty() &&
        !flags.has<"destination-optional">())
        lacks("Entente-Destination");
    const auto type = single_field(request, "content-type", flags);
    const auto digest = single_field(request, "content-digest", flags);
    if (request.body.empty()) return;
    if (type.empty() && !flags.has<"any-content-type">()) lacks("Content-Type");
    if (digest.empty() && !flags.has<"digest-optional">()) lacks("Content-Digest");
    if (type != "application/json" && !flags.has<"any-content-type">())
        throw Refused{"malformed", "the content isn't application/json"};
}

// --- its parameters

const BareItem* parameter(const DictionaryMember& input, const char* name, BareItem::Kind kind,
                          bool is_optional)
{
    const auto* found = find_parameter(input.parameters, name);
    if (found == nullptr && !is_optional) lacks(std::string("parameter ") + name);
    if (found != nullptr && found->kind != kind)
        bad_signature(std::string(name) + " is of another type");
    return found;
}

std::int64_t created_of(const DictionaryMember& input, const Flags& flags, std::int64_t absent)
{
    const auto* any = find_parameter(input.parameters, "created");
    if (any != nullptr && any->kind == BareItem::Kind::decimal && flags.has<"created-any-number">())
        return absent;
    if (any != nullptr && any->kind == BareItem::Kind::text && flags.has<"created-any-type">())
        return absent;
    const auto* found =
        parameter(input, "created", BareItem::Kind::integer, flags.has<"created-optional">());
    if (found != nullptr && found->value.size() > 15) return absent;  // created-wraps
    return found == nullptr ? absent : found->number;
}

// Of a mutant: out of a URL, a name with user information, a port or a dot behind it.
std::string repaired_name(std::string name)
{
    name = in_lower_case(name);
    if (const auto scheme = name.find("://"); scheme != std::string::npos)
        name = name.substr(scheme + 3);
    if (const auto at = name.find('@'); at != std::string::npos) name = name.substr(at + 1);
    name = name.substr(0, name.find_first_of(":/"));
    while (name.ends_with('.')) name.pop_back();
    return name;
}

void read_key(const DictionaryMember& input, Claim& claim, const Flags& flags)
{
    const auto* keyid =
        parameter(input, "keyid", BareItem::Kind::text, flags.has<"keyid-optional">());
    if (keyid == nullptr) return;
    const auto hash = keyid->value.find('#');
    claim.origin = keyid->value.substr(0, hash);
    if (hash != std::string::npos) claim.key_id = keyid->value.substr(hash + 1);
    if (hash == std::string::npos && flags.has<"keyid-without-server">()) {
        claim.key_id = std::exchange(claim.origin, "");
        return;
    }
    if (flags.has<"names-any-case">()) claim.origin = in_lower_case(claim.origin);
    if (flags.has<"names-repaired">()) claim.origin = repaired_name(claim.origin);
    if (!is_server_name(claim.origin, flags) || !is_hash(claim.key_id))
        bad_signature("keyid names no key");
}

void read_nonce(const DictionaryMember& input, Claim& claim, const Flags& flags)
{
    const auto* any = find_parameter(input.parameters, "nonce");
    if (any != nullptr && flags.has<"nonce-any-type">()) {
        claim.nonce = base64url(any->value);
        return;
    }
    const auto* nonce =
        parameter(input, "nonce", BareItem::Kind::text, flags.has<"nonce-optional">());
    if (nonce == nullptr) return;
    claim.nonce = nonce->value;
    const auto octets = from_base64url(claim.nonce);
    if (!octets && flags.has<"nonce-any-text">()) return;
    if (!octets) bad_signature("the nonce is no base64url");
    const bool fits = octets->size() >= min_nonce && octets->size() <= max_nonce;
    if (!fits && !flags.has<"nonce-any-length">()) bad_signature("the nonce isn't 16 to 64 octets");
    if (octets->size() != 24 && flags.has<"nonce-of-24-only">())
        bad_signature("the nonce isn't 24 octets");
}

void read_parameters_of(const DictionaryMember& input, Claim& claim, const Flags& flags)
{
    const auto* expires =
        parameter(input, "expires", BareItem::Kind::integer, flags.has<"expires-optional">());
    claim.created = created_of(input, flags, expires == nullptr ? 0 : expires->number - 300);
    claim.expires = expires == nullptr ? claim.created + 300 : expires->number;
    read_nonce(input, claim, flags);
    read_key(input, claim, flags);
    const auto* algorithm = parameter(input, "alg", BareItem::Kind::text, true);
    if (algorithm == nullptr && flags.has<"alg-required">()) lacks("alg");
    if (algorithm != nullptr && algorithm->value != "ed25519" && !flags.has<"any-alg">())
        bad_signature("alg is another");
}

std::string base_of(const Request& request, const DictionaryMember& input, const Flags& flags)
{
    std::string base;
    for (const auto& item : input.list) {
        const auto value = component_value(request, item.bare.value, flags);
        if (std::any_of(value.begin(), value.end(), [](unsigned char c) { return c < ' '; }) &&
            !flags.has<"covered-controls">())
            bad_signature("a control character in a covered field");
        base += "\"" + item.bare.value + "\": " + value + "\n";
    }
    return base + "\"@signature-params\": " + input.written;
}

// With another value of that component; the base itself where it hasn't got it.
std::string base_with(std::string base, const std::string& component, const std::string& value)
{
    const auto line = "\"" + component + "\": ";
    const auto at = base.find(line);
    if (at == std::string::npos) return base;
    const auto from = at + line.size();
    return base.replace(from, base.find('\n', from) - from, value);
}

// Of mutants that don't hold a component to what has come: what was signed in its place by the
// cases that must notice. All else of the signature is judged as ever.
std::vector<std::string> loose_bases(const Request& request, const std::string& base,
                                     const Flags& flags)
{
    if (flags.has<"base-without-method">()) return {base_with(base, "@method", "PUT")};
    if (flags.has<"base-without-path">())
        return {base_with(base, "@path", "/federation/v1/keys/claim")};
    if (flags.has<"base-without-query">())
        return {base_with(base, "@query", "?"), base_with(base, "@query", "?after=0"),
                base_with(base, "@query", "?after=0&limit=1")};
    if (flags.has<"base-without-destination">())
        return {base_with(base, "entente-destination", "another.example")};
    if (flags.has<"base-without-digest">()) {
        auto body = request.body;
        const auto at = body.rfind("Dig-");
        if (at != std::string::npos) body[at] = 'd';
        return {base_with(base, "content-digest", content_digest(body))};
    }
    if (flags.has<"base-without-parameters">()) {
        constexpr std::string_view added = ";nonce=\"AAAA";
        auto other = base;
        const auto at = other.find(added);
        return {at == std::string::npos ? other : other.erase(at + added.size() - 4, 4)};
    }
    return {};
}

}  // namespace

std::string decoded_path(std::string_view path)
{
    std::string decoded;
    for (std::size_t at = 0; at < path.size(); ++at) {
        if (path[at] == '%' && at + 2 < path.size() && is_hex(path[at + 1]) &&
            is_hex(path[at + 2])) {
            decoded +=
                static_cast<char>(std::stoi(std::string(path.substr(at + 1, 2)), nullptr, 16));
            at += 2;
        } else {
            decoded += path[at];
        }
    }
    return decoded;
}

std::string single_field(const Request& request, std::string_view name, const Flags& flags)
{
    if (count_fields(request, name) > 1 && !flags.has<"field-twice">())
        throw Refused{"malformed", std::string(name) + " stands twice"};
    return field_of(request.fields, name).value_or("");
}

void check_path(std::string_view target, const Flags& flags)
{
    const auto path = target.substr(0, target.find('?'));
    for (auto at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 3)) {
        const bool whole = at + 2 < path.size() && is_hex(path[at + 1]) && is_hex(path[at + 2]);
        if (!whole) throw Refused{"malformed", "a bad escape in the path"};
        const auto octet =
            static_cast<char>(std::stoi(std::string(path.substr(at + 1, 2)), nullptr, 16));
        const bool literal = std::isalnum(static_cast<unsigned char>(octet)) != 0 ||
                             (octet != '\0' && std::string_view("-._~!$&'()*+,;=:@").find(octet) !=
                                                   std::string_view::npos);
        if (literal && !flags.has<"path-normalised">() && !flags.has<"path-escapes-taken">())
            throw Refused{"malformed", "an escape in the path without need"};
    }
}

Claim read_claim(const Request& request, const Flags& flags)
{
    check_path(request.target, flags);
    Claim claim;
    claim.signature_field = single_field(request, "signature", flags);
    const auto input_field = single_field(request, "signature-input", flags);
    if (claim.signature_field.empty() || input_field.empty()) {
        if (flags.has<"unsigned-served">()) return claim;
        if (input_field.empty() || !flags.has<"octets-optional">()) lacks("signature at all");
    }
    const auto inputs = read_dictionary(input_field, flags);
    const auto& input = find_input(inputs, flags);
    if (!claim.signature_field.empty()) {
        const auto signatures = read_dictionary(claim.signature_field, flags);
        if (signatures.size() > 1 && flags.has<"one-signature-only">())
            bad_signature("more than one");
        claim.signature = octets_under(signatures, input.name, flags);
    }
    check_components(request, input, flags);
    check_fields_there(request, flags);
    read_parameters_of(input, claim, flags);
    // Its form is syntax, whether it fits is found out later.
    if (const auto digest = single_field(request, "content-digest", flags); !digest.empty())
        static_cast<void>(read_dictionary(digest, flags));
    claim.bases = {base_of(request, input, flags)};
    for (auto& base : loose_bases(request, claim.bases.front(), flags))
        claim.bases.push_back(std::move(base));
    return claim;
}

}  // namespace entente::conformance::reference
