#pragma once

// What the clauses of the protocol say: docs/protocol/*.md as they were when the runner was built,
// so that a report needs no second document.

#include <map>
#include <string>
#include <string_view>

namespace entente::conformance {

struct Clause {
    // "docs/protocol/signed-requests.md"
    std::string document;
    // Lines that LF divides, without emphasis and the targets of links.
    std::string text;
};

// Null where there is no such clause.
[[nodiscard]] const Clause* find_clause(std::string_view id);

// What stands at `- **[ID]**` in one document, up to the next line that is no part of it.
[[nodiscard]] std::map<std::string, std::string, std::less<>> clauses_in(std::string_view document);

}  // namespace entente::conformance
