#pragma once

// What a run leaves behind: one JSON document, signed by a key of the run, from which JUnit, TAP
// and a page of HTML are made. Whatever comes from the target is hostile there: each form escapes
// it in its own way (visible.hpp). It sends nothing, and judges nothing anew.

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/judge/run.hpp"
#include "conformance/report/words.hpp"
#include "conformance/wire/keys.hpp"

namespace entente::conformance {

enum class OutputKind { json, junit, tap, html };

struct Output {
    OutputKind kind = OutputKind::json;
    std::string file;
};

// Of KIND=FILE. Throws UsageError that names what is no such thing, has no folder, or names
// a file twice.
[[nodiscard]] std::vector<Output> parse_outputs(const std::vector<std::string>& written);

// Whom a report is about.
struct ReportSubject {
    std::string name;
    std::string base;
    // Its server document: what it says of its software is quoted.
    nlohmann::json document;
    // How its report says that a case is repeated.
    Invocation invocation{};
};

// {"report":"entente-conformance","format":1,"runner","specification","target","run","options",
//  "counts","graded","exit","cases":[…],"groups":{"log":"what they are about",…},
//  "clauses":{"SIG-1":{"document","text"},…},"signature"}
//
// Octets are {"text"} where they are UTF-8 without control characters but tab, CR and LF, else
// {"base64"}; and "cut":true where there were more. Exchanges are kept of all that isn't a pass:
// of a case the first 8 and the last 56, at most 2 MiB, of a report 24 MiB; "exchanges_left_out"
// counts the rest. Those with "from_target":true the target began: `received` is what it asked
// one of the runner's servers, `sent` what that answered. All numbers are whole, and below 2^53.
[[nodiscard]] nlohmann::json build_report(const ReportSubject& subject, const RunResult& result,
                                          const RunOptions& options, Exit exit,
                                          const SigningKey& key);
// The same under a new key, of `world`'s target.
[[nodiscard]] nlohmann::json make_report(World& world, const RunResult& result,
                                         const RunOptions& options, Exit exit,
                                         const Invocation& invocation);

// SHA-256 in hex over lines that LF ends: "entente-conformance-specification-v1", "protocol 1",
// then of each case of the catalogue, in its order: id, clause, MUST or SHOULD, sentence. Two runs
// with the same hash asked the same of their targets.
[[nodiscard]] std::string specification_hash();

// The longest file that read_report takes, and more than make_report ever gives: octets.
constexpr std::size_t max_report = 64 * 1024 * 1024;

// Reads a report and checks its signature (signature.hpp). Throws UsageError: it can't be
// read, is too large, truncated, no report, of another format, or altered.
[[nodiscard]] nlohmann::json read_report(const std::string& file);
// The same of a file's octets; `name` is what errors call it.
[[nodiscard]] nlohmann::json parse_report(std::string_view octets, const std::string& name);

// Throws UsageError where the file can't be written.
void write_output(const Output& output, const nlohmann::json& report);

// "142 pass, 1 fail, …", the exit code, and the key: a few lines for a terminal, without control
// characters.
[[nodiscard]] std::string summary_of(const nlohmann::json& report);

// The forms, as text: valid UTF-8, whatever the report holds. They never throw for what is missing
// in a report, or is of another type.
//
// JUnit: a suite per group. A failure: fail, unexpected pass, flaky. An error: could not run.
// Skipped: not applicable, not run, warn, expected fail.
[[nodiscard]] std::string junit_of(const nlohmann::json& report);
// TAP 14. `# SKIP`: not applicable, not run. Not ok under the directive by which TAP forgives:
// warn, expected fail. Not ok: the other states but pass.
[[nodiscard]] std::string tap_of(const nlohmann::json& report);
// One file that asks for nothing else, and runs no script but its own filter.
[[nodiscard]] std::string html_of(const nlohmann::json& report);

}  // namespace entente::conformance
