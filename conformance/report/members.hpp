#pragma once

// Reading a report without trusting it: a signature shows only that a report is as its maker left
// it, and anybody can make one. What is missing or of another type is empty, never an exception.

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace entente::conformance {

// Null where there is none.
[[nodiscard]] const nlohmann::json& member_of(const nlohmann::json& object, const char* name);
// Empty where it is no text.
[[nodiscard]] std::string text_of(const nlohmann::json& object, const char* name);
// 0 where it is no whole number.
[[nodiscard]] std::int64_t number_of(const nlohmann::json& object, const char* name);
[[nodiscard]] bool flag_of(const nlohmann::json& object, const char* name);
// An empty array where it is none.
[[nodiscard]] const nlohmann::json& list_of(const nlohmann::json& object, const char* name);

// The octets that {"text"} or {"base64"} stands for.
[[nodiscard]] std::string octets_in(const nlohmann::json& kept);

}  // namespace entente::conformance
