#include "protocol/server_document.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include "protocol/json_rules.hpp"
#include "protocol/jwk.hpp"

namespace entente::protocol {
namespace {

using Json = nlohmann::json;

constexpr std::string_view version = "1";
constexpr std::string_view scheme = "https://";

Failure wrong_document(std::string_view name, std::string_view reason)
{
    std::string hint = "/";
    hint += name;
    hint += ": ";
    hint += reason;
    return refuse(Code::malformed, std::move(hint));
}

const Json* member(const Json& object, const char* name)
{
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
}

Result<std::string> need_member_text(const Json& object, const char* name)
{
    const auto* value = member(object, name);
    if (value == nullptr) return wrong_document(name, "is missing");
    if (!value->is_string()) return wrong_document(name, "must be a string");
    return value->get<std::string>();
}

Result<std::string> may_text(const Json& object, const char* name)
{
    if (member(object, name) == nullptr) return std::string{};
    return need_member_text(object, name);
}

// A number of zero or more, `fallback` where it is absent.
Result<std::int64_t> may_count(const Json& object, const char* name, std::int64_t fallback)
{
    const auto* value = member(object, name);
    if (value == nullptr) return fallback;
    if (!value->is_number_integer() || value->get<std::int64_t>() < 0) {
        return wrong_document(name, "must be an integer that is not negative");
    }
    return value->get<std::int64_t>();
}

Result<std::vector<std::string>> may_texts(const Json& object, const char* name)
{
    std::vector<std::string> list;
    const auto* value = member(object, name);
    if (value == nullptr) return list;
    if (!value->is_array()) return wrong_document(name, "must be an array");
    for (const auto& item : *value) {
        if (!item.is_string()) return wrong_document(name, "must hold strings");
        list.push_back(item.get<std::string>());
    }
    return list;
}

Result<std::vector<DocumentKey>> read_keys(const Json& document, const char* name,
                                           std::size_t limit)
{
    std::vector<DocumentKey> keys;
    const auto* list = member(document, name);
    if (list == nullptr) return keys;
    if (!list->is_array()) return wrong_document(name, "must be an array");
    if (list->size() > limit) return wrong_document(name, "holds too many keys");
    for (const auto& jwk : *list) {
        auto key = read_jwk(jwk, name);
        if (!key) return fail(key);
        const auto from = may_count(jwk, "from", 0);
        if (!from) return fail(from);
        const auto until = may_count(jwk, "until", 0);
        if (!until) return fail(until);
        const auto revoked_at = may_count(jwk, "revoked_at", 0);
        if (!revoked_at) return fail(revoked_at);
        keys.push_back(DocumentKey{*key, *from, *until, *revoked_at});
    }
    return keys;
}

Result<void> read_limits(const Json& document, TransactionLimits& limits)
{
    const auto* value = member(document, "limits");
    if (value == nullptr) return {};
    if (!value->is_object()) return wrong_document("limits", "must be an object");
    const auto bytes =
        may_count(*value, "transaction_bytes", static_cast<std::int64_t>(limits.bytes));
    if (!bytes) return fail(bytes);
    const auto items =
        may_count(*value, "transaction_items", static_cast<std::int64_t>(limits.items));
    if (!items) return fail(items);
    // Nothing could ever be sent to a server with a limit of nothing.
    if (*bytes == 0 || *items == 0) return wrong_document("limits", "must be at least 1");
    limits = {static_cast<std::size_t>(*bytes), static_cast<std::size_t>(*items)};
    return {};
}

Result<void> read_descriptions(const Json& json, ServerDocument& document)
{
    auto statements = may_texts(json, "statements");
    if (!statements) return fail(statements);
    document.statements = std::move(*statements);
    auto features = may_texts(json, "features");
    if (!features) return fail(features);
    document.features = std::move(*features);
    auto contact = may_text(json, "contact");
    if (!contact) return fail(contact);
    document.contact = std::move(*contact);
    if (const auto* software = member(json, "software")) {
        if (!software->is_object()) return wrong_document("software", "must be an object");
        auto name = may_text(*software, "name");
        if (!name) return fail(name);
        document.software_name = std::move(*name);
        auto its_version = may_text(*software, "version");
        if (!its_version) return fail(its_version);
        document.software_version = std::move(*its_version);
    }
    const auto max_age = may_count(json, "max_age", document.max_age);
    if (!max_age) return fail(max_age);
    document.max_age = *max_age;
    return {};
}

Result<void> read_all_keys(const Json& json, ServerDocument& document)
{
    auto keys = read_keys(json, "keys", max_document_keys);
    if (!keys) return fail(keys);
    if (keys->empty()) return wrong_document("keys", "must hold a key");
    document.keys = std::move(*keys);
    auto old_keys = read_keys(json, "old_keys", max_document_old_keys);
    if (!old_keys) return fail(old_keys);
    document.old_keys = std::move(*old_keys);

    std::set<std::string> seen;
    for (const auto* list : {&document.keys, &document.old_keys}) {
        for (const auto& entry : *list) {
            if (!seen.insert(entry.key.x()).second)
                return wrong_document("keys", "holds a key twice");
        }
    }
    const auto* recovery = member(json, "recovery");
    if (recovery == nullptr) return wrong_document("recovery", "is missing");
    auto key = read_jwk(*recovery, "recovery");
    if (!key) return fail(key);
    document.recovery = *key;
    return {};
}

Result<ServerDocument> read_document(const Json& json, const ServerName& asked_for, NameRules rules)
{
    ServerDocument document;
    const auto server = need_member_text(json, "server");
    if (!server) return fail(server);
    auto name = parse_server_name(*server, rules);
    if (!name || *name != asked_for) return wrong_document("server", "is not the server asked for");
    document.server = std::move(*name);
    auto api = need_member_text(json, "api");
    if (!api) return fail(api);
    if (!parse_https_origin(*api))
        return wrong_document("api", "must be an https origin without a path");
    document.api = std::move(*api);
    const auto versions = may_texts(json, "versions");
    if (!versions) return fail(versions);
    if (std::find(versions->begin(), versions->end(), version) == versions->end()) {
        return wrong_document("versions", "holds none that is spoken here");
    }
    if (auto read = read_all_keys(json, document); !read) return fail(read);
    if (auto read = read_limits(json, document.limits); !read) return fail(read);
    if (auto read = read_descriptions(json, document); !read) return fail(read);
    return document;
}

Json jwks_of(const std::vector<DocumentKey>& keys, bool are_old)
{
    auto list = Json::array();
    for (const auto& entry : keys) {
        auto jwk = jwk_of(entry.key);
        jwk["from"] = entry.from;
        if (are_old) jwk["until"] = entry.until;
        if (entry.revoked_at != 0) jwk["revoked_at"] = entry.revoked_at;
        list.push_back(std::move(jwk));
    }
    return list;
}

}  // namespace

Result<std::variant<Delegation, ServerDocument>> parse_well_known(std::string_view json,
                                                                  const ServerName& asked_for,
                                                                  NameRules rules)
{
    if (json.size() > max_document_octets) return refuse(Code::too_large, "over 64 KiB");
    if (auto checked = check_json(json); !checked) return fail(checked);
    const auto parsed = Json::parse(json, nullptr, false);
    if (!parsed.is_object()) return wrong_document("", "must be an object");
    if (member(parsed, "delegate") != nullptr) {
        auto origin = need_member_text(parsed, "delegate");
        if (!origin) return fail(origin);
        if (!parse_https_origin(*origin)) {
            return wrong_document("delegate", "must be an https origin without a path");
        }
        return Delegation{std::move(*origin)};
    }
    auto document = read_document(parsed, asked_for, rules);
    if (!document) return fail(document);
    return std::move(*document);
}

std::string write_server_document(const ServerDocument& document)
{
    Json json{
        {"server", document.server.str()},       {"api", document.api},
        {"keys", jwks_of(document.keys, false)}, {"old_keys", jwks_of(document.old_keys, true)},
        {"statements", document.statements},     {"features", document.features},
        {"contact", document.contact},           {"max_age", document.max_age}};
    json["versions"] = Json::array({std::string(version)});
    json["software"] = {{"name", document.software_name}, {"version", document.software_version}};
    json["limits"] = {{"transaction_bytes", document.limits.bytes},
                      {"transaction_items", document.limits.items}};
    if (document.recovery) json["recovery"] = jwk_of(*document.recovery);
    return json.dump();
}

std::string write_jwk_set(const ServerDocument& document)
{
    Json set;
    set["keys"] = Json::array();
    for (const auto& entry : document.keys) set["keys"].push_back(jwk_of(entry.key));
    return set.dump();
}

Result<Origin> parse_https_origin(std::string_view text)
{
    if (!text.starts_with(scheme)) return refuse(Code::malformed, "not an https origin");
    text.remove_prefix(scheme.size());
    Origin origin;
    if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        const auto port = text.substr(colon + 1);
        const auto* end = port.data() + port.size();
        const auto read = std::from_chars(port.data(), end, origin.port);
        const bool is_port = read.ec == std::errc{} && read.ptr == end && port.front() != '0';
        if (!is_port) return refuse(Code::malformed, "not a port");
        text = text.substr(0, colon);
    }
    // Any host that a certificate can name; an origin isn't a server's name, so the
    // rules for those don't forbid single labels here.
    auto host = parse_server_name(text, NameRules{.allow_test_names = true});
    if (!host) return refuse(Code::malformed, "not a host name");
    origin.host = host->str();
    return origin;
}

}  // namespace entente::protocol
