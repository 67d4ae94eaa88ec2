#include "trust/policy/place.hpp"

#include <algorithm>
#include <vector>

#include "protocol/json_rules.hpp"

namespace entente::trust::policy {
namespace {

constexpr std::size_t most_quoted_octets = 64;

bool begins_a_character(char c)
{
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
}

void append_step(std::string& pointer, std::string_view name)
{
    pointer += '/';
    for (const char c : name) {
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else {
            pointer += c;
        }
    }
}

std::string_view shortened(std::string_view text)
{
    if (text.size() <= most_quoted_octets) return text;
    auto size = most_quoted_octets;
    while (size > 0 && !begins_a_character(text[size])) --size;
    return text.substr(0, size);
}

}  // namespace

std::string line_and_column(std::string_view text, std::size_t offset)
{
    const auto before = text.substr(0, offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto start = before.rfind('\n') + 1;  // 0 on the first line
    const auto column = 1 + std::count_if(before.begin() + static_cast<std::ptrdiff_t>(start),
                                          before.end(), begins_a_character);
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::string Place::pointer() const
{
    std::vector<const Place*> chain;
    for (const auto* place = this; place->outer != nullptr; place = place->outer)
        chain.push_back(place);
    std::string pointer;
    for (auto step = chain.rbegin(); step != chain.rend(); ++step)
        append_step(pointer, shortened((*step)->name));
    return pointer.empty() ? "(top)" : pointer;
}

protocol::Failure Place::fault(std::string_view reason, Code code) const
{
    const auto offset = static_cast<std::size_t>(value.data() - text.data());
    return refuse(code,
                  pointer() + " (" + line_and_column(text, offset) + "): " + std::string(reason));
}

std::string quoted(std::string_view text)
{
    auto literal = protocol::json_string(shortened(text));
    if (text.size() > most_quoted_octets) literal.insert(literal.size() - 1, "…");
    return literal;
}

}  // namespace entente::trust::policy
