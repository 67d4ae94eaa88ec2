#include "protocol/people_queries.hpp"

#include <algorithm>
#include <utility>

#include "protocol/json_rules.hpp"
#include "protocol/raw_json.hpp"
#include "protocol/raw_members.hpp"

namespace entente::protocol {

namespace {

constexpr std::size_t max_kind_octets = 32;
constexpr std::size_t max_user_octets = 320;
constexpr std::size_t max_public_key_octets = 64;

// The claim that `members` holds; its breaches are theirs.
KeyClaim read_claim(RawMembers& members, NameRules rules)
{
    KeyClaim claim;
    const auto name = members.text("user", max_user_octets);
    claim.device = members.uuid("device");
    claim.kind = members.text("kind", max_kind_octets);
    if (members.error()) return claim;
    auto user = parse_user_id(name, rules);
    if (user)
        claim.user = std::move(*user);
    else
        members.breach("user", "name@server is needed");
    if (!is_key_kind(claim.kind)) members.breach("kind", "1 to 32 of a-z 0-9 - are needed");
    return claim;
}

void append_claim(std::string& out, const KeyClaim& claim)
{
    out += R"("user":)";
    append_json_string(out, claim.user.str());
    out += R"(,"device":")" + claim.device.str() + R"(","kind":")" + claim.kind + '"';
}

bool is_same(const KeyClaim& left, const KeyClaim& right)
{
    return left.user == right.user && left.device == right.device && left.kind == right.kind;
}

std::string place(std::string_view list, std::size_t index)
{
    return "/" + std::string(list) + "/" + std::to_string(index);
}

}  // namespace

bool is_key_kind(std::string_view text)
{
    return !text.empty() && text.size() <= max_kind_octets &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

Result<KeyClaims> parse_key_claims(std::string_view body, NameRules rules)
{
    auto object = checked_object(body);
    if (!object) return fail(object);
    RawMembers members{*object, ""};
    KeyClaims read;
    read.txn = members.uuid("txn");
    const auto list = members.array("claims");
    if (members.error()) return Failure{*members.error()};
    for (raw::Items items{list}; items.next();) {
        if (read.claims.size() == max_claims)
            return refuse(Code::too_large, "/claims: at most 50 in a request");
        RawMembers item{items.value(), place("claims", read.claims.size())};
        read.claims.push_back(read_claim(item, rules));
        if (item.error()) return Failure{*item.error()};
    }
    if (read.claims.empty()) return refuse(Code::malformed, "/claims: at least one is needed");
    return read;
}

std::string write_key_claims(const KeyClaims& claims)
{
    std::string out = R"({"txn":")" + claims.txn.str() + R"(","claims":[)";
    for (const auto& claim : claims.claims) {
        if (out.back() != '[') out += ',';
        out += '{';
        append_claim(out, claim);
        out += '}';
    }
    return out + "]}";
}

std::string write_claimed_keys(const std::vector<ClaimedKey>& keys)
{
    std::string out = R"({"keys":[)";
    for (const auto& key : keys) {
        if (out.back() != '[') out += ',';
        out += '{';
        append_claim(out, key.claim);
        out += R"(,"key":)" + (key.key.empty() ? std::string("null") : key.key);
        if (key.is_fallback) out += R"(,"fallback":true)";
        out += '}';
    }
    return out + "]}";
}

Result<std::vector<ClaimedKey>> parse_claimed_keys(std::string_view body,
                                                   const std::vector<KeyClaim>& claims,
                                                   NameRules rules)
{
    auto object = checked_object(body);
    if (!object) return fail(object);
    RawMembers members{*object, ""};
    const auto list = members.array("keys");
    if (members.error()) return Failure{*members.error()};
    std::vector<ClaimedKey> read;
    for (raw::Items items{list}; items.next();) {
        const auto index = read.size();
        if (index == claims.size()) return refuse(Code::malformed, "/keys: more than were asked");
        RawMembers item{items.value(), place("keys", index)};
        ClaimedKey key;
        key.claim = read_claim(item, rules);
        key.key = item.may_object("key", max_key_octets);
        key.is_fallback = item.flag_or("fallback", false);
        if (item.error()) return Failure{*item.error()};
        if (!is_same(key.claim, claims[index]))
            return refuse(Code::malformed, place("keys", index) + ": not what was asked for");
        read.push_back(std::move(key));
    }
    if (read.size() != claims.size())
        return refuse(Code::malformed, "/keys: fewer than were asked");
    return read;
}

std::string write_user(const ShownUser& user)
{
    std::string out = R"({"user":)" + json_string(user.user.str());
    out += R"(,"name":)" + json_string(user.name);
    out += R"(,"avatar":)" + json_string(user.avatar) + R"(,"devices":[)";
    for (const auto& device : user.devices) {
        if (out.back() != '[') out += ',';
        out += R"({"device":")" + device.device.str() + R"(","key":)" + json_string(device.key);
        out += R"(,"keys":)" + (device.keys.empty() ? std::string("{}") : device.keys) + "}";
    }
    return out + "]}";
}

Result<ShownUser> parse_user(std::string_view body, const UserId& asked, NameRules rules)
{
    auto object = checked_object(body);
    if (!object) return fail(object);
    RawMembers members{*object, ""};
    ShownUser user;
    const auto name = members.text("user", max_user_octets);
    user.name = members.text_or_empty("name", max_profile_name_octets);
    user.avatar = members.text_or_empty("avatar", max_avatar_octets);
    const auto list = members.array("devices");
    if (members.error()) return Failure{*members.error()};
    auto id = parse_user_id(name, rules);
    if (!id || *id != asked) return refuse(Code::malformed, "/user: not who was asked for");
    user.user = std::move(*id);
    for (raw::Items items{list}; items.next();) {
        if (user.devices.size() == max_devices_in_answer)
            return refuse(Code::malformed, "/devices: more than 256");
        RawMembers item{items.value(), place("devices", user.devices.size())};
        ShownDevice device;
        device.device = item.uuid("device");
        device.key = item.text_or_empty("key", max_public_key_octets);
        device.keys = item.may_object("keys", max_key_octets);
        if (item.error()) return Failure{*item.error()};
        user.devices.push_back(std::move(device));
    }
    return user;
}

}  // namespace entente::protocol
