// The one place where a Code becomes an HTTP status and an RFC 9457 document, and
// back (section 9).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/clock.hpp"
#include "protocol/result.hpp"

namespace entente::protocol {

[[nodiscard]] int http_status(Code code);
[[nodiscard]] std::string_view code_name(Code code);  // "signature-invalid"
[[nodiscard]] std::optional<Code> code_from_name(std::string_view name);

// {"type":"urn:entente:problem:…","status":…,"title":"…"} with "detail" where the
// error has a hint, "retry_after" where it has one, and "now" (ms) for clock-skew. The hint of
// `superseded` is the name of the new home, and its member "home" [SUC-2].
[[nodiscard]] std::string problem_json(const Error& error, Millis now);

// What a peer's problem document says; nothing where it isn't one. Its detail goes
// into Error::detail, cut to 512 octets, a `home` of superseded into Error::hint, as any text.
// Unknown codes of ours map by status.
[[nodiscard]] std::optional<Error> parse_problem(std::string_view json);

inline constexpr std::string_view problem_content_type = "application/problem+json";

}  // namespace entente::protocol
