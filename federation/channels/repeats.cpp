#include "federation/channels/repeats.hpp"

#include <nlohmann/json.hpp>

namespace entente::federation {

namespace {

constexpr std::string_view salt_start = R"({"salt":")";
constexpr std::size_t salt_characters = 22;  // 16 octets

// What stands behind the salt that we put in front; empty where it isn't one of ours.
std::string_view behind_salt(std::string_view content)
{
    constexpr auto size = salt_start.size() + salt_characters;
    return content.starts_with(salt_start) && content.size() > size ? content.substr(size)
                                                                    : std::string_view{};
}

nlohmann::json without_salt(std::string_view content)
{
    auto members = nlohmann::json::parse(content, nullptr, false);
    if (members.is_object()) members.erase("salt");
    return members;
}

}  // namespace

bool say_the_same(std::string_view first, std::string_view again)
{
    const auto rest = behind_salt(first);
    if (!rest.empty() && rest == behind_salt(again)) return true;
    return without_salt(first) == without_salt(again);
}

bool is_same_wish(const protocol::Event& first, const std::optional<std::string>& first_content,
                  const protocol::Event& again, std::string_view content)
{
    if (first.type != again.type || first.target != again.target) return false;
    return !first_content || say_the_same(*first_content, content);
}

}  // namespace entente::federation
