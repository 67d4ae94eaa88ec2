// TAP 14: https://testanything.org/tap-version-14-specification.html
#include <optional>

#include "conformance/report/members.hpp"
#include "conformance/report/report.hpp"
#include "conformance/report/visible.hpp"
#include "conformance/report/words.hpp"

namespace entente::conformance {

namespace {

// Octets of a diagnostic.
constexpr std::size_t max_diagnostic = 2'048;

// What a harness forgives. Written apart: sources hold no placeholders.
constexpr const char* forgiven =
    " # TO"
    "DO ";

// A description or a directive's reason: a bare # would begin a directive.
std::string tap_line(const std::string& text)
{
    std::string line;
    for (const char c : visible(text)) {
        if (c == '#' || c == '\\') line += '\\';
        line += c;
    }
    return line;
}

// A double-quoted scalar of YAML. What visible() leaves has only two characters to escape.
std::string yaml_text(const std::string& text)
{
    std::string quoted = "\"";
    for (const char c : bounded(visible(text), max_diagnostic)) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "\"";
}

std::string directive_of(const nlohmann::json& one, std::optional<State> state)
{
    if (state == State::not_applicable || state == State::not_run)
        return " # SKIP " + tap_line(text_of(one, "detail"));
    if (state == State::warn) return forgiven + std::string("a SHOULD");
    if (state == State::expected_fail) return forgiven + tap_line(text_of(one, "expected_because"));
    return {};
}

std::string diagnostics_of(const nlohmann::json& one)
{
    std::string block = "  ---\n";
    for (const auto* name : {"state", "clause", "document", "level", "assertion", "detail",
                             "expected_because", "descends_from", "repro"})
        if (const auto text = text_of(one, name); !text.empty())
            block += "  " + std::string(name) + ": " + yaml_text(text) + "\n";
    block += "  milliseconds: " + std::to_string(number_of(one, "milliseconds")) + "\n";
    const auto& exchanges = list_of(one, "exchanges");
    if (!exchanges.empty()) block += "  exchanges:\n";
    for (const auto& exchange : exchanges) {
        const auto part = [&](const char* name) {
            return yaml_text(octets_in(member_of(exchange, name)));
        };
        block += "    - what: " + yaml_text(text_of(exchange, "what")) +
                 "\n      sent: " + part("sent") + "\n      received: " + part("received") + "\n";
    }
    return block + "  ...\n";
}

}  // namespace

std::string tap_of(const nlohmann::json& report)
{
    const auto& cases = list_of(report, "cases");
    std::string tap =
        "TAP version 14\n# " +
        tap_line("entente-conformance " + text_of(member_of(report, "runner"), "version") +
                 " against " + text_of(member_of(report, "target"), "name")) +
        "\n1.." + std::to_string(cases.size()) + (cases.empty() ? " # SKIP no case" : "") + "\n";
    std::size_t number = 0;
    for (const auto& one : cases) {
        const auto state = state_named(text_of(one, "state"));
        const bool ok =
            state == State::pass || state == State::not_applicable || state == State::not_run;
        tap += (ok ? "ok " : "not ok ") + std::to_string(++number) + " - " +
               tap_line(text_of(one, "id") + " [" + text_of(one, "clause") + "] " +
                        text_of(one, "proves")) +
               directive_of(one, state) + "\n";
        if (state != State::pass) tap += diagnostics_of(one);
    }
    const auto& exit = member_of(report, "exit");
    return tap + "# exit " + std::to_string(number_of(exit, "code")) + ": " +
           tap_line(text_of(exit, "meaning")) + "\n";
}

}  // namespace entente::conformance
