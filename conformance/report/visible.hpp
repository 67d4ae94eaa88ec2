#pragma once

// Foreign octets for the eyes of people: what a reader wouldn't see, or would see as something
// else, is spelt out. That is control characters, octets that are no UTF-8, and the code points
// that turn, join or hide text (U+202E and its kin). Nothing here decides what is kept.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace entente::conformance {

// What becomes of line ends: CR LF, LF and CR.
enum class LineEnds {
    // All are spelt out: the result is one line.
    spelt,
    // CR LF ends a line; a bare LF is spelt out and ends one too; CR is spelt out. For HTTP.
    http,
    // LF ends a line, CR is spelt out. For signature bases and JSON.
    lf,
};

// Calls `on` with the octets in pieces: UTF-8 as it stands, "\n" where a line ends, or with
// `spelt` a stand-in of printable ASCII: \n, \x1b, \xff, \u{202e}.
void for_each_piece(std::string_view octets, LineEnds ends,
                    const std::function<void(std::string_view piece, bool spelt)>& on);

// The pieces in a row: valid UTF-8 that holds no control character but LF, and that only where
// `ends` lets lines end.
[[nodiscard]] std::string visible(std::string_view octets, LineEnds ends = LineEnds::spelt);

// Valid UTF-8 of any octets, for JSON: each octet that is none is spelt out as \xff. Control
// characters stay.
[[nodiscard]] std::string utf8_of(std::string_view octets);
[[nodiscard]] bool is_utf8(std::string_view octets);

// At most `most` octets of it, and where that isn't all, "… (17 octets more)" behind them. Cuts
// between code points.
[[nodiscard]] std::string bounded(std::string_view text, std::size_t most);
// What bounded() keeps, without the remark.
[[nodiscard]] std::string_view beginning_of(std::string_view text, std::size_t most);

// & < > " ' as references: for text and for quoted attributes, of HTML and XML alike.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace entente::conformance
