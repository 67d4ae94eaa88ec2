#pragma once

// Reports of runs that never were, whose every word a target may have chosen.

#include <cstdint>
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "conformance/report/report.hpp"
#include "conformance/report/visible.hpp"
#include "conformance/report/words.hpp"

namespace entente::conformance {

// Octets as a hostile target would choose them, and any others.
inline rc::Gen<std::string> hostile()
{
    static const std::vector<std::string> pieces = {"<script>",
                                                    "</pre>",
                                                    "-->",
                                                    "]]>",
                                                    "&lt;",
                                                    "&",
                                                    "\"",
                                                    "'",
                                                    "\r\n",
                                                    "\n",
                                                    "\r",
                                                    "\x1b[2J",
                                                    "\t",
                                                    "\\",
                                                    "\xff",
                                                    "\xc0\xaf",
                                                    "ok 1\n",
                                                    "Bail out!",
                                                    "#",
                                                    "  ...\n",
                                                    "  ---",
                                                    "\u202e",
                                                    "\ufffe",
                                                    "\u2028",
                                                    "\u00e9",
                                                    "\U0001f600",
                                                    "a",
                                                    " ",
                                                    std::string(1, '\0'),
                                                    "\xed\xa0\x80",
                                                    "\xf0\x9f"};
    const auto octets = rc::gen::map(
        rc::gen::arbitrary<std::vector<std::uint8_t>>(),
        [](const std::vector<std::uint8_t>& all) { return std::string(all.begin(), all.end()); });
    const auto parts = rc::gen::container<std::vector<std::string>>(
        rc::gen::oneOf(rc::gen::elementOf(pieces), octets));
    return rc::gen::map(parts, [](const std::vector<std::string>& all) {
        std::string text;
        for (const auto& part : all) text += part;
        return text;
    });
}

inline Verdict verdict_of(State state, const std::string& octets = "x",
                          const std::string& id = "win-02")
{
    Verdict verdict;
    verdict.case_id = id;
    verdict.state = state;
    verdict.milliseconds = 1'203;
    if (state == State::pass) return verdict;
    verdict.assertion = octets;
    verdict.detail = octets;
    verdict.expected_because = octets;
    Exchange exchange;
    exchange.at = 12;
    exchange.what = octets;
    exchange.sent = octets;
    exchange.received = octets;
    exchange.request_base = octets;
    exchange.answer_base = octets;
    verdict.exchanges = {exchange};
    return verdict;
}

inline nlohmann::json report_of(const std::vector<Verdict>& verdicts, Exit exit = Exit::failed,
                                const std::string& octets = "x", const RunOptions& options = {})
{
    RunResult result;
    result.verdicts = verdicts;
    result.began = 1'763'683'200'123;
    result.ended = 1'763'683'201'456;
    static const auto key = SigningKey::from_seed(std::string(32, 'k'));
    const nlohmann::json document = {
        {"software", {{"name", utf8_of(octets)}, {"version", utf8_of(octets)}}}};
    return build_report({octets, "https://target.test", document}, result, options, exit, key);
}

// Of each state one.
inline nlohmann::json report_of_all(const std::string& octets = "x")
{
    std::vector<Verdict> verdicts;
    for (const auto state : all_states) verdicts.push_back(verdict_of(state, octets));
    return report_of(verdicts, Exit::failed, octets);
}

}  // namespace entente::conformance
