// JUnit's XML, in the dialect that CI systems agree on (Jenkins, GitLab, Azure).
#include <algorithm>
#include <vector>

#include "conformance/report/members.hpp"
#include "conformance/report/report.hpp"
#include "conformance/report/visible.hpp"
#include "conformance/report/words.hpp"

namespace entente::conformance {

namespace {

// Octets of one part of an exchange, and of all that a case says.
constexpr std::size_t max_part = 8 * 1024;
constexpr std::size_t max_said = 128 * 1024;

struct Tally {
    std::size_t tests = 0;
    std::size_t failures = 0;
    std::size_t errors = 0;
    std::size_t skipped = 0;
    std::int64_t milliseconds = 0;

    void add(const Tally& other)
    {
        tests += other.tests;
        failures += other.failures;
        errors += other.errors;
        skipped += other.skipped;
        milliseconds += other.milliseconds;
    }
};

std::string attribute(const char* name, const std::string& value)
{
    return std::string(" ") + name + "=\"" + escaped(visible(value)) + "\"";
}

std::string tally_attributes(const Tally& tally)
{
    return attribute("tests", std::to_string(tally.tests)) +
           attribute("failures", std::to_string(tally.failures)) +
           attribute("errors", std::to_string(tally.errors)) +
           attribute("skipped", std::to_string(tally.skipped)) +
           attribute("time", seconds_text(tally.milliseconds));
}

// What a case says: sentences, then octets. LF is the only control character that is left.
std::string said_by(const nlohmann::json& one)
{
    std::string said = visible(text_of(one, "detail")) +
                       "\n\nclause: " + visible(text_of(one, "clause")) + ", " +
                       visible(text_of(one, "document")) +
                       "\nrepeat it alone: " + visible(text_of(one, "repro")) + "\n";
    for (const auto& exchange : list_of(one, "exchanges")) {
        if (said.size() > max_said) {
            said += "\n(further exchanges are in the JSON report)\n";
            break;
        }
        said += "\n" + exchange_text(exchange, max_part);
    }
    return escaped(said);
}

std::string outcome_of(const nlohmann::json& one, Tally& tally)
{
    const auto state = state_named(text_of(one, "state"));
    const auto detail = text_of(one, "detail");
    const auto element = [&](const char* name, const std::string& message, bool with_octets) {
        const auto type = text_of(one, "assertion");
        return "\n   <" + std::string(name) + attribute("message", message) +
               (type.empty() ? "" : attribute("type", type)) + ">" +
               (with_octets ? said_by(one) : "") + "</" + name + ">\n  ";
    };
    const auto skipped = [&](const std::string& message, bool with_octets) {
        ++tally.skipped;
        return element("skipped", message, with_octets);
    };
    switch (state.value_or(State::could_not_run)) {
        case State::pass: return {};
        case State::not_applicable: return skipped("not applicable: " + detail, false);
        case State::not_run: return skipped("not run: " + detail, false);
        case State::warn: return skipped("a SHOULD that isn't kept: " + detail, true);
        case State::expected_fail:
            return skipped("expected to fail: " + text_of(one, "expected_because"), true);
        case State::could_not_run:
            ++tally.errors;
            return element("error", "could not run: " + detail, true);
        case State::unexpected_pass:
            ++tally.failures;
            return element("failure",
                           "passes, but was expected to fail: " + text_of(one, "expected_because"),
                           true);
        case State::fail:
        case State::flaky: break;
    }
    ++tally.failures;
    return element("failure", detail, true);
}

std::string testcase_of(const nlohmann::json& one, Tally& tally)
{
    ++tally.tests;
    tally.milliseconds += number_of(one, "milliseconds");
    return "  <testcase" +
           attribute("classname", text_of(one, "group") + "." + text_of(one, "clause")) +
           attribute("name", text_of(one, "id") + " " + text_of(one, "proves")) +
           attribute("time", seconds_text(number_of(one, "milliseconds"))) + ">" +
           outcome_of(one, tally) + "</testcase>\n";
}

std::string property(const char* name, const std::string& value)
{
    return "   <property" + attribute("name", name) + attribute("value", value) + "/>\n";
}

}  // namespace

std::string junit_of(const nlohmann::json& report)
{
    std::vector<std::string> groups;
    const auto& cases = list_of(report, "cases");
    for (const auto& one : cases)
        if (const auto group = text_of(one, "group");
            std::find(groups.begin(), groups.end(), group) == groups.end())
            groups.push_back(group);

    const auto& run = member_of(report, "run");
    const auto& target = member_of(report, "target");
    // XML's own form has no offset.
    const auto began = text_of(run, "began").substr(0, 19);
    Tally all;
    std::string suites;
    for (const auto& group : groups) {
        Tally tally;
        std::string testcases;
        for (const auto& one : cases)
            if (text_of(one, "group") == group) testcases += testcase_of(one, tally);
        suites += " <testsuite" + attribute("name", group) + tally_attributes(tally) +
                  attribute("timestamp", began) + attribute("hostname", text_of(target, "name")) +
                  ">\n  <properties>\n" + property("base", text_of(target, "base")) +
                  property("runner", text_of(member_of(report, "runner"), "version")) +
                  property("specification", text_of(member_of(report, "specification"), "hash")) +
                  property("run", text_of(run, "id")) +
                  property("exit", std::to_string(number_of(member_of(report, "exit"), "code"))) +
                  "  </properties>\n" + testcases + " </testsuite>\n";
        all.add(tally);
    }
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" +
           attribute("name", "entente-conformance") + tally_attributes(all) + ">\n" + suites +
           "</testsuites>\n";
}

}  // namespace entente::conformance
