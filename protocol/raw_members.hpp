// One object's members, read by name from text that has passed check_json: values stay the
// octets that they were. Notes the first breach with its JSON pointer, so that a reader
// reads all that it needs and asks once. Unknown members are ignored [VER-1].
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/names.hpp"
#include "protocol/result.hpp"

namespace entente::protocol {

inline constexpr int max_opaque_depth = 16;

// The outermost object of a text, behind check_json; `malformed`. The view is into `text`.
[[nodiscard]] Result<std::string_view> checked_object(std::string_view text);

class RawMembers {
 public:
    // `pointer` is where `object` stands: "" or "/claims/3". What isn't an object is the
    // first breach.
    RawMembers(std::string_view object, std::string pointer);

    [[nodiscard]] std::string text(std::string_view name, std::size_t max_octets);
    // Empty where it is absent or null.
    [[nodiscard]] std::string text_or_empty(std::string_view name, std::size_t max_octets);
    // Nothing where it is absent.
    [[nodiscard]] std::optional<std::string> may_text(std::string_view name,
                                                      std::size_t max_octets);
    [[nodiscard]] Uuid uuid(std::string_view name);
    [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t least,
                                       std::int64_t most);
    [[nodiscard]] bool flag_or(std::string_view name, bool fallback);
    // The octets of an object, at most 16 containers deep, since it will stand within others;
    // of an array. Empty after a breach; `may_` also where it is absent or null.
    [[nodiscard]] std::string_view object(std::string_view name, std::size_t max_octets);
    [[nodiscard]] std::string_view may_object(std::string_view name, std::size_t max_octets);
    [[nodiscard]] std::string_view array(std::string_view name);
    [[nodiscard]] std::string_view may_array(std::string_view name);

    // Notes a breach that the reader found itself.
    void breach(std::string_view name, std::string_view reason);
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
    [[nodiscard]] std::string_view find(std::string_view name, bool required);

    std::string_view object_;
    std::string pointer_;
    std::optional<Error> error_;
};

}  // namespace entente::protocol
