// A case on the page: what it proves, what was found, what went over the wire, how to repeat it.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "conformance/report/html_parts.hpp"
#include "conformance/report/members.hpp"
#include "conformance/report/words.hpp"

namespace entente::conformance {

namespace {

// Octets of one message on the page, of all that one case shows, and of a line of a summary.
constexpr std::size_t max_message = 16 * 1024;
constexpr std::size_t max_shown = 256 * 1024;
constexpr std::size_t max_line = 96;

// What prepares a case, follows what it is about, or is the target's own doing meanwhile.
bool is_beside_the_point(const nlohmann::json& exchange)
{
    const auto what = text_of(exchange, "what");
    return flag_of(exchange, "from_target") || what.find("control") != std::string::npos ||
           what.find("barrier") != std::string::npos || what.starts_with("join of ") ||
           what.starts_with("hook ");
}

std::string block_html(std::string_view title, const nlohmann::json& exchange, const char* name,
                       LineEnds ends)
{
    const auto& kept_octets = member_of(exchange, name);
    if (!kept_octets.is_object()) return {};
    const auto octets = octets_in(kept_octets);
    auto html = "<div><h5>" + escaped(title) + "</h5>";
    if (octets.empty()) return html + "<p class=\"soft\">nothing</p></div>\n";
    html += "<pre>" + octets_html(octets, ends, max_message) + "</pre>";
    if (flag_of(kept_octets, "cut"))
        html += "<p class=\"cut\">There was more; the runner keeps the first 64 KiB.</p>";
    return html + "</div>\n";
}

std::string first_line(const nlohmann::json& exchange, const char* name)
{
    const auto octets = octets_in(member_of(exchange, name));
    auto line = std::string_view(octets).substr(0, octets.find_first_of("\r\n"));
    constexpr std::string_view version = "HTTP/1.1 ";
    if (line.starts_with(version)) line.remove_prefix(version.size());
    if (line.ends_with(" HTTP/1.1")) line.remove_suffix(version.size());
    auto html = text_html(beginning_of(line, max_line));
    return html.empty() ? "nothing" : html + (line.size() > max_line ? "\u2026" : "");
}

std::string exchange_html(const nlohmann::json& exchange, bool open)
{
    const bool asked = flag_of(exchange, "from_target");
    const auto names = directions_of(exchange);
    const auto sent = block_html(names.sent, exchange, "sent", LineEnds::http);
    const auto received = block_html(names.received, exchange, "received", LineEnds::http);
    const auto bases = block_html("Signature base of the request, as the runner has it", exchange,
                                  "request_base", LineEnds::lf) +
                       block_html("Signature base of the answer, as the runner has it", exchange,
                                  "answer_base", LineEnds::lf);
    return "<details class=\"exchange\"" + std::string(open ? " open" : "") + "><summary><b>" +
           text_html(text_of(exchange, "what")) + "</b> <span class=\"soft small\">at " +
           std::to_string(number_of(exchange, "at")) + " ms</span> <code>" +
           first_line(exchange, asked ? "received" : "sent") + " \u2192 " +
           first_line(exchange, asked ? "sent" : "received") + "</code></summary>\n<div>" +
           "<div class=\"pair\">" + (asked ? received + sent : sent + received) + "</div>\n" +
           (bases.empty() ? "" : "<div class=\"pair\">" + bases + "</div>\n") +
           "</div></details>\n";
}

std::string exchanges_html(const nlohmann::json& one)
{
    const auto& exchanges = list_of(one, "exchanges");
    if (exchanges.empty()) return {};
    // The last that matters is what the verdict is about; where nothing of it matters, the end is.
    auto told = exchanges.size() - 1;
    while (told > 0 && is_beside_the_point(exchanges[told])) --told;
    if (is_beside_the_point(exchanges[told])) told = exchanges.size() - 1;
    std::string html = "<h5>What went over the wire</h5>\n";
    std::size_t left_out =
        static_cast<std::size_t>(std::max<std::int64_t>(number_of(one, "exchanges_left_out"), 0));
    for (std::size_t place = 0; place < exchanges.size(); ++place) {
        if (html.size() > max_shown && place != told) {
            ++left_out;
            continue;
        }
        html += exchange_html(exchanges[place], place == told);
    }
    if (left_out > 0)
        html += "<p class=\"cut\">" + std::to_string(left_out) +
                " further exchanges aren't shown here.</p>\n";
    return html;
}

std::string found_html(const nlohmann::json& one)
{
    const auto detail = text_html(text_of(one, "detail"));
    const auto assertion = text_html(text_of(one, "assertion"));
    if (detail.empty() && assertion.empty()) return {};
    return "<p class=\"found\"><b>" +
           (assertion.empty() ? std::string("Why") : "At \u201c" + assertion + "\u201d") +
           ":</b> " + detail + "</p>\n";
}

}  // namespace

std::string case_html(const nlohmann::json& one)
{
    const auto state = state_of(one);
    const auto id = text_of(one, "id");
    const auto clause = text_html(text_of(one, "clause"));
    const auto document = text_html(text_of(one, "document"));
    const bool is_folded =
        state == State::pass || state == State::not_applicable || state == State::not_run;
    const auto reason = is_folded ? text_html(text_of(one, "detail")) : std::string();
    return "<details class=\"case " + state_class(state) + "\" id=\"case-" + slug_of(id) +
           "\" data-clause=\"" + clause + "\"" + (is_folded ? "" : " open") +
           "><summary><span class=\"mine\">" + badge_html(state) + "</span> <code>" +
           text_html(id) + "</code> <h4>" + text_html(text_of(one, "proves")) + "</h4>" +
           (reason.empty() ? "" : "<span class=\"reason\">" + reason + "</span>") +
           "</summary>\n<div class=\"inside\">" + found_html(one) + "<dl>\n" +
           row_html("Clause", "<b>" + clause + "</b>, " + text_html(text_of(one, "level")) +
                                  (document.empty() ? "" : ", in " + document)) +
           row_html("Expected to fail", text_html(text_of(one, "expected_because"))) +
           row_html("Descends from", text_html(text_of(one, "descends_from"))) +
           row_html("Profile", text_html(text_of(one, "profile"))) +
           row_html("Took", seconds_text(number_of(one, "milliseconds")) + " s") +
           "</dl>\n<h5>Repeat it alone</h5>\n<pre class=\"command\">" +
           text_html(text_of(one, "repro")) + "</pre>\n" + exchanges_html(one) +
           "</div></details>\n";
}

}  // namespace entente::conformance
