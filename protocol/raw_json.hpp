// Members and elements of JSON text as they stand in it: no copy, no document tree. For
// text that has passed check_json and nothing else; what hasn't gives nonsense, though
// never reads outside the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entente::protocol::raw {

// The text of a string literal, with its quotes, escapes resolved.
[[nodiscard]] std::string unescaped(std::string_view literal);

// Steps through an object's members or an array's elements, at most once.
class Items {
 public:
    // `container` begins with its bracket.
    explicit Items(std::string_view container);
    [[nodiscard]] bool next();
    [[nodiscard]] bool is_named(std::string_view name) const;
    // Of a member: its name, escapes resolved.
    [[nodiscard]] std::string name() const { return unescaped(name_); }
    [[nodiscard]] std::string_view value() const { return value_; }

 private:
    void skip_space();
    [[nodiscard]] std::string_view take_value();

    std::string_view rest_;
    bool is_object_;
    std::string_view name_;  // with its quotes
    std::string_view value_;
};

[[nodiscard]] inline bool is_object(std::string_view value)
{
    return value.starts_with('{');
}
[[nodiscard]] inline bool is_array(std::string_view value)
{
    return value.starts_with('[');
}
[[nodiscard]] inline bool is_string(std::string_view value)
{
    return value.starts_with('"');
}
// Nothing where the value is no integer.
[[nodiscard]] std::optional<std::int64_t> integer(std::string_view value);

}  // namespace entente::protocol::raw
