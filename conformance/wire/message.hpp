#pragma once

// HTTP messages as octets: requests that say exactly what a case wants them to say, and answers
// read strictly and within bounds, since the runner never trusts its target.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace entente::conformance {

using Fields = std::vector<std::pair<std::string, std::string>>;

// The first field of that name, in any case; nothing where there is none.
[[nodiscard]] std::optional<std::string> field_of(const Fields& fields, std::string_view name);
void set_field(Fields& fields, std::string_view name, std::string value);
void drop_field(Fields& fields, std::string_view name);

struct Request {
    std::string method = "POST";
    // Path and query as they stand in the request line.
    std::string target;
    Fields fields;
    std::string body;
};

struct Answer {
    int status = 0;
    Fields fields;
    std::string body;
    // As it came, for the report.
    std::string raw;
};

// The octets of a request: the fields in their order and nothing added.
[[nodiscard]] std::string serialise(const Request& request);
[[nodiscard]] std::string serialise(const Answer& answer);

// The value of a `Date` field in ms since 1970 (RFC 9110 section 5.6.7, IMF-fixdate alone).
[[nodiscard]] std::optional<std::int64_t> parse_date(std::string_view text);

// Null where the body is no JSON.
[[nodiscard]] nlohmann::json json_body(const Answer& answer);

// "clock-skew" of {"type":"urn:entente:problem:clock-skew"}; empty where it is none.
[[nodiscard]] std::string problem_code(const nlohmann::json& problem);
[[nodiscard]] std::string problem_code(const Answer& answer);

}  // namespace entente::conformance
