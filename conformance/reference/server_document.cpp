#include "conformance/reference/server_document.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <sodium.h>

#include "conformance/reference/json_rules.hpp"
#include "conformance/reference/names.hpp"
#include "conformance/reference/refused.hpp"
#include "conformance/wire/keys.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::size_t max_keys = 32;
constexpr std::size_t max_old_keys = 256;
constexpr std::int64_t min_age = 60;
constexpr std::int64_t max_age = 86'400;

[[noreturn]] void unusable(const char* why)
{
    throw Refused{"malformed", std::string("a document: ") + why};
}

// y < 2^255 − 19; the sign of x stands in the top bit.
bool is_canonical_point(std::string_view octets)
{
    const auto octet = [&](std::size_t at) { return static_cast<unsigned char>(octets[at]); };
    if ((octet(31) & 0x7FU) != 0x7FU) return true;
    for (std::size_t at = 30; at > 0; --at)
        if (octet(at) != 0xFF) return true;
    return octet(0) < 0xED;
}

// Eight times the point is the neutral element.
bool is_of_small_order(std::string_view octets)
{
    std::string point(octets);
    auto* bytes = reinterpret_cast<unsigned char*>(point.data());
    for (int doubling = 0; doubling < 3; ++doubling)
        if (crypto_core_ed25519_add(bytes, bytes, bytes) != 0) return true;
    return point == std::string("\x01", 1) + std::string(31, '\0');
}

bool is_on_curve(const std::string& octets)
{
    std::string sum(32, '\0');
    const auto* bytes = reinterpret_cast<const unsigned char*>(octets.data());
    return crypto_core_ed25519_add(reinterpret_cast<unsigned char*>(sum.data()), bytes, bytes) == 0;
}

std::vector<ShownKey> read_keys(const nlohmann::json& list, std::size_t limit, bool old,
                                const Flags& flags)
{
    if (list.size() > limit && !flags.has<"document-keys-unbounded">()) unusable("too many keys");
    if (list.size() > limit / 2 && flags.has<"too-few-document-keys">()) unusable("many keys");
    std::vector<ShownKey> keys;
    for (const auto& one : list) {
        auto key = read_jwk(one, flags);
        if (number_of(one, "from") < 0) unusable("a negative time");
        if (old) key.until = number_of(one, "until");
        if (old && one.contains("revoked_at")) key.revoked_at = number_of(one, "revoked_at");
        if (flags.has<"old-key-status-ignored">()) key.until = key.revoked_at = std::nullopt;
        keys.push_back(std::move(key));
    }
    return keys;
}

void check_no_key_twice(const ServerDocument& document)
{
    std::set<std::string> seen;
    for (const auto* list : {&document.keys, &document.old_keys})
        for (const auto& key : *list)
            if (!seen.insert(key.id).second) unusable("a key twice");
}

void read_limits(const nlohmann::json& document, ServerDocument& into, const Flags& flags)
{
    const auto limits = document.value("limits", nlohmann::json::object());
    if (!limits.is_object()) unusable("limits that are no object");
    const auto read = [&](const char* name, std::int64_t& value) {
        if (limits.contains(name)) value = number_of(limits, name);
        if (value <= 0 && !flags.has<"document-limits-unchecked">()) unusable("a limit of nothing");
    };
    read("transaction_bytes", into.transaction_bytes);
    read("transaction_items", into.transaction_items);
}

// What only over-strict mutants ask of a document.
void check_strictly(const nlohmann::json& document, const Flags& flags)
{
    static const std::set<std::string> known = {"server",  "api",      "versions", "software",
                                                "keys",    "old_keys", "recovery", "limits",
                                                "max_age", "features", "contact",  "statements"};
    if (flags.has<"unknown-document-member-refused">())
        for (const auto& [name, value] : document.items())
            if (!known.contains(name)) unusable("a member that nobody knows");
    if (flags.has<"optional-document-member-required">())
        for (const auto* name : {"software", "old_keys", "statements", "max_age"})
            static_cast<void>(member_of(document, name));
}

}  // namespace

bool is_acceptable_key(const std::string& octets, const Flags& flags)
{
    if (octets.size() != crypto_sign_PUBLICKEYBYTES) return false;
    if (!is_canonical_point(octets)) return flags.has<"non-canonical-keys">();
    if (is_of_small_order(octets)) return is_on_curve(octets) && flags.has<"small-order-keys">();
    return is_on_curve(octets);
}

ShownKey read_jwk(const nlohmann::json& jwk, const Flags& flags)
{
    ShownKey key;
    const bool is_checked = !flags.has<"keys-unchecked">();
    if ((text_of(jwk, "kty") != "OKP" || text_of(jwk, "crv") != "Ed25519") && is_checked)
        unusable("a key of another kind");
    key.id = text_of(jwk, "kid");
    const auto octets = from_base64url(text_of(jwk, "x"));
    if ((!octets || !is_acceptable_key(*octets, flags)) && is_checked)
        unusable("a key that could never verify");
    if (octets) key.octets = *octets;
    if (key.id != thumbprint(key.octets) && !flags.has<"kid-unchecked">() && is_checked)
        unusable("a kid that isn't its key's thumbprint");
    return key;
}

HttpsOrigin read_https_origin(const std::string& text, bool is_checked, const Flags& flags)
{
    static const std::string scheme = "https://";
    const auto behind_scheme = text.find("://");
    if (!text.starts_with(scheme) && is_checked) unusable("an address that isn't https");
    auto rest = behind_scheme == std::string::npos ? text : text.substr(behind_scheme + 3);
    if (!is_checked) {
        rest = rest.substr(0, rest.find_first_of("/?"));
        rest = rest.substr(rest.find('@') == std::string::npos ? 0 : rest.find('@') + 1);
    }
    HttpsOrigin origin;
    const auto colon = rest.find(':');
    origin.host = rest.substr(0, colon);
    if (colon != std::string::npos) {
        const auto digits = rest.substr(colon + 1);
        const auto* end = digits.data() + digits.size();
        const auto read = std::from_chars(digits.data(), end, origin.port);
        if (read.ec != std::errc() || read.ptr != end || digits.starts_with('0'))
            unusable("a port that is none");
    }
    if (is_checked && !is_server_name(origin.host, flags)) unusable("a host that is none");
    return origin;
}

ServerDocument read_document(const nlohmann::json& document, const std::string& server,
                             const Flags& flags)
{
    ServerDocument read;
    read.server = text_of(document, "server");
    if (read.server != server && !flags.has<"document-name-ignored">())
        unusable("it is of another server");
    const auto written = text_of(document, "api");
    const auto api = read_https_origin(written, !flags.has<"api-unchecked">(), flags);
    if (flags.has<"api-port-refused">() && written.find(':', 8) != std::string::npos)
        unusable("an api with a port");
    read.api_host = api.host;
    read.api_port = api.port;
    const auto& versions = array_of(document, "versions");
    const bool speaks = std::any_of(versions.begin(), versions.end(),
                                    [](const auto& version) { return version == "1"; });
    if (!speaks && !flags.has<"document-versions-ignored">())
        unusable("no version that is spoken here");
    read.keys = read_keys(array_of(document, "keys"), max_keys, false, flags);
    if (read.keys.empty() && !flags.has<"document-without-keys">()) unusable("no keys");
    read.old_keys = read_keys(array_if_any(document, "old_keys"), max_old_keys, true, flags);
    if (!flags.has<"document-keys-twice">() && !flags.has<"kid-unchecked">())
        check_no_key_twice(read);
    if (document.contains("recovery") || !flags.has<"recovery-optional">())
        read.recovery = read_jwk(member_of(document, "recovery"), flags);
    for (const auto& statement : array_if_any(document, "statements"))
        if (statement.is_string()) read.statements.push_back(statement.get<std::string>());
    read_limits(document, read, flags);
    if (document.contains("max_age")) read.max_age = number_of(document, "max_age");
    if (!flags.has<"max-age-unclamped">())
        read.max_age = std::clamp(read.max_age, min_age, max_age);
    check_strictly(document, flags);
    return read;
}

}  // namespace entente::conformance::reference
