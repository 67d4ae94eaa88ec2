#include "conformance/judge/verdict.hpp"

#include <array>
#include <utility>

namespace entente::conformance {

namespace {

constexpr std::array<std::pair<State, std::string_view>, 9> names = {{
    {State::pass, "pass"},
    {State::fail, "fail"},
    {State::warn, "warn"},
    {State::not_applicable, "not applicable"},
    {State::could_not_run, "could not run"},
    {State::expected_fail, "expected fail"},
    {State::unexpected_pass, "unexpected pass"},
    {State::flaky, "flaky"},
    {State::not_run, "not run"},
}};

}  // namespace

std::string_view name_of(State state)
{
    for (const auto& [value, name] : names)
        if (value == state) return name;
    return "";
}

std::optional<State> state_named(std::string_view name)
{
    for (const auto& [value, text] : names)
        if (text == name) return value;
    return std::nullopt;
}

}  // namespace entente::conformance
