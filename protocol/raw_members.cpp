#include "protocol/raw_members.hpp"

#include <algorithm>
#include <utility>

#include "protocol/json_rules.hpp"
#include "protocol/raw_json.hpp"

namespace entente::protocol {

namespace {

constexpr std::size_t uuid_octets = 36;

std::string at_most(std::size_t octets)
{
    return "at most " + std::to_string(octets) + " octets";
}

// Of text whose brackets match: how many containers stand inside one another.
int depth_of(std::string_view text)
{
    int depth = 0;
    int deepest = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
            continue;
        }
        if (c == '"') in_string = true;
        if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
        if (c == '}' || c == ']') --depth;
    }
    return deepest;
}

}  // namespace

Result<std::string_view> checked_object(std::string_view text)
{
    if (auto checked = check_json(text); !checked) return fail(checked);
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (!raw::is_object(text)) return refuse(Code::malformed, "/: an object is needed");
    return text;
}

RawMembers::RawMembers(std::string_view object, std::string pointer)
    : object_(object), pointer_(std::move(pointer))
{
    if (!raw::is_object(object_)) breach("", "an object is needed");
}

void RawMembers::breach(std::string_view name, std::string_view reason)
{
    if (error_) return;
    std::string hint = pointer_;
    if (!name.empty()) hint += "/" + std::string(name);
    if (hint.empty()) hint = "/";
    hint += ": " + std::string(reason);
    error_ = Error{Code::malformed, hint, hint, 0};
}

std::string_view RawMembers::find(std::string_view name, bool required)
{
    if (error_) return {};
    for (raw::Items members{object_}; members.next();)
        if (members.is_named(name)) return members.value();
    if (required) breach(name, "is required");
    return {};
}

std::string RawMembers::text(std::string_view name, std::size_t max_octets)
{
    const auto value = find(name, true);
    if (error_) return {};
    if (!raw::is_string(value)) {
        breach(name, "a string is needed");
        return {};
    }
    auto text = raw::unescaped(value);
    if (text.size() <= max_octets) return text;
    breach(name, at_most(max_octets));
    return {};
}

std::string RawMembers::text_or_empty(std::string_view name, std::size_t max_octets)
{
    const auto value = find(name, false);
    if (value.empty() || value == "null") return {};
    return text(name, max_octets);
}

std::optional<std::string> RawMembers::may_text(std::string_view name, std::size_t max_octets)
{
    if (find(name, false).empty()) return std::nullopt;
    return text(name, max_octets);
}

Uuid RawMembers::uuid(std::string_view name)
{
    const auto value = text(name, uuid_octets);
    if (error_) return {};
    auto uuid = parse_uuid(value);
    if (uuid) return *uuid;
    breach(name, "a UUID in lower case is needed");
    return {};
}

std::int64_t RawMembers::integer(std::string_view name, std::int64_t least, std::int64_t most)
{
    const auto value = find(name, true);
    if (error_) return least;
    const auto number = raw::integer(value);
    if (number && *number >= least && *number <= most) return *number;
    breach(name, "an integer from " + std::to_string(least) + " to " + std::to_string(most) +
                     " is needed");
    return least;
}

bool RawMembers::flag_or(std::string_view name, bool fallback)
{
    const auto value = find(name, false);
    if (value.empty()) return fallback;
    if (value == "true") return true;
    if (value != "false") breach(name, "true or false is needed");
    return false;
}

std::string_view RawMembers::object(std::string_view name, std::size_t max_octets)
{
    const auto value = find(name, true);
    if (error_) return {};
    if (!raw::is_object(value)) {
        breach(name, "an object is needed");
        return {};
    }
    if (value.size() > max_octets)
        breach(name, at_most(max_octets));
    else if (depth_of(value) > max_opaque_depth)
        breach(name, "at most 16 containers deep");
    return error_ ? std::string_view{} : value;
}

std::string_view RawMembers::may_object(std::string_view name, std::size_t max_octets)
{
    const auto value = find(name, false);
    if (value.empty() || value == "null") return {};
    return object(name, max_octets);
}

std::string_view RawMembers::array(std::string_view name)
{
    const auto value = find(name, true);
    if (error_) return {};
    if (raw::is_array(value)) return value;
    breach(name, "an array is needed");
    return {};
}

std::string_view RawMembers::may_array(std::string_view name)
{
    if (find(name, false).empty()) return {};
    return array(name);
}

}  // namespace entente::protocol
