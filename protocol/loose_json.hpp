// JSON as RFC 8259 alone defines it, without the rules of EVT-3: for a follower that
// has to tell "JSON that breaks a form rule" from "no JSON" [LOG-1], where every server
// must draw the line at the same octet. For the .cpp files of this folder only; small
// texts only (it keeps every member of the outermost object).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entente::protocol::loose {

struct Member {
    std::string name;  // unescaped; a lone surrogate as its three octets
    bool is_string = false;
    std::string text;  // of a string: unescaped; else as it stands
};

// The members of the outermost object in order, repeats included; nothing where the
// text isn't valid UTF-8, isn't JSON or is no object. Linear, and bounded by the text
// in memory: nesting isn't recursion.
[[nodiscard]] std::optional<std::vector<Member>> read_object(std::string_view text);

}  // namespace entente::protocol::loose
