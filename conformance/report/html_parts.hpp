#pragma once

// Pieces of the page of HTML. Every piece of text goes through one of text_html and octets_html;
// nothing else may put a report's words into the page.

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "conformance/judge/verdict.hpp"
#include "conformance/report/visible.hpp"

namespace entente::conformance {

// One line of text, for elements and for quoted attributes.
[[nodiscard]] std::string text_html(std::string_view text);

// Octets, a line within <span class="l">, what isn't visible spelt out within <i class="o">. At
// most `most` octets of them are shown, and a remark says that there are more.
[[nodiscard]] std::string octets_html(std::string_view octets, LineEnds ends, std::size_t most);

// A name for ids and classes: letters, digits and hyphens of `text`, at most 64.
[[nodiscard]] std::string slug_of(std::string_view text);

// "<dt>name</dt><dd>value</dd>", where `value` is HTML; nothing where it is empty.
[[nodiscard]] std::string row_html(std::string_view name, const std::string& value);

// A state as a sign and a word, in its colour.
[[nodiscard]] std::string badge_html(State state);
// "s-fail": gives an element the state's colours.
[[nodiscard]] std::string state_class(State state);
[[nodiscard]] std::string_view state_sign(State state);

// The state of a case of a report; could_not_run where it names none.
[[nodiscard]] State state_of(const nlohmann::json& one);

// A case, unfolded where it isn't a pass.
[[nodiscard]] std::string case_html(const nlohmann::json& one);

}  // namespace entente::conformance
