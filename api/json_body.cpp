#include "api/json_body.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "protocol/json_rules.hpp"
#include "protocol/raw_members.hpp"

namespace entente::api {
namespace {

using nlohmann::json;

int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// "application/json", with or without a charset, which for JSON means nothing.
bool is_json(std::string_view type)
{
    constexpr std::string_view name = "application/json";
    if (!type.starts_with(name)) return false;
    const auto rest = type.substr(name.size());
    return rest.empty() || rest.front() == ';' || rest.front() == ' ';
}

}  // namespace

Result<json> parse_object(std::string_view text)
{
    auto rules = protocol::check_json(text);
    if (!rules) return fail(rules);
    auto value = json::parse(text, nullptr, false);
    if (!value.is_object()) return refuse(Code::malformed, "/: an object is needed");
    return value;
}

Result<std::string_view> json_text(const net::Request& request)
{
    const auto type = request.field("content-type");
    if (!type || !is_json(*type))
        return refuse(Code::unsupported, "the content type is application/json");
    return std::string_view{request.body};
}

Result<std::string_view> object_text(const net::Request& request)
{
    auto text = json_text(request);
    if (!text) return fail(text);
    return protocol::checked_object(*text);
}

Result<json> parse_body(const net::Request& request)
{
    auto text = json_text(request);
    if (!text) return fail(text);
    return parse_object(*text);
}

Members::Members(const json& object, std::string pointer)
    : object_(object), pointer_(std::move(pointer))
{
    if (!object_.is_object()) breach("", "an object is needed");
}

void Members::breach(std::string_view name, std::string_view reason)
{
    if (error_) return;
    std::string hint = pointer_;
    if (!name.empty()) hint += "/" + std::string{name};
    if (hint.empty()) hint = "/";
    hint += ": " + std::string{reason};
    error_ = Error{Code::malformed, hint, hint, 0};
}

const json* Members::find(const char* name, bool required)
{
    if (error_) return nullptr;
    const auto found = object_.find(name);
    if (found != object_.end()) return &*found;
    if (required) breach(name, "is required");
    return nullptr;
}

std::string Members::text(const char* name, std::size_t max_octets)
{
    const auto* value = find(name, true);
    if (value == nullptr) return {};
    const auto* text = value->get_ptr<const std::string*>();
    if (text == nullptr) {
        breach(name, "a string is needed");
        return {};
    }
    if (text->size() > max_octets) {
        breach(name, "at most " + std::to_string(max_octets) + " octets");
        return {};
    }
    return *text;
}

std::string Members::text_or(const char* name, std::string fallback, std::size_t max_octets)
{
    if (find(name, false) == nullptr) return fallback;
    return text(name, max_octets);
}

std::optional<std::string> Members::may_text(const char* name, std::size_t max_octets)
{
    if (find(name, false) == nullptr) return std::nullopt;
    return text(name, max_octets);
}

std::optional<bool> Members::may_flag(const char* name)
{
    if (find(name, false) == nullptr) return std::nullopt;
    return flag_or(name, false);
}

std::vector<std::string> Members::texts(const char* name, std::size_t max_items,
                                        std::size_t max_octets)
{
    const auto* value = find(name, true);
    if (value == nullptr) return {};
    std::vector<std::string> texts;
    if (!value->is_array() || value->size() > max_items) {
        breach(name, "a list of at most " + std::to_string(max_items) + " strings is needed");
        return texts;
    }
    for (const auto& item : *value) {
        const auto* text = item.get_ptr<const std::string*>();
        if (text == nullptr || text->size() > max_octets) {
            breach(name, "strings of at most " + std::to_string(max_octets) + " octets are needed");
            return {};
        }
        texts.push_back(*text);
    }
    return texts;
}

bool Members::flag_or(const char* name, bool fallback)
{
    const auto* value = find(name, false);
    if (value == nullptr) return fallback;
    if (!value->is_boolean()) {
        breach(name, "true or false is needed");
        return fallback;
    }
    return value->get<bool>();
}

std::int64_t Members::integer_or(const char* name, std::int64_t fallback, std::int64_t least,
                                 std::int64_t most)
{
    const auto* value = find(name, false);
    if (value == nullptr) return fallback;
    if (!value->is_number_integer() || value->get<std::int64_t>() < least ||
        value->get<std::int64_t>() > most) {
        breach(name, "an integer from " + std::to_string(least) + " to " + std::to_string(most) +
                         " is needed");
        return fallback;
    }
    return value->get<std::int64_t>();
}

protocol::Uuid Members::uuid(const char* name)
{
    const auto value = text(name, 64);
    if (error_) return {};
    auto uuid = protocol::parse_uuid(value);
    if (!uuid) {
        breach(name, "a UUID in lower case is needed");
        return {};
    }
    return *uuid;
}

const json* Members::object(const char* name)
{
    const auto* value = find(name, true);
    if (value == nullptr) return nullptr;
    if (value->is_object()) return value;
    breach(name, "an object is needed");
    return nullptr;
}

std::string Members::object_text(const char* name)
{
    const auto* value = object(name);
    return value == nullptr ? std::string{} : value->dump();
}

Result<std::string> decode_segment(std::string_view segment)
{
    std::string out;
    out.reserve(segment.size());
    for (std::size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] != '%') {
            out += segment[i];
            continue;
        }
        if (i + 2 >= segment.size()) return refuse(Code::malformed, "a broken percent-encoding");
        const int high = hex_digit(segment[i + 1]);
        const int low = hex_digit(segment[i + 2]);
        if (high < 0 || low < 0) return refuse(Code::malformed, "a broken percent-encoding");
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

}  // namespace entente::api
