#pragma once

// The head of a request, read strictly: one form for every line, and one meaning for where the body
// ends. Shares nothing with the reader that the runner itself uses.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "conformance/reference/flags.hpp"
#include "conformance/sockets/deadline.hpp"
#include "conformance/wire/message.hpp"

namespace entente::conformance::reference {

struct HttpLimits {
    explicit HttpLimits(const Flags& flags);

    std::size_t head_octets = 16'384;
    std::size_t fields = 100;
    std::size_t body_octets = 4'194'304;
    // Between two requests; from a head's first octet to its last; for a body.
    Millis idle_time{20'000};
    Millis head_time{3'000};
    Millis body_time{4'000};
    Millis tls_time{3'000};
    // Without progress.
    Millis write_time{4'000};
    std::size_t connections = 400;
};

struct HttpHead {
    // Without its body; the target in origin form, names of fields in lower case.
    Request request;
    bool keep_alive = true;
    // How the body comes.
    std::uint64_t length = 0;
    bool chunked = false;
};

// `text` ends with the blank line. Throws Refused.
[[nodiscard]] HttpHead parse_head(std::string text, const HttpLimits& limits, const Flags& flags);

// A line of a field. Throws Refused.
void parse_field(std::string_view line, Fields& fields, const Flags& flags);

// Line ends are CRLF and nothing else: `arrived` up to the end of the head, from `from` on. Throws
// Refused.
void check_line_ends(std::string_view arrived, std::size_t from, const Flags& flags);

[[nodiscard]] std::string in_lower_case(std::string_view text);

}  // namespace entente::conformance::reference
