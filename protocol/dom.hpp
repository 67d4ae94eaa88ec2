// simdjson behind a few words: parsed text, and members read by name with "absent"
// kept apart from "of a wrong type". For the .cpp files of this folder only, so that
// simdjson's header reaches nobody else. Doesn't apply the JSON rules [EVT-3]: call
// check_json on foreign octets first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "protocol/event.hpp"
#include "protocol/result.hpp"

namespace entente::protocol::dom {

using Element = simdjson::dom::element;
using Object = simdjson::dom::object;
using Array = simdjson::dom::array;

// A parser that keeps its memory for the next text: what `root` gives lives until the
// next call of parse on the same Parser.
class Parser {
 public:
    [[nodiscard]] Result<Element> parse(std::string_view text);

 private:
    simdjson::dom::parser parser_;
};

// One per thread, for events and contents (64 KiB at most); never held over a call
// that may use it too.
[[nodiscard]] Parser& small_parser();

[[nodiscard]] Result<Object> as_object(Element element, std::string_view what);
[[nodiscard]] Result<Array> as_array(Element element, std::string_view what);

// Nothing where the object has no such member.
[[nodiscard]] std::optional<Element> member(Object object, std::string_view name);

// `malformed` where the member is absent (need_*) or of another type (both).
[[nodiscard]] Result<std::string_view> need_string(Object object, std::string_view name);
[[nodiscard]] Result<std::optional<std::string_view>> may_string(Object object,
                                                                 std::string_view name);
// Not negative.
[[nodiscard]] Result<std::int64_t> need_count(Object object, std::string_view name);
[[nodiscard]] Result<std::optional<std::int64_t>> may_count(Object object, std::string_view name);
[[nodiscard]] Result<Object> need_object(Object object, std::string_view name);
[[nodiscard]] Result<Array> need_array(Object object, std::string_view name);
[[nodiscard]] Result<std::optional<Array>> may_array(Object object, std::string_view name);
[[nodiscard]] Result<Hash> need_hash(Object object, std::string_view name);
[[nodiscard]] Result<std::vector<std::string>> strings(Array array, std::string_view what);

// `malformed`, saying which member is wrong and how.
[[nodiscard]] Failure wrong(std::string_view name, std::string_view reason);

}  // namespace entente::protocol::dom
