#include "api/key_upload.hpp"

#include <string>

#include "protocol/json_rules.hpp"
#include "protocol/people_queries.hpp"
#include "protocol/raw_json.hpp"
#include "protocol/raw_members.hpp"

namespace entente::api {
namespace {

namespace raw = protocol::raw;
using protocol::RawMembers;

constexpr std::size_t max_kind_octets = 32;

std::string read_kind(RawMembers& members)
{
    auto kind = members.text("kind", max_kind_octets);
    if (!members.error() && !protocol::is_key_kind(kind))
        members.breach("kind", "1 to 32 of a-z 0-9 - are needed");
    return kind;
}

// `read(members)` for each object of a list.
template <class Read>
Result<void> each_of(std::string_view list, const std::string& name, Read read)
{
    std::size_t index = 0;
    if (list.empty()) return {};
    for (raw::Items items{list}; items.next(); ++index) {
        if (index == max_keys_an_upload)
            return refuse(Code::too_large, "/" + name + ": at most 200 in an upload");
        RawMembers members{items.value(), "/" + name + "/" + std::to_string(index)};
        read(members);
        if (members.error()) return protocol::Failure{*members.error()};
    }
    return {};
}

}  // namespace

Result<storage::KeyUpload> parse_key_upload(std::string_view text)
{
    auto object = protocol::checked_object(text);
    if (!object) return fail(object);
    RawMembers members{*object, ""};
    storage::KeyUpload upload;
    const auto keys = members.may_object("keys", protocol::max_key_octets);
    const auto one_time = members.may_array("one_time");
    const auto fallback = members.may_array("fallback");
    if (members.error()) return protocol::Failure{*members.error()};
    if (!keys.empty()) upload.keys = std::string(keys);
    auto read = each_of(one_time, "one_time", [&](RawMembers& item) {
        storage::OneTimeKey key;
        key.kind = read_kind(item);
        key.number = item.integer("id", 1, protocol::max_json_integer);
        key.key = item.object("key", protocol::max_key_octets);
        upload.one_time.push_back(std::move(key));
    });
    if (!read) return fail(read);
    read = each_of(fallback, "fallback", [&](RawMembers& item) {
        storage::FallbackKey key;
        key.kind = read_kind(item);
        key.key = item.object("key", protocol::max_key_octets);
        upload.fallback.push_back(std::move(key));
    });
    if (!read) return fail(read);
    return upload;
}

}  // namespace entente::api
