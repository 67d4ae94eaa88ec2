#include "conformance/report/html_parts.hpp"

#include <cctype>

#include <nlohmann/json.hpp>

#include "conformance/report/members.hpp"

namespace entente::conformance {

std::string text_html(std::string_view text)
{
    return escaped(visible(text));
}

std::string octets_html(std::string_view octets, LineEnds ends, std::size_t most)
{
    const auto shown = beginning_of(octets, most);
    // Each line is an element of its own, so that one that is folded looks unlike two.
    std::string html = "<span class=\"l\">";
    for_each_piece(shown, ends, [&](std::string_view piece, bool spelt) {
        if (spelt)
            html += "<i class=\"o\">" + escaped(piece) + "</i>";
        else if (piece == "\n")
            html += "\n</span><span class=\"l\">";
        else
            html += escaped(piece);
    });
    html += "</span>";
    if (shown.size() < octets.size())
        html += "<i class=\"o\">\u2026 " + std::to_string(octets.size() - shown.size()) +
                " more octets are in the JSON report</i>";
    return html;
}

std::string slug_of(std::string_view text)
{
    std::string slug;
    for (const char c : text.substr(0, 64))
        slug += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
    return slug;
}

std::string row_html(std::string_view name, const std::string& value)
{
    if (value.empty()) return {};
    return "<dt>" + escaped(name) + "</dt><dd>" + value + "</dd>\n";
}

std::string state_class(State state)
{
    return "s-" + slug_of(name_of(state));
}

std::string_view state_sign(State state)
{
    switch (state) {
        case State::pass: return "\u2713";
        case State::fail: return "\u2715";
        case State::warn: return "!";
        case State::not_applicable: return "\u2013";
        case State::could_not_run: return "?";
        case State::expected_fail: return "\u2715";
        case State::unexpected_pass: return "\u2713";
        case State::flaky: return "\u2248";
        case State::not_run: return "\u2026";
    }
    return "";
}

std::string badge_html(State state)
{
    return "<span class=\"badge " + state_class(state) + "\"><span aria-hidden=\"true\">" +
           std::string(state_sign(state)) + "</span> " + std::string(name_of(state)) + "</span>";
}

State state_of(const nlohmann::json& one)
{
    return state_named(text_of(one, "state")).value_or(State::could_not_run);
}

}  // namespace entente::conformance
