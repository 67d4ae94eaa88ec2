// Reports: who alters one is noticed, whatever a target has sent is kept, and within bounds.
#include "conformance/report/report.hpp"

#include <filesystem>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "conformance/report/clauses.hpp"
#include "conformance/report/members.hpp"
#include "conformance/report/signature.hpp"
#include "conformance/wire/octets.hpp"
#include "tests/conformance/report_rig.hpp"

namespace entente::conformance {
namespace {

using nlohmann::json;

std::string fault_of(const std::string& octets)
{
    try {
        static_cast<void>(parse_report(octets, "r.json"));
        return {};
    } catch (const std::runtime_error& error) {
        return error.what();
    }
}

TEST(Report, IsReadBackAsItWasWritten)
{
    const auto report = report_of_all();
    const auto file = std::filesystem::temp_directory_path() / ("report-" + random_uuid());
    write_output({OutputKind::json, file.string()}, report);
    const auto read = read_report(file.string());
    std::filesystem::remove(file);
    EXPECT_EQ(read, report);
    // How it is laid out is none of the signature's business.
    EXPECT_EQ(parse_report(report.dump(), "r.json"), report);
}

TEST(Report, SaysWhatTheRunWas)
{
    RunOptions options;
    options.only = "win-*";
    options.min_graded = 3;
    options.repeat = 2;
    options.seed = 7;
    options.expected["win-02"] = "known";
    const auto report = report_of({verdict_of(State::fail)}, Exit::failed, "t.test", options);
    EXPECT_EQ(report["target"]["name"], "t.test");
    EXPECT_EQ(report["target"]["software"]["name"], "t.test");
    EXPECT_EQ(report["run"]["began"], "2025-11-21T00:00:00.123Z");
    EXPECT_EQ(report["run"]["ended"], "2025-11-21T00:00:01.456Z");
    EXPECT_EQ(report["run"]["milliseconds"], 1'333);
    EXPECT_EQ(report["options"]["only"], "win-*");
    EXPECT_EQ(report["options"]["repeat"], 2);
    EXPECT_EQ(report["options"]["seed"], 7);
    EXPECT_EQ(report["options"]["expected"]["win-02"], "known");
    EXPECT_EQ(report["specification"]["hash"], specification_hash());
    const auto& one = report["cases"][0];
    EXPECT_EQ(one["group"], "window");
    EXPECT_EQ(one["clause"], "SIG-3");
    EXPECT_EQ(one["document"], "docs/protocol/signed-requests.md");
    EXPECT_EQ(one["level"], "MUST");
    EXPECT_EQ(one["repro"], "entente-conformance repro win-02 --target target.toml --seed 7");
    EXPECT_EQ(one["exchanges"][0]["request_base"]["text"], "x");
}

TEST(Report, SaysWhatItsClausesSay)
{
    const auto report = report_of({verdict_of(State::fail), verdict_of(State::pass)});
    ASSERT_EQ(report["clauses"].size(), 1U);
    EXPECT_EQ(report["clauses"]["SIG-3"]["document"], "docs/protocol/signed-requests.md");
    EXPECT_EQ(report["clauses"]["SIG-3"]["text"], find_clause("SIG-3")->text);
    const auto page = html_of(report);
    EXPECT_NE(page.find("<details class=\"says\" open>"), std::string::npos);
    EXPECT_NE(page.find("`created` is at most 300 s in the past"), std::string::npos);
    EXPECT_NE(html_of(report_of({verdict_of(State::pass)})).find("<details class=\"says\">"),
              std::string::npos);
}

TEST(Clauses, ThatACaseNamesAreThoseOfTheProtocol)
{
    for (const auto& one : catalogue()) {
        const auto* clause = find_clause(one.clause);
        ASSERT_NE(clause, nullptr) << one.id << " names " << one.clause;
        EXPECT_GE(clause->text.size(), 20U) << one.clause;
        EXPECT_EQ(clause->text.find("]("), std::string::npos) << clause->text;
    }
    EXPECT_EQ(find_clause("SIG-99"), nullptr);
}

TEST(Clauses, AreReadWithAllTheirLines)
{
    const auto found = clauses_in(
        "# Names\n\nNot this.\n\n- **[A-1]** **Bold** and\n  [B-2](b.md), [a page](c.md#d):\n\n"
        "  | x |\n  - y\n- **[A-2]** Two.\nNor this.\n  Nor this.\n- no clause\n");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found.at("A-1"), "Bold and\n[B-2], a page:\n\n| x |\n- y");
    EXPECT_EQ(found.at("A-2"), "Two.");
}

TEST(Report, CountsEachStateAndKeepsNoExchangesOfAPass)
{
    auto verdicts = std::vector<Verdict>{verdict_of(State::pass), verdict_of(State::pass),
                                         verdict_of(State::fail), verdict_of(State::warn)};
    verdicts[0].exchanges = verdicts[2].exchanges;
    const auto report = report_of(verdicts);
    EXPECT_EQ(report["counts"]["pass"], 2);
    EXPECT_EQ(report["counts"]["fail"], 1);
    EXPECT_EQ(report["counts"]["warn"], 1);
    EXPECT_EQ(report["counts"]["could not run"], 0);
    EXPECT_EQ(report["counts"].size(), all_states.size());
    EXPECT_EQ(report["graded"], 4);
    EXPECT_FALSE(report["cases"][0].contains("exchanges"));
    EXPECT_EQ(report["cases"][2]["exchanges"].size(), 1U);
    EXPECT_NE(summary_of(report).find("x: 1 fail, 1 warn, 2 pass; 4 graded\nexit 1: "),
              std::string::npos);
}

TEST(Report, EachExitHasAMeaningOfItsOwn)
{
    std::set<std::string> meanings;
    for (int code = 0; code <= 7; ++code) meanings.insert(exit_meaning(static_cast<Exit>(code)));
    EXPECT_EQ(meanings.size(), 8U);
    EXPECT_FALSE(meanings.contains(""));
    RunResult result;
    result.verdicts = {verdict_of(State::could_not_run)};
    const auto steps = next_steps(result, {}, Exit::control_failed);
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_NE(steps[0].find("doctor"), std::string::npos);
}

TEST(Report, WhatIsAlteredIsRefused)
{
    const auto report = report_of_all();
    for (const auto* place : {"/counts/fail", "/cases/0/milliseconds", "/exit/code", "/graded"}) {
        auto altered = report;
        altered[json::json_pointer(place)] = 0;
        if (altered == report) continue;
        EXPECT_EQ(fault_of(altered.dump()),
                  "r.json has been altered: its signature is of another report")
            << place;
    }
    auto longer = report;
    longer["cases"].erase(0);
    EXPECT_NE(fault_of(longer.dump()), "");
    auto added = report;
    added["note"] = "fine";
    EXPECT_NE(fault_of(added.dump()), "");
}

TEST(Report, ASignatureOfAnotherKindIsRefused)
{
    const auto report = report_of_all();
    const auto signature_is = [&](const json& signature) {
        auto changed = report;
        changed["signature"] = signature;
        return fault_of(changed.dump());
    };
    EXPECT_EQ(signature_is(nullptr), "r.json has no signature");
    EXPECT_EQ(signature_is({{"jws", "a.b"}}), "r.json has a signature that is no JWS");
    EXPECT_EQ(signature_is({{"jws", 5}}), "r.json has a signature that is no JWS");
    const auto other = SigningKey::random();
    // Another's key beside it, another header, another payload.
    EXPECT_EQ(signature_is({{"jws", report["signature"]["jws"]}, {"key", other.jwk()}}),
              "r.json has a signature of another kind");
    const json header = {{"alg", "Ed25519"}, {"kid", other.id()}, {"typ", "entente-root"}};
    const auto digest = sha256(canonical_octets(report));
    EXPECT_EQ(signature_is({{"jws", jws_of(header.dump(), digest, other)}, {"key", other.jwk()}}),
              "r.json has a signature of another kind");
    auto right = header;
    right["typ"] = "entente-conformance-report";
    auto none = right;
    none["alg"] = "none";
    EXPECT_EQ(signature_is({{"jws", jws_of(none.dump(), digest, other)}, {"key", other.jwk()}}),
              "r.json has a signature of another kind");
    EXPECT_EQ(signature_is({{"jws", jws_of(right.dump(), "x", other)}, {"key", other.jwk()}}),
              "r.json has been altered: its signature is of another report");
    const auto forged = jws_of(right.dump(), digest, SigningKey::random());
    EXPECT_EQ(signature_is({{"jws", forged}, {"key", other.jwk()}}),
              "r.json has been altered: its signature doesn't verify");
    // Who signs anew makes a report of his own, and its key says so.
    EXPECT_EQ(signature_is({{"jws", jws_of(right.dump(), digest, other)}, {"key", other.jwk()}}),
              "");
}

TEST(Report, WhatIsNoReportIsRefused)
{
    EXPECT_EQ(fault_of(""), "r.json is empty: no report");
    EXPECT_EQ(fault_of("{}"), "r.json is JSON, but no report of entente-conformance");
    EXPECT_EQ(fault_of("[1]"), "r.json is JSON, but no report of entente-conformance");
    EXPECT_EQ(fault_of("<html>"), "r.json is no JSON, from octet 1 on: no report of this runner");
    EXPECT_EQ(fault_of("{\"report\":1e400}"), "r.json is no report of this runner");
    EXPECT_EQ(fault_of(std::string(1'000'000, '[')), "r.json is nested too deeply");
    EXPECT_EQ(fault_of(R"({"report":"entente-conformance","report":"x"})"),
              "r.json has a member twice");
    EXPECT_EQ(fault_of(R"({"report":"entente-conformance","format":2})"),
              "r.json is a report of another format than 1: read it with the runner that wrote it");
    EXPECT_EQ(fault_of(std::string(max_report + 1, ' ')),
              "r.json is larger than 64 MiB, which no report of this runner is");
    EXPECT_THROW(static_cast<void>(read_report("/nowhere/r.json")), std::runtime_error);
    EXPECT_THROW(static_cast<void>(read_report("/")), std::runtime_error);
    EXPECT_THROW(write_output({OutputKind::tap, "/nowhere/r.tap"}, report_of_all()),
                 std::runtime_error);
}

TEST(Report, IsTruncatedWhereverItEnds)
{
    const auto whole = report_of_all().dump(1);
    for (std::size_t length = 1; length < whole.size(); length += 1 + length / 7)
        EXPECT_EQ(fault_of(whole.substr(0, length)),
                  "r.json is truncated: it ends in the middle of its JSON")
            << length;
}

RC_GTEST_PROP(Report, NoOctetCanBeChangedUnnoticed, ())
{
    static const auto report = report_of_all("caf\u00e9 <b>\x1b\xff");
    static const auto whole = report.dump(1);
    auto changed = whole;
    const auto place = *rc::gen::inRange<std::size_t>(0, whole.size());
    changed[place] = *rc::gen::arbitrary<char>();
    if (fault_of(changed).empty()) RC_ASSERT(parse_report(changed, "r.json") == report);
}

RC_GTEST_PROP(Report, KeepsOctetsAsTheyWere, ())
{
    const auto octets = *hostile();
    const auto written = report_of({verdict_of(State::fail, octets)}, Exit::failed, octets).dump();
    const auto report = parse_report(written, "r.json");
    const auto& exchange = report["cases"][0]["exchanges"][0];
    RC_ASSERT(octets_in(exchange["sent"]) == octets);
    RC_ASSERT(octets_in(exchange["received"]) == octets);
    if (!octets.empty()) RC_ASSERT(octets_in(exchange["answer_base"]) == octets);
}

TEST(Report, IsBoundedHoweverMuchWasSent)
{
    Verdict verdict = verdict_of(State::fail, "x");
    Exchange large;
    large.sent = std::string(Exchange::max_kept, '"');
    large.received = std::string(Exchange::max_kept, '\x01');
    large.request_base = std::string(2 * Exchange::max_kept, 'b');
    verdict.exchanges.assign(30, large);
    const auto report = report_of(std::vector<Verdict>(16, verdict));
    const auto& first = report["cases"][0];
    EXPECT_EQ(first["exchanges"].size(), 10U);
    EXPECT_EQ(first["exchanges_left_out"], 20);
    EXPECT_EQ(first["exchanges"][0]["request_base"]["cut"], true);
    EXPECT_LT(report.dump(1).size(), max_report);
    EXPECT_NE(html_of(report).find("further exchanges"), std::string::npos);

    Exchange small;
    small.sent = "x";
    verdict.exchanges.assign(200, small);
    for (int place = 0; place < 200; ++place)
        verdict.exchanges[static_cast<std::size_t>(place)].at = place;
    const auto few = report_of({verdict})["cases"][0];
    ASSERT_EQ(few["exchanges"].size(), 64U);
    EXPECT_EQ(few["exchanges"][7]["at"], 7);
    EXPECT_EQ(few["exchanges"][8]["at"], 144);
    EXPECT_EQ(few["exchanges"][63]["at"], 199);
}

TEST(Outputs, NameAKindAndAFile)
{
    const auto outputs = parse_outputs({"json=a", "junit=b=c", "tap=d", "html=e"});
    ASSERT_EQ(outputs.size(), 4U);
    EXPECT_EQ(outputs[1].kind, OutputKind::junit);
    EXPECT_EQ(outputs[1].file, "b=c");
    for (const auto* wrong : {"", "json", "json=", "xml=a", "=a", "tap=/nowhere/a"})
        EXPECT_THROW(static_cast<void>(parse_outputs({wrong})), std::runtime_error) << wrong;
    EXPECT_THROW(static_cast<void>(parse_outputs({"json=a", "tap=a"})), std::runtime_error);
}

}  // namespace
}  // namespace entente::conformance
