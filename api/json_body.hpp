// Reads the JSON bodies of client requests: strict rules first (EVT-3), then members by
// name, with a JSON pointer in every refusal. Collects the first breach, so that a route
// reads all its members and asks once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "net/http_message.hpp"
#include "protocol/names.hpp"
#include "protocol/result.hpp"

namespace entente::api {

// An object under the JSON rules; `malformed`.
[[nodiscard]] Result<nlohmann::json> parse_object(std::string_view text);
// A request's body, whose content type is application/json: else `unsupported`. Nothing is
// read of it yet.
[[nodiscard]] Result<std::string_view> json_text(const net::Request& request);
// The same where it is an object under the JSON rules, for protocol::RawMembers.
[[nodiscard]] Result<std::string_view> object_text(const net::Request& request);
// The same of a request, whose content type is application/json: else `unsupported`.
[[nodiscard]] Result<nlohmann::json> parse_body(const net::Request& request);

class Members {
 public:
    // `pointer` is where `object` stands in the body: "" or "/device". An `object` that
    // isn't one is the first breach. Keeps a reference.
    Members(const nlohmann::json& object, std::string pointer);

    std::string text(const char* name, std::size_t max_octets);
    std::string text_or(const char* name, std::string fallback, std::size_t max_octets);
    // Nothing where it is absent.
    std::optional<std::string> may_text(const char* name, std::size_t max_octets);
    std::optional<bool> may_flag(const char* name);
    bool flag_or(const char* name, bool fallback);
    // A list of strings.
    std::vector<std::string> texts(const char* name, std::size_t max_items, std::size_t max_octets);
    std::int64_t integer_or(const char* name, std::int64_t fallback, std::int64_t least,
                            std::int64_t most);
    protocol::Uuid uuid(const char* name);
    // An object's own JSON text; empty after a breach.
    std::string object_text(const char* name);
    // The object of that name, or nothing (a breach).
    const nlohmann::json* object(const char* name);

    // Notes a breach that the route found itself.
    void breach(std::string_view name, std::string_view reason);
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
    const nlohmann::json* find(const char* name, bool required);

    const nlohmann::json& object_;
    std::string pointer_;
    std::optional<Error> error_;
};

// Percent-decodes a path segment; `malformed`.
[[nodiscard]] Result<std::string> decode_segment(std::string_view segment);

}  // namespace entente::api
