#include "protocol/raw_json.hpp"

#include <charconv>

#include "protocol/utf8.hpp"

namespace entente::protocol::raw {
namespace {

bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// How long the string literal is that `text` begins with, both quotes included.
std::size_t string_size(std::string_view text)
{
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            return i + 1;
        }
    }
    return text.size();
}

std::size_t container_size(std::string_view text)
{
    std::size_t depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        switch (text[i]) {
            case '"': i += string_size(text.substr(i)) - 1; break;
            case '{':
            case '[': ++depth; break;
            case '}':
            case ']':
                if (--depth == 0) return i + 1;
                break;
            default: break;
        }
    }
    return text.size();
}

std::uint32_t four_digits(std::string_view text, std::size_t at)
{
    std::uint32_t value = 0;
    if (at + 4 <= text.size()) std::from_chars(text.data() + at, text.data() + at + 4, value, 16);
    return value;
}

}  // namespace

std::string unescaped(std::string_view literal)
{
    constexpr std::string_view letters = "bfnrt";
    constexpr std::string_view meanings = "\b\f\n\r\t";
    if (literal.size() < 2) return {};
    const auto text = literal.substr(1, literal.size() - 2);
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out.push_back(text[i]);
            continue;
        }
        const char c = text[++i];
        if (c != 'u') {
            const auto letter = letters.find(c);
            out.push_back(letter == std::string_view::npos ? c : meanings[letter]);
            continue;
        }
        auto point = four_digits(text, i + 1);
        i += 4;
        if (point >= 0xd800 && point < 0xdc00) {
            point = 0x10000U + ((point - 0xd800U) << 10U) + (four_digits(text, i + 3) & 0x3ffU);
            i += 6;
        }
        append_utf8(out, point);
    }
    return out;
}

Items::Items(std::string_view container) : rest_(container), is_object_(is_object(container))
{
    rest_.remove_prefix(rest_.empty() ? 0 : 1);
}

void Items::skip_space()
{
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
}

std::string_view Items::take_value()
{
    std::size_t size = 0;
    if (is_string(rest_)) {
        size = string_size(rest_);
    } else if (is_object(rest_) || is_array(rest_)) {
        size = container_size(rest_);
    } else {
        while (size < rest_.size() && rest_[size] != ',' && rest_[size] != '}' &&
               rest_[size] != ']' && !is_space(rest_[size]))
            ++size;
    }
    const auto value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
}

bool Items::next()
{
    skip_space();
    if (rest_.starts_with(',')) {
        rest_.remove_prefix(1);
        skip_space();
    }
    if (rest_.empty() || rest_.front() == '}' || rest_.front() == ']') return false;
    if (is_object_) {
        name_ = take_value();
        skip_space();
        rest_.remove_prefix(rest_.empty() ? 0 : 1);  // the colon
        skip_space();
    }
    value_ = take_value();
    // Text that never passed the check must not hold us here.
    return !value_.empty();
}

bool Items::is_named(std::string_view name) const
{
    if (name_.find('\\') != std::string_view::npos) return this->name() == name;
    return name_.size() == name.size() + 2 && name_.substr(1, name.size()) == name;
}

std::optional<std::int64_t> integer(std::string_view value)
{
    std::int64_t number = 0;
    const auto* end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, number);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return number;
}

}  // namespace entente::protocol::raw
