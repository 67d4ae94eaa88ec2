#include "conformance/reference/jws.hpp"

#include <optional>

#include "conformance/reference/json_rules.hpp"
#include "conformance/reference/names.hpp"
#include "conformance/reference/refused.hpp"
#include "conformance/wire/keys.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::size_t max_jws = 4'096;

std::string decoded_part(std::string_view part)
{
    auto octets = from_base64url(part);
    if (!octets) throw Refused{"malformed", "a part of a JWS is no base64url"};
    return *octets;
}

}  // namespace

bool Jws::is_signed_by(std::string_view public_octets) const
{
    return verifies(input, signature, public_octets);
}

Jws read_jws(const std::string& text, const Flags& flags)
{
    const auto first = text.find('.');
    const auto last = text.rfind('.');
    if (text.size() > max_jws || first == std::string::npos || first == last ||
        text.find('.', first + 1) != last)
        throw Refused{"malformed", "not a JWS"};
    const auto header = read_json(decoded_part(text.substr(0, first)), flags);
    if (!header.is_object()) throw Refused{"malformed", "a JWS's header is no object"};
    if (header.size() != 3 && !flags.has<"root-header-any-member">())
        throw Refused{"malformed", "a JWS's header has other members"};
    if (text_of(header, "alg") != "Ed25519" && !flags.has<"root-alg-none">())
        throw Refused{"malformed", "a JWS with another alg"};
    Jws jws;
    jws.typ = text_of(header, "typ");
    const auto reference = text_of(header, "kid");
    const auto hash = reference.find('#');
    jws.server = reference.substr(0, hash);
    if (hash != std::string::npos) jws.key_id = reference.substr(hash + 1);
    if (!is_server_name(jws.server, flags) || !is_hash(jws.key_id))
        throw Refused{"malformed", "a JWS's kid names no key"};
    jws.payload = read_json(decoded_part(text.substr(first + 1, last - first - 1)), flags);
    jws.input = text.substr(0, last);
    jws.signature = decoded_part(text.substr(last + 1));
    return jws;
}

}  // namespace entente::conformance::reference
