#include "conformance/report/members.hpp"

#include "conformance/wire/octets.hpp"

namespace entente::conformance {

const nlohmann::json& member_of(const nlohmann::json& object, const char* name)
{
    static const nlohmann::json none;
    if (!object.is_object()) return none;
    const auto found = object.find(name);
    return found == object.end() ? none : *found;
}

std::string text_of(const nlohmann::json& object, const char* name)
{
    const auto& value = member_of(object, name);
    return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t number_of(const nlohmann::json& object, const char* name)
{
    const auto& value = member_of(object, name);
    return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

bool flag_of(const nlohmann::json& object, const char* name)
{
    const auto& value = member_of(object, name);
    return value.is_boolean() && value.get<bool>();
}

const nlohmann::json& list_of(const nlohmann::json& object, const char* name)
{
    static const nlohmann::json none = nlohmann::json::array();
    const auto& value = member_of(object, name);
    return value.is_array() ? value : none;
}

std::string octets_in(const nlohmann::json& kept)
{
    const auto& base64_text = member_of(kept, "base64");
    if (!base64_text.is_string()) return text_of(kept, "text");
    return from_base64(base64_text.get<std::string>()).value_or("");
}

}  // namespace entente::conformance
