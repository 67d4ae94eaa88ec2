#pragma once

// JSON by the rules of [EVT-3], which common parsers are laxer than: names given twice, numbers
// with a fraction, broken UTF-8 and too many containers are all refused.

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "conformance/reference/flags.hpp"

namespace entente::conformance::reference {

// What is read. The rules are the same everywhere; mutants forget them in one place alone. Only of
// an event in a log (`entry`) all is taken of which an author can be told: an object in which
// `sender` and `channel` stand once [LOG-1].
enum class JsonPlace { text, body, document, entry };

// Throws Refused("malformed").
[[nodiscard]] nlohmann::json read_json(std::string_view text, const Flags& flags,
                                       JsonPlace place = JsonPlace::text);

// Members of an object, by the type that they must have. Throw Refused("malformed") where the
// member is absent or of another type.
[[nodiscard]] const nlohmann::json& member_of(const nlohmann::json& object, const char* name);
[[nodiscard]] std::string text_of(const nlohmann::json& object, const char* name);
[[nodiscard]] std::int64_t number_of(const nlohmann::json& object, const char* name);
[[nodiscard]] const nlohmann::json& array_of(const nlohmann::json& object, const char* name);
// Empty where it is absent.
[[nodiscard]] const nlohmann::json& array_if_any(const nlohmann::json& object, const char* name);

}  // namespace entente::conformance::reference
