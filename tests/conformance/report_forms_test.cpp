// The forms of a report: nothing of a target's gets out of the place where it is quoted.
#include <algorithm>
#include <array>
#include <cstring>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "conformance/report/html_parts.hpp"
#include "tests/conformance/report_rig.hpp"
#include "tests/conformance/xml_reading.hpp"

namespace entente::conformance {
namespace {

using nlohmann::json;

std::size_t times(const std::string& text, const std::string& part)
{
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++count;
    return count;
}

std::vector<std::string> lines_of(const std::string& text)
{
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

// --- what is quoted

TEST(Visible, SpellsOutWhatNobodySees)
{
    EXPECT_EQ(visible("a\r\n\tb\x1b\x7f\xff\xc2\x85"), "a\\r\\n\\tb\\x1b\\x7f\\xff\\u{85}");
    EXPECT_EQ(visible("caf\u00e9 \u202eevil\u200b \ufeff"),
              "caf\u00e9 \\u{202e}evil\\u{200b} \\u{feff}");
    EXPECT_EQ(visible("\xed\xa0\x80\xc0\xaf\xf4\x90\x80\x80"),
              "\\xed\\xa0\\x80\\xc0\\xaf\\xf4\\x90\\x80\\x80");
    EXPECT_EQ(visible("a\r\nb\nc\rd", LineEnds::http), "a\nb\\n\nc\\rd");
    EXPECT_EQ(visible("a\r\nb\nc", LineEnds::lf), "a\\r\nb\nc");
    EXPECT_EQ(bounded("caf\u00e9s", 4), "caf\u2026 (3 octets more)");
    EXPECT_EQ(bounded("caf\u00e9s", 6), "caf\u00e9s");
    EXPECT_EQ(beginning_of("\x80\x80\x80\x80\x80", 3), "\x80\x80\x80");
}

RC_GTEST_PROP(Visible, IsUtf8WithoutControlCharacters, ())
{
    const auto octets = *hostile();
    for (const auto ends : {LineEnds::spelt, LineEnds::http, LineEnds::lf}) {
        const auto text = visible(octets, ends);
        RC_ASSERT(is_utf8(text));
        RC_ASSERT(std::none_of(text.begin(), text.end(), [&](char c) {
            return (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) &&
                   (c != '\n' || ends == LineEnds::spelt);
        }));
    }
    RC_ASSERT(is_utf8(utf8_of(octets)));
    RC_ASSERT(!is_utf8(octets) || utf8_of(octets) == octets);
}

// --- HTML

// The page without what showing octets adds to it; up to its own script.
std::string plain_page(const std::string& page)
{
    static constexpr std::array<std::string_view, 4> added = {"<i class=\"o\">", "</i>",
                                                              "<span class=\"l\">", "</span>"};
    auto rest = std::string_view(page).substr(0, page.find("<script>"));
    std::string text;
    while (!rest.empty()) {
        const auto found = std::find_if(added.begin(), added.end(), [&](std::string_view tag) {
            return rest.starts_with(tag);
        });
        if (found == added.end()) text += rest.front();
        rest.remove_prefix(found == added.end() ? 1 : found->size());
    }
    return text;
}

bool references_are_known(const std::string& html)
{
    for (auto at = html.find('&'); at != std::string::npos; at = html.find('&', at + 1)) {
        const auto is = [&](const char* name) {
            return html.compare(at, std::strlen(name), name) == 0;
        };
        if (!is("&amp;") && !is("&lt;") && !is("&gt;") && !is("&quot;") && !is("&#39;"))
            return false;
    }
    return true;
}

RC_GTEST_PROP(Html, NoOctetsOfATargetBecomeMarkup, ())
{
    // Something before them, so that no element is left out as empty.
    const auto octets = "x" + *hostile();
    const auto page = html_of(report_of_all(octets));
    static const auto harmless = plain_page(html_of(report_of_all("x")));
    const auto text = plain_page(page);
    RC_ASSERT(times(text, "<") == times(harmless, "<"));
    RC_ASSERT(times(text, ">") == times(harmless, ">"));
    RC_ASSERT(times(text, "\"") == times(harmless, "\""));
    RC_ASSERT(references_are_known(text));
    RC_ASSERT(is_utf8(page));
    RC_ASSERT(std::none_of(page.begin(), page.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 && c != '\n';
    }));
}

RC_GTEST_PROP(Html, NeitherDoThoseOfAForgedReport, ())
{
    // Signed by whoever made it up: members that a runner fills itself are foreign as well.
    auto report = report_of_all("x");
    const auto octets = utf8_of(*hostile());
    for (auto& one : report["cases"])
        for (const auto* name : {"id", "group", "clause", "document", "level", "profile", "proves",
                                 "descends_from", "repro"})
            one[name] = octets;
    for (const auto* place : {"/target/base", "/run/id", "/run/began", "/specification/hash",
                              "/exit/meaning", "/exit/next/0", "/signature/key/kid",
                              "/options/profile", "/options/only", "/runner/version"})
        report[json::json_pointer(place)] = octets;
    const auto text = plain_page(html_of(report));
    RC_ASSERT(references_are_known(text));
    RC_ASSERT(times(text, "<script") == 0U);
    RC_ASSERT(xml_fault(junit_of(report)) == "");
}

TEST(Html, OfAReportOfAnyShapeIsWritten)
{
    for (const auto* text :
         {"null", "5", "[]", "{}", R"({"cases":[null,5,{"exchanges":[null,{}]}]})",
          R"({"cases":[{"state":"fail","exchanges":5,"id":[]}],"exit":7})"}) {
        const auto report = json::parse(text);
        EXPECT_NE(html_of(report).find("</html>"), std::string::npos) << text;
        EXPECT_EQ(xml_fault(junit_of(report)), "") << text;
        EXPECT_NE(tap_of(report).find("\n1.."), std::string::npos) << text;
        EXPECT_NE(summary_of(report), "") << text;
    }
}

TEST(Html, AsksForNothingAndRunsOnlyItsOwnScript)
{
    const auto page = html_of(report_of_all());
    EXPECT_NE(page.find("default-src 'none'; style-src 'sha256-"), std::string::npos);
    EXPECT_EQ(page.find("unsafe-"), std::string::npos);
    EXPECT_EQ(page.find(" style="), std::string::npos);
    for (const auto* reference : {" src=", "<link", "@import", "url(", "http://", "onclick=\""})
        EXPECT_EQ(page.find(reference), std::string::npos) << reference;
    EXPECT_EQ(times(page, "<script"), 1U);
    // Every link stays on the page.
    EXPECT_EQ(times(page, "href="), times(page, "href=\"#"));
}

TEST(Html, FailuresAreUnfoldedAndPassesFolded)
{
    const auto page = html_of(
        report_of({verdict_of(State::fail, "a < b"), verdict_of(State::pass, "x", "win-03")}));
    EXPECT_NE(
        page.find("<details class=\"case s-fail\" id=\"case-win-02\" data-clause=\"SIG-3\" open>"),
        std::string::npos);
    EXPECT_NE(page.find("<details class=\"case s-pass\" id=\"case-win-03\" data-clause=\"SIG-3\">"),
              std::string::npos);
    EXPECT_NE(page.find("a &lt; b"), std::string::npos);
    EXPECT_NE(page.find("entente-conformance repro win-02 --target target.toml"),
              std::string::npos);
    EXPECT_NE(page.find("Signature base of the request"), std::string::npos);
    EXPECT_NE(page.find("Signature base of the answer"), std::string::npos);
}

TEST(Html, ShowsLineEndsThatArentThoseOfHttp)
{
    EXPECT_EQ(octets_html("a\r\nb\nc", LineEnds::http, 100),
              "<span class=\"l\">a\n</span><span class=\"l\">b<i class=\"o\">\\n</i>\n</span>"
              "<span class=\"l\">c</span>");
    EXPECT_EQ(octets_html("abc", LineEnds::http, 2),
              "<span class=\"l\">ab</span><i class=\"o\">\u2026 1 more octets are in the JSON "
              "report</i>");
}

// --- JUnit

TEST(JUnit, CountsByItsOwnWords)
{
    const auto xml = junit_of(report_of_all());
    EXPECT_EQ(xml_fault(xml), "");
    EXPECT_NE(xml.find("<testsuites name=\"entente-conformance\" tests=\"9\" failures=\"3\" "
                       "errors=\"1\" skipped=\"4\" time=\"10.827\">"),
              std::string::npos)
        << xml;
    EXPECT_EQ(times(xml, "<failure "), 3U);
    EXPECT_EQ(times(xml, "<error "), 1U);
    EXPECT_EQ(times(xml, "<skipped "), 4U);
    EXPECT_EQ(times(xml, "<testcase "), 9U);
    EXPECT_NE(xml.find("<testsuite name=\"window\""), std::string::npos);
}

RC_GTEST_PROP(JUnit, IsWellFormedWhateverATargetSays, ())
{
    const auto xml = junit_of(report_of_all(*hostile()));
    RC_ASSERT(xml_fault(xml) == "");
    RC_ASSERT(times(xml, "<testcase ") == 9U);
}

// --- TAP

TEST(Tap, PlansAndNumbersEachCase)
{
    const auto lines = lines_of(tap_of(report_of_all()));
    ASSERT_GT(lines.size(), 3U);
    EXPECT_EQ(lines[0], "TAP version 14");
    EXPECT_EQ(lines[2], "1..9");
    std::vector<std::string> results;
    for (const auto& line : lines)
        if (line.starts_with("ok ") || line.starts_with("not ok ")) results.push_back(line);
    const std::string proves =
        " - win-02 [SIG-3] A request that was created 305 s ago is refused as clock-skew";
    // The directive by which TAP forgives, written apart: sources hold no placeholders.
    const std::string forgiven =
        " # TO"
        "DO ";
    const std::vector<std::string> expected = {"not ok 1" + proves,
                                               "not ok 2" + proves,
                                               "not ok 3" + proves,
                                               "not ok 4" + proves,
                                               "ok 5" + proves + " # SKIP x",
                                               "not ok 6" + proves + forgiven + "a SHOULD",
                                               "not ok 7" + proves + forgiven + "x",
                                               "ok 8" + proves + " # SKIP x",
                                               "ok 9" + proves};
    EXPECT_EQ(results, expected);
    EXPECT_NE(tap_of(report_of({})).find("\n1..0 # SKIP no case\n"), std::string::npos);
}

TEST(Tap, WhatATargetSaysIsNoDirective)
{
    const auto tap = tap_of(report_of({verdict_of(State::not_applicable, R"(a # b\c "d")")}));
    EXPECT_NE(tap.find(R"(clock-skew # SKIP a \# b\\c "d")"
                       "\n"),
              std::string::npos)
        << tap;
    EXPECT_NE(tap.find(R"(  detail: "a # b\\c \"d\"")"
                       "\n"),
              std::string::npos)
        << tap;
}

RC_GTEST_PROP(Tap, NoTargetAddsALine, ())
{
    const auto octets = *hostile();
    static const auto harmless = lines_of(tap_of(report_of_all("x")));
    const auto lines = lines_of(tap_of(report_of_all("x" + octets)));
    RC_ASSERT(lines.size() == harmless.size());
    for (std::size_t place = 0; place < lines.size(); ++place)
        RC_ASSERT(lines[place].substr(0, 5) == harmless[place].substr(0, 5));
    const auto all = tap_of(report_of_all(octets));
    RC_ASSERT(is_utf8(all));
    // A bare # in what somebody says would be a directive.
    for (const auto& line : lines_of(all))
        if (line.starts_with("ok ") || line.starts_with("not ok "))
            RC_ASSERT(times(line, " # ") <= 1U);
}

}  // namespace
}  // namespace entente::conformance
