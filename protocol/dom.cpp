#include "protocol/dom.hpp"

namespace entente::protocol::dom {

Failure wrong(std::string_view name, std::string_view reason)
{
    std::string hint = "/";
    hint += name;
    hint += ": ";
    hint += reason;
    return refuse(Code::malformed, std::move(hint));
}

Result<Element> Parser::parse(std::string_view text)
{
    Element root;
    // The last argument copies the text to where simdjson's padding is.
    const auto error = parser_.parse(text.data(), text.size(), true).get(root);
    if (error) return refuse(Code::malformed, "not JSON");
    return root;
}

Parser& small_parser()
{
    thread_local Parser parser;
    return parser;
}

Result<Object> as_object(Element element, std::string_view what)
{
    Object object;
    if (element.get_object().get(object)) return wrong(what, "must be an object");
    return object;
}

Result<Array> as_array(Element element, std::string_view what)
{
    Array array;
    if (element.get_array().get(array)) return wrong(what, "must be an array");
    return array;
}

std::optional<Element> member(Object object, std::string_view name)
{
    Element value;
    if (object.at_key(name).get(value)) return std::nullopt;
    return value;
}

Result<std::optional<std::string_view>> may_string(Object object, std::string_view name)
{
    const auto value = member(object, name);
    if (!value) return std::optional<std::string_view>{};
    std::string_view text;
    if (value->get_string().get(text)) return wrong(name, "must be a string");
    return std::optional<std::string_view>{text};
}

Result<std::string_view> need_string(Object object, std::string_view name)
{
    const auto text = may_string(object, name);
    if (!text) return fail(text);
    if (!*text) return wrong(name, "is missing");
    return **text;
}

Result<std::optional<std::int64_t>> may_count(Object object, std::string_view name)
{
    const auto value = member(object, name);
    if (!value) return std::optional<std::int64_t>{};
    std::int64_t number = 0;
    if (!value->is_int64() || value->get_int64().get(number) || number < 0) {
        return wrong(name, "must be an integer that is not negative");
    }
    return std::optional<std::int64_t>{number};
}

Result<std::int64_t> need_count(Object object, std::string_view name)
{
    const auto number = may_count(object, name);
    if (!number) return fail(number);
    if (!*number) return wrong(name, "is missing");
    return **number;
}

Result<Object> need_object(Object object, std::string_view name)
{
    const auto value = member(object, name);
    if (!value) return wrong(name, "is missing");
    return as_object(*value, name);
}

Result<std::optional<Array>> may_array(Object object, std::string_view name)
{
    const auto value = member(object, name);
    if (!value) return std::optional<Array>{};
    const auto array = as_array(*value, name);
    if (!array) return fail(array);
    return std::optional<Array>{*array};
}

Result<Array> need_array(Object object, std::string_view name)
{
    const auto array = may_array(object, name);
    if (!array) return fail(array);
    if (!*array) return wrong(name, "is missing");
    return **array;
}

Result<Hash> need_hash(Object object, std::string_view name)
{
    const auto text = need_string(object, name);
    if (!text) return fail(text);
    auto hash = hash_from_base64url(*text);
    if (!hash) return wrong(name, "must be 43 characters of base64url");
    return hash;
}

Result<std::vector<std::string>> strings(Array array, std::string_view what)
{
    std::vector<std::string> list;
    list.reserve(array.size());
    for (const Element element : array) {
        std::string_view text;
        if (element.get_string().get(text)) return wrong(what, "must hold strings");
        list.emplace_back(text);
    }
    return list;
}

}  // namespace entente::protocol::dom
