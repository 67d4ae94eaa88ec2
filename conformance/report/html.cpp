// The page: a summary first, then the cases by group and clause.
#include <algorithm>
#include <map>
#include <vector>

#include "conformance/report/html_parts.hpp"
#include "conformance/report/html_style.hpp"
#include "conformance/report/members.hpp"
#include "conformance/report/report.hpp"
#include "conformance/report/words.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

// Cases that have the same text in a member, in the order in which each text first appears.
using Shelf = std::pair<std::string, std::vector<const nlohmann::json*>>;

std::vector<Shelf> shelves(const std::vector<const nlohmann::json*>& cases, const char* by)
{
    std::vector<Shelf> all;
    std::map<std::string, std::size_t> places;
    for (const auto* one : cases) {
        const auto [place, is_new] = places.emplace(text_of(*one, by), all.size());
        if (is_new) all.emplace_back(place->first, std::vector<const nlohmann::json*>());
        all[place->second].second.push_back(one);
    }
    return all;
}

std::size_t count_of(const std::vector<const nlohmann::json*>& cases, State state)
{
    return static_cast<std::size_t>(std::count_if(
        cases.begin(), cases.end(), [&](const auto* one) { return state_of(*one) == state; }));
}

// "13 pass, 1 fail", worst first.
std::string tally_text(const std::vector<const nlohmann::json*>& cases)
{
    std::string text;
    for (const auto state : all_states)
        if (const auto count = count_of(cases, state); count > 0)
            text += (text.empty() ? "" : ", ") + std::to_string(count) + " " +
                    std::string(name_of(state));
    return text;
}

struct Headline {
    const char* words;
    State colours;
};

Headline headline_of(std::int64_t code)
{
    switch (static_cast<Exit>(code)) {
        case Exit::all_pass: return {"Passed", State::pass};
        case Exit::failed: return {"Failed", State::fail};
        case Exit::usage: return {"Not run", State::could_not_run};
        case Exit::incomplete: return {"Incomplete", State::warn};
        case Exit::control_failed: return {"Could not be judged", State::could_not_run};
        case Exit::runner_bug: return {"The runner failed", State::could_not_run};
        case Exit::too_busy: return {"Too busy to measure", State::could_not_run};
        case Exit::target_died: return {"The target died", State::fail};
    }
    return {"Unknown", State::could_not_run};
}

// The shares of the states, as a bar; the list below it says the same in numbers.
std::string bar_html(const std::vector<const nlohmann::json*>& cases)
{
    std::string html = "<svg class=\"bar\" viewBox=\"0 0 " + std::to_string(cases.size()) +
                       " 1\" preserveAspectRatio=\"none\" aria-hidden=\"true\">";
    std::size_t from = 0;
    for (const auto state : all_states) {
        const auto count = count_of(cases, state);
        if (count > 0)
            html += "<rect class=\"" + state_class(state) + "\" x=\"" + std::to_string(from) +
                    "\" width=\"" + std::to_string(count) + "\" height=\"1\"/>";
        from += count;
    }
    return html + "</svg>\n";
}

std::string counts_html(const std::vector<const nlohmann::json*>& cases,
                        const nlohmann::json& report)
{
    std::string html = "<ul class=\"counts\">";
    for (const auto state : all_states)
        if (const auto count = count_of(cases, state); count > 0)
            html += "<li class=\"" + state_class(state) + "\"><span aria-hidden=\"true\">" +
                    std::string(state_sign(state)) + "</span> <b>" + std::to_string(count) +
                    "</b> " + std::string(name_of(state)) + "</li>";
    return html + "</ul>\n<p class=\"soft small\">" + std::to_string(cases.size()) +
           " cases were asked for, " + std::to_string(number_of(report, "graded")) +
           " graded.</p>\n";
}

// One line of text in which `commands` stand between backticks.
std::string prose_html(std::string_view text)
{
    std::string html;
    for (bool in_code = false;; in_code = !in_code) {
        const auto tick = text.find('`');
        const auto part = text_html(text.substr(0, tick));
        html += in_code ? "<code>" + part + "</code>" : part;
        if (tick == std::string_view::npos) return html;
        text.remove_prefix(tick + 1);
    }
}

std::string next_html(const nlohmann::json& report)
{
    std::string items;
    for (const auto& step : list_of(member_of(report, "exit"), "next"))
        if (step.is_string()) items += "<li>" + prose_html(step.get<std::string>()) + "</li>\n";
    return items.empty() ? "" : "<h2>What to do next</h2>\n<ol>" + items + "</ol>\n";
}

// All that keeps the run from passing, with links.
std::string failures_html(const std::vector<const nlohmann::json*>& cases)
{
    std::string rows;
    for (const auto state : all_states) {
        if (state == State::warn || state == State::expected_fail ||
            state == State::not_applicable || state == State::not_run || state == State::pass)
            continue;
        for (const auto* one : cases) {
            if (state_of(*one) != state) continue;
            const auto id = text_of(*one, "id");
            const auto detail = text_of(*one, "detail");
            rows += "<tr><td>" + badge_html(state) + "</td><th scope=\"row\"><a href=\"#case-" +
                    slug_of(id) + "\">" + text_html(id) + "</a></th><td>" +
                    text_html(text_of(*one, "clause")) + "</td><td>" +
                    text_html(text_of(*one, "proves")) +
                    (detail.empty() ? ""
                                    : "<br><span class=\"soft\">" +
                                          text_html(bounded(detail, 400)) + "</span>") +
                    "</td></tr>\n";
        }
    }
    if (rows.empty()) return {};
    return "<h2>What keeps it from passing</h2>\n<table class=\"failures\"><thead><tr>"
           "<th scope=\"col\">State</th><th scope=\"col\">Case</th><th scope=\"col\">Clause</th>"
           "<th scope=\"col\">What was to be proven, and what was "
           "found</th></tr></thead><tbody>\n" +
           rows + "</tbody></table>\n";
}

std::string options_text(const nlohmann::json& options)
{
    auto text =
        "--profile " + text_of(options, "profile") + " --level " + text_of(options, "level");
    for (const auto* name : {"only", "skip"})
        if (const auto patterns = text_of(options, name); !patterns.empty())
            text += " --" + std::string(name) + " '" + patterns + "'";
    text += " --jobs " + std::to_string(number_of(options, "jobs"));
    if (const auto least = number_of(options, "min_graded"); least > 0)
        text += " --min-graded " + std::to_string(least);
    if (flag_of(options, "destructive")) text += " --destructive";
    if (const auto& expected = member_of(options, "expected");
        expected.is_object() && !expected.empty())
        text += ", " + std::to_string(expected.size()) + " known failures";
    return text;
}

std::string facts_html(const nlohmann::json& report)
{
    const auto code = [](const std::string& text) {
        return text.empty() ? text : "<code>" + text_html(text) + "</code>";
    };
    const auto& target = member_of(report, "target");
    const auto& software = member_of(target, "software");
    const auto& run = member_of(report, "run");
    const auto& specification = member_of(report, "specification");
    const auto says = text_of(software, "name") + " " + text_of(software, "version");
    return "<h2>The run</h2>\n<dl>\n" + row_html("Target", code(text_of(target, "name"))) +
           row_html("Federation API", code(text_of(target, "base"))) +
           row_html("It says that it is", says == " " ? "nothing" : text_html(says)) +
           row_html("Began", text_html(text_of(run, "began")) + ", took " +
                                 seconds_text(number_of(run, "milliseconds")) + " s") +
           row_html("Options", code(options_text(member_of(report, "options")))) +
           row_html("Runner", text_html(text_of(member_of(report, "runner"), "name") + " " +
                                        text_of(member_of(report, "runner"), "version"))) +
           row_html("Specification", "protocol version " +
                                         std::to_string(number_of(specification, "protocol")) +
                                         ", " + code(text_of(specification, "hash"))) +
           row_html("Run", code(text_of(run, "id"))) +
           row_html("Key of the run",
                    code(text_of(member_of(member_of(report, "signature"), "key"), "kid"))) +
           "</dl>\n";
}

std::string groups_html(const std::vector<Shelf>& groups)
{
    std::vector<State> columns;
    for (const auto state : all_states)
        if (std::any_of(groups.begin(), groups.end(),
                        [&](const Shelf& group) { return count_of(group.second, state) > 0; }))
            columns.push_back(state);
    std::string html =
        "<h2>By group</h2>\n<div class=\"scroll\" role=\"region\" aria-label=\"Counts by group\" "
        "tabindex=\"0\"><table><thead><tr>"
        "<th scope=\"col\">Group</th><th scope=\"col\" class=\"n\">Cases</th>";
    for (const auto state : columns)
        html += "<th scope=\"col\" class=\"n\">" + std::string(name_of(state)) + "</th>";
    html += "</tr></thead><tbody>\n";
    for (const auto& [name, cases] : groups) {
        html += "<tr><th scope=\"row\"><a href=\"#group-" + slug_of(name) + "\">" +
                text_html(name) + "</a></th><td class=\"n\">" + std::to_string(cases.size()) +
                "</td>";
        for (const auto state : columns) {
            const auto count = count_of(cases, state);
            html += "<td class=\"n\">" + (count == 0 ? "\u00b7" : std::to_string(count)) + "</td>";
        }
        html += "</tr>\n";
    }
    return html + "</tbody></table></div>\n";
}

// What a clause says, unfolded where a case of it isn't as it should be.
std::string clause_html(const nlohmann::json& said, const std::vector<const nlohmann::json*>& cases)
{
    constexpr std::size_t max_clause = 16 * 1024;
    const auto text = text_of(said, "text");
    if (text.empty()) return {};
    const bool is_kept = std::all_of(cases.begin(), cases.end(), [](const auto* one) {
        return state_of(*one) == State::pass || state_of(*one) == State::not_applicable;
    });
    return "<details class=\"says\"" + std::string(is_kept ? "" : " open") +
           "><summary>What it says</summary><pre>" + octets_html(text, LineEnds::lf, max_clause) +
           "</pre></details>\n";
}

std::string group_html(const Shelf& group, const nlohmann::json& report)
{
    auto html = "<section class=\"group\" id=\"group-" + slug_of(group.first) + "\"><h2>" +
                text_html(group.first) + " <span class=\"soft\">" + tally_text(group.second) +
                "</span></h2>\n";
    const auto about = text_of(member_of(report, "groups"), group.first.c_str());
    if (!about.empty()) html += "<p class=\"soft\">" + text_html(about) + "</p>\n";
    for (const auto& [clause, cases] : shelves(group.second, "clause")) {
        const auto document = text_of(*cases.front(), "document");
        html += "<section class=\"clause\"><h3>" + text_html(clause) + " <span class=\"soft\">" +
                text_html(document) + "</span></h3>\n" +
                clause_html(member_of(member_of(report, "clauses"), clause.c_str()), cases);
        for (const auto* one : cases) html += case_html(*one);
        html += "</section>\n";
    }
    return html + "</section>\n";
}

std::string head_html(const std::string& title)
{
    const auto hash = [](std::string_view text) { return "'sha256-" + base64(sha256(text)) + "'"; };
    return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src " +
           hash(page_style()) + "; script-src " + hash(page_script()) +
           "; base-uri 'none'; form-action 'none'\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<meta name=\"color-scheme\" content=\"light dark\">\n"
           "<meta name=\"referrer\" content=\"no-referrer\">\n<title>" +
           title + "</title>\n<style>" + std::string(page_style()) + "</style></head>\n";
}

constexpr const char* page_end =
    "<footer class=\"soft small\"><p>How octets are shown: lines of messages end by CR LF, those "
    "of signature bases by LF. What can't be seen, or isn't UTF-8, is spelt out in a frame: "
    "<i class=\"o\">\\n</i> is a bare LF, <i class=\"o\">\\xff</i> an octet, "
    "<i class=\"o\">\\u{202e}</i> a code point. The JSON report has every octet.</p>"
    "<p>This page isn't signed. The JSON report of the run is, by the key named above: "
    "<code>entente-conformance report FILE</code> checks it and makes this page "
    "anew.</p></footer>\n";

}  // namespace

std::string html_of(const nlohmann::json& report)
{
    std::vector<const nlohmann::json*> cases;
    for (const auto& one : list_of(report, "cases")) cases.push_back(&one);
    const auto groups = shelves(cases, "group");
    const auto& exit = member_of(report, "exit");
    const auto code = number_of(exit, "code");
    const auto headline = headline_of(code);
    const auto name = text_html(text_of(member_of(report, "target"), "name"));

    auto html = head_html(name + ": " + headline.words + ", conformance report") +
                "<body><a class=\"skip\" href=\"#cases\">To the cases</a>\n"
                "<header><p class=\"kicker\">Conformance to the Entente federation protocol</p>"
                "<h1>" +
                name + "</h1>\n<p class=\"verdict " + state_class(headline.colours) +
                "\"><strong>" + headline.words + "</strong> <span class=\"soft\">exit " +
                std::to_string(code) + "</span><br>" + text_html(text_of(exit, "meaning")) +
                "</p></header>\n<section>" + (cases.empty() ? "" : bar_html(cases)) +
                counts_html(cases, report) + failures_html(cases) + next_html(report) +
                facts_html(report) + groups_html(groups) + "</section>\n<main id=\"cases\">\n";
    for (const auto& group : groups) html += group_html(group, report);
    return html + "</main>\n" + page_end + "<script>" + std::string(page_script()) +
           "</script></body></html>\n";
}

}  // namespace entente::conformance
