#pragma once

// Why a request or an item isn't taken: a code of errors-and-retries.md. Checks throw it, and what
// called them makes an answer or a result of it.

#include <string>

#include <nlohmann/json.hpp>

namespace entente::conformance::reference {

struct Refused {
    // "clock-skew"
    std::string code;
    // For people.
    std::string detail{};
    // Further members of the problem: "now", "retry_after".
    nlohmann::json members = nlohmann::json::object();
};

// An item isn't taken now, for no fault of its own.
struct Deferred {
    // s.
    std::int64_t retry_after = 1;
};

// Of the table of errors-and-retries.md.
[[nodiscard]] int status_of(const std::string& code);

// The problem document.
[[nodiscard]] nlohmann::json problem_of(const Refused& refused);

}  // namespace entente::conformance::reference
