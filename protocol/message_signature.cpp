// Reading: the order of the checks is that of section 3, and within the syntax from
// the fields inwards. Writing is in message_signing.cpp.
#include "protocol/message_signature.hpp"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "protocol/octets.hpp"
#include "protocol/signature_base.hpp"
#include "protocol/structured_fields.hpp"

namespace entente::protocol {
namespace {

constexpr std::string_view request_tag = "entente-v1";
constexpr std::string_view answer_tag = "entente-v1-response";
constexpr std::size_t min_nonce_octets = 16;
constexpr std::size_t max_nonce_octets = 64;

Failure refused_signature(std::string_view why)
{
    return refuse(Code::malformed, "signature: " + std::string{why});
}

Failure incomplete(std::string_view why)
{
    return refuse(Code::signature_incomplete, "signature: " + std::string{why});
}

// A parameter of type T, nothing where it is absent, `malformed` for another type.
template <class T>
Result<std::optional<T>> parameter(const sf::InnerList& covered, std::string_view name)
{
    for (const auto& [key, value] : covered.parameters) {
        if (key != name) continue;
        if (const T* const held = std::get_if<T>(&value)) return std::optional<T>{*held};
        return refused_signature("the parameter " + std::string{name} + " has another type");
    }
    return std::optional<T>{};
}

template <class T>
Result<T> required_parameter(const sf::InnerList& covered, std::string_view name)
{
    auto value = parameter<T>(covered, name);
    if (!value) return fail(std::move(value));
    if (!*value) return incomplete("the parameter " + std::string{name} + " is missing");
    return std::move(**value);
}

struct Tagged {
    std::string label;
    sf::InnerList covered;
    std::string signature;
};

bool has_tag(const sf::InnerList& covered, std::string_view tag)
{
    return std::any_of(covered.parameters.begin(), covered.parameters.end(), [tag](const auto& p) {
        const auto* const text = std::get_if<std::string>(&p.second);
        return p.first == "tag" && text != nullptr && *text == tag;
    });
}

// The one signature of this tag. Others are another protocol's and don't matter, but
// the fields that they share with ours must be canonical as a whole [SIG-9].
Result<Tagged> find_tagged(const Fields& fields, std::string_view tag)
{
    auto inputs = canonical_dictionary(fields, "signature-input");
    if (!inputs) return fail(std::move(inputs));
    auto signatures = canonical_dictionary(fields, "signature");
    if (!signatures) return fail(std::move(signatures));
    if (!*inputs || !*signatures) return incomplete("there is none");

    const sf::InnerList* covered = nullptr;
    std::string label;
    for (const auto& [name, member] : **inputs) {
        const auto* const list = std::get_if<sf::InnerList>(&member);
        if (list == nullptr) return refused_signature("an input is not a list of components");
        if (!has_tag(*list, tag)) continue;
        if (covered != nullptr) return refused_signature("two have the same tag");
        covered = list;
        label = name;
    }
    if (covered == nullptr) return incomplete("none has the tag " + std::string{tag});

    const auto place = std::find_if((*signatures)->begin(), (*signatures)->end(),
                                    [&label](const auto& member) { return member.first == label; });
    if (place == (*signatures)->end()) return incomplete("its octets are missing");
    const auto* const item = std::get_if<sf::Item>(&place->second);
    const auto* const bytes = item == nullptr ? nullptr : std::get_if<sf::Bytes>(&item->value);
    if (bytes == nullptr || bytes->octets.size() != std::tuple_size_v<Signature>) {
        return refused_signature("it is not 64 octets");
    }
    return Tagged{std::move(label), *covered, bytes->octets};
}

Result<void> check_covered(const sf::InnerList& covered, std::string_view name)
{
    if (!covers(covered, component(name))) return incomplete("doesn't cover " + std::string{name});
    return {};
}

// A field that must be covered and must be there.
Result<void> check_covered_field(const sf::InnerList& covered, const Fields& fields,
                                 std::string_view name)
{
    if (auto checked = check_covered(covered, name); !checked) return checked;
    auto value = single_field(fields, name);
    if (!value) return fail(std::move(value));
    if (!*value) return incomplete("the field " + std::string{name} + " is missing");
    return {};
}

// [SIG-1]
Result<void> check_request_components(const RequestParts& request, const sf::InnerList& covered)
{
    for (const std::string_view name : {"@method", "@path", "@query"}) {
        if (auto checked = check_covered(covered, name); !checked) return checked;
    }
    if (auto checked = check_covered_field(covered, request.fields, "entente-destination");
        !checked) {
        return checked;
    }
    for (const std::string_view name : {"content-type", "content-digest"}) {
        if (!request.body.empty()) {
            if (auto checked = check_covered_field(covered, request.fields, name); !checked)
                return checked;
        } else if (covers(covered, component(name))) {
            return refused_signature("covers " + std::string{name} + " where there is no content");
        }
    }
    if (request.body.empty()) return {};
    auto type = single_field(request.fields, "content-type");
    if (!type) return fail(std::move(type));
    if (*type != "application/json") {
        return refuse(Code::malformed, "content-type: not application/json");
    }
    return {};
}

Result<void> check_nonce(std::string_view nonce)
{
    const auto octets = from_base64url(nonce);
    if (!octets) return refused_signature("the nonce is not base64url");
    if (octets->size() < min_nonce_octets || octets->size() > max_nonce_octets) {
        return refused_signature("the nonce is not 16-64 octets");
    }
    return {};
}

Result<void> check_algorithm(const sf::InnerList& covered)
{
    auto algorithm = parameter<std::string>(covered, "alg");
    if (!algorithm) return fail(std::move(algorithm));
    if (*algorithm && **algorithm != "ed25519") return refused_signature("alg is not ed25519");
    return {};
}

Result<KeyRef> read_key(const sf::InnerList& covered, NameRules rules)
{
    auto text = required_parameter<std::string>(covered, "keyid");
    if (!text) return fail(std::move(text));
    return parse_key_ref(*text, rules);
}

// [SIG-2]
Result<void> read_parameters(RequestSignature& into, const sf::InnerList& covered, NameRules rules)
{
    auto created = required_parameter<std::int64_t>(covered, "created");
    if (!created) return fail(std::move(created));
    auto expires = required_parameter<std::int64_t>(covered, "expires");
    if (!expires) return fail(std::move(expires));
    auto nonce = required_parameter<std::string>(covered, "nonce");
    if (!nonce) return fail(std::move(nonce));
    auto key = read_key(covered, rules);
    if (!key) return fail(std::move(key));
    if (auto checked = check_nonce(*nonce); !checked) return checked;
    if (auto checked = check_algorithm(covered); !checked) return checked;
    into.created = *created;
    into.expires = *expires;
    into.nonce = std::move(*nonce);
    into.key = std::move(*key);
    return {};
}

// All members are octets; nothing where the field is absent.
Result<std::optional<sf::Dictionary>> read_digests(const Fields& fields)
{
    auto digests = canonical_dictionary(fields, "content-digest");
    if (!digests || !*digests) return digests;
    for (const auto& [name, member] : **digests) {
        const auto* const item = std::get_if<sf::Item>(&member);
        if (item == nullptr || !std::holds_alternative<sf::Bytes>(item->value)) {
            return refuse(Code::malformed, "content-digest: a digest is not octets");
        }
    }
    return digests;
}

std::string sha512(std::string_view body)
{
    std::string digest(64, '\0');
    unsigned size = 0;
    EVP_Digest(body.data(), body.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
               EVP_sha512(), nullptr);
    return digest;
}

}  // namespace

Result<RequestSignature> read_request_signature(const RequestParts& request, NameRules rules)
{
    auto tagged = find_tagged(request.fields, request_tag);
    if (!tagged) return fail(std::move(tagged));
    if (auto checked = check_request_components(request, tagged->covered); !checked) {
        return fail(std::move(checked));
    }
    RequestSignature signature;
    if (auto checked = read_parameters(signature, tagged->covered, rules); !checked) {
        return fail(std::move(checked));
    }
    if (auto digests = read_digests(request.fields); !digests) return fail(std::move(digests));
    auto base = request_base(request, tagged->covered);
    if (!base) return fail(std::move(base));
    auto field = single_field(request.fields, "signature");
    if (!field) return fail(std::move(field));

    signature.label = std::move(tagged->label);
    signature.signature = std::move(tagged->signature);
    signature.base = std::move(*base);
    signature.field = std::move(**field);
    return signature;
}

Result<void> check_destination(const Fields& fields, const ServerName& self)
{
    auto destination = single_field(fields, "entente-destination");
    if (!destination) return fail(std::move(destination));
    if (!*destination) return incomplete("the field entente-destination is missing");
    if (**destination != self.str()) {
        return refuse(Code::wrong_destination, "entente-destination: not this server's name");
    }
    return {};
}

// A lifetime of nothing would be `expires` at, not after, `created`.
Result<void> check_window(const RequestSignature& signature, Seconds now)
{
    const auto outside = [](std::string_view why) {
        return refuse(Code::clock_skew, "signature: " + std::string{why});
    };
    if (signature.created < now - max_age_s) return outside("created is over 300 s ago");
    if (signature.created > now + max_ahead_s) return outside("created is over 60 s ahead");
    if (signature.expires <= signature.created) return outside("expires is not after created");
    if (signature.expires > signature.created + max_lifetime_s) {
        return outside("expires is over 300 s after created");
    }
    if (signature.expires < now) return outside("expires is past");
    return {};
}

Result<void> check_digest(const Fields& fields, std::string_view body)
{
    for (const auto& [name, value] : fields) {
        if (name == "content-encoding") {
            return refuse(Code::unsupported, "content-encoding: none is supported");
        }
    }
    auto digests = read_digests(fields);
    if (!digests) return fail(std::move(digests));
    const auto mismatch = [](std::string_view why) {
        return refuse(Code::digest_mismatch, "content-digest: " + std::string{why});
    };
    if (!*digests) {
        if (body.empty()) return {};
        return mismatch("is missing");
    }
    bool has_sha256 = false;
    for (const auto& [name, member] : **digests) {
        const auto& octets = std::get<sf::Bytes>(std::get<sf::Item>(member).value).octets;
        if (name == "sha-256") {
            has_sha256 = true;
            if (octets != as_view(sha256(body))) return mismatch("sha-256 is another");
        } else if (name == "sha-512") {
            if (octets != sha512(body)) return mismatch("sha-512 is another");
        }
    }
    if (!has_sha256) return mismatch("sha-256 is missing");
    return {};
}

Result<AnswerSignature> read_answer_signature(int status, const Fields& fields,
                                              std::string_view body,
                                              std::string_view request_signature, NameRules rules)
{
    auto tagged = find_tagged(fields, answer_tag);
    if (!tagged) return fail(std::move(tagged));
    const auto& covered = tagged->covered;
    if (auto checked = check_covered(covered, "@status"); !checked) return fail(std::move(checked));
    if (auto checked = check_covered_field(covered, fields, "content-digest"); !checked) {
        return fail(std::move(checked));
    }
    if (!covers(covered, component("signature", true))) {
        return incomplete("doesn't cover the request's signature");
    }
    auto created = required_parameter<std::int64_t>(covered, "created");
    if (!created) return fail(std::move(created));
    auto key = read_key(covered, rules);
    if (!key) return fail(std::move(key));
    if (auto checked = check_algorithm(covered); !checked) return fail(std::move(checked));
    auto base = answer_base(status, fields, request_signature, covered);
    if (!base) return fail(std::move(base));
    if (auto checked = check_digest(fields, body); !checked) return fail(std::move(checked));

    AnswerSignature answer;
    answer.key = std::move(*key);
    answer.created = *created;
    answer.signature = std::move(tagged->signature);
    answer.base = std::move(*base);
    return answer;
}

}  // namespace entente::protocol
