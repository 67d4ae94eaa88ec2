// A value within the text of a policy, and how to say where it stands. For the .cpp files of this
// folder only; the text has passed the JSON rules.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/result.hpp"

namespace entente::trust::policy {

// "line 3, column 7" of an octet of `text`, which is UTF-8.
[[nodiscard]] std::string line_and_column(std::string_view text, std::size_t offset);

// Lives on the stack of who reads: the container's place must outlive it.
struct Place {
    std::string_view text;   // all of it
    std::string_view value;  // a part of it
    const Place* outer = nullptr;
    std::string name;  // of a member, or the index of an element

    [[nodiscard]] Place within(std::string_view part, std::string step) const
    {
        return Place{text, part, this, std::move(step)};
    }
    [[nodiscard]] std::string pointer() const;  // RFC 6901
    // "/rules/0/id (line 3, column 7): <reason>".
    [[nodiscard]] protocol::Failure fault(std::string_view reason,
                                          Code code = Code::malformed) const;
};

// What somebody wrote, in quotes and cut to 64 octets, for a message to him.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace entente::trust::policy
