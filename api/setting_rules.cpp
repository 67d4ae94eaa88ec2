#include "api/setting_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <nlohmann/json.hpp>

#include "protocol/json_rules.hpp"

namespace entente::api {

namespace {

using protocol::json_string;

constexpr std::int64_t most_requests = 1'000'000;
constexpr std::int64_t most_a_day = 1'000'000;
constexpr std::int64_t most_octets_a_day = 1'000'000'000'000;

struct NamedMode {
    Registration mode;
    std::string_view text;
};
constexpr std::array<NamedMode, 3> modes{{{Registration::closed, "closed"},
                                          {Registration::invite, "invite"},
                                          {Registration::open, "open"}}};

// A line or several, for people: nothing that moves a terminal's cursor.
bool is_readable(std::string_view text, bool several_lines)
{
    return std::ranges::none_of(text, [several_lines](char c) {
        const auto octet = static_cast<unsigned char>(c);
        return (octet < 0x20 && !(several_lines && c == '\n')) || octet == 0x7f;
    });
}

bool is_colour(std::string_view text)
{
    return text.size() == 7 && text[0] == '#' && std::ranges::all_of(text.substr(1), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

bool is_contact(std::string_view text)
{
    const bool has_scheme = (text.starts_with("mailto:") && text.size() > 7) ||
                            (text.starts_with("https://") && text.size() > 8);
    return has_scheme && text.size() <= max_contact_octets &&
           std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

SettingRule mode_rule()
{
    return {"registration.mode", "open, invite or closed", false,
            [](SettingValues& values, const SettingValues&, std::string_view text, std::int64_t) {
                const auto* const found = std::ranges::find(modes, text, &NamedMode::text);
                if (found == modes.end()) return false;
                values.registration = found->mode;
                return true;
            },
            [](const SettingValues& values) { return json_string(to_text(values.registration)); }};
}

SettingRule text_rule(std::string_view key, std::string_view allowed,
                      std::string SettingValues::* member, bool (*fits)(std::string_view))
{
    return {key, allowed, false,
            [member, fits](SettingValues& values, const SettingValues&, std::string_view text,
                           std::int64_t) {
                if (!fits(text)) return false;
                values.*member = text;
                return true;
            },
            [member](const SettingValues& values) {
                return (values.*member).empty() ? "null" : json_string(values.*member);
            }};
}

SettingRule number_rule(std::string_view key, std::string_view allowed,
                        std::int64_t SettingValues::* member, std::int64_t least, std::int64_t most)
{
    return {key, allowed, true,
            [member, least, most](SettingValues& values, const SettingValues&, std::string_view,
                                  std::int64_t number) {
                if (number < least || number > most) return false;
                values.*member = number;
                return true;
            },
            [member](const SettingValues& values) { return std::to_string(values.*member); }};
}

// What the listener takes and how much memory a file may cost is fixed when the process starts.
SettingRule media_rule()
{
    return {"limits.media_bytes", "an integer from 0 to limits.media_bytes of the configuration",
            true,
            [](SettingValues& values, const SettingValues& defaults, std::string_view,
               std::int64_t number) {
                if (number < 0 || number > defaults.media_bytes) return false;
                values.media_bytes = number;
                return true;
            },
            [](const SettingValues& values) { return std::to_string(values.media_bytes); }};
}

bool is_name(std::string_view text)
{
    return !text.empty() && text.size() <= max_branding_name_octets && is_readable(text, false);
}

bool is_description(std::string_view text)
{
    return !text.empty() && text.size() <= max_branding_text_octets && is_readable(text, true);
}

std::vector<SettingRule> make_rules()
{
    return {
        mode_rule(),
        text_rule("branding.name", "1 to 256 octets without control characters",
                  &SettingValues::name, is_name),
        text_rule("branding.description", "1 to 2048 octets, of control characters only newlines",
                  &SettingValues::description, is_description),
        text_rule("branding.colour", "#rrggbb in lower case", &SettingValues::colour, is_colour),
        text_rule("branding.contact", "a mailto: or https: URL of at most 320 octets",
                  &SettingValues::contact, is_contact),
        number_rule("limits.requests_per_user", "an integer from 1 to 1000000",
                    &SettingValues::requests_per_user, 1, most_requests),
        number_rule("limits.channels_per_user_and_day", "an integer from 0 to 1000000",
                    &SettingValues::channels_a_day, 0, most_a_day),
        number_rule("limits.reports_per_user_and_day", "an integer from 0 to 1000000",
                    &SettingValues::reports_a_day, 0, most_a_day),
        media_rule(),
        number_rule("limits.media_bytes_per_user_and_day", "an integer from 0 to 1000000000000",
                    &SettingValues::media_bytes_a_day, 0, most_octets_a_day),
    };
}

}  // namespace

std::string_view to_text(Registration mode)
{
    return modes[static_cast<std::size_t>(mode)].text;
}

const std::vector<SettingRule>& setting_rules()
{
    static const std::vector<SettingRule> rules = make_rules();
    return rules;
}

const SettingRule* find_setting(std::string_view key)
{
    const auto& rules = setting_rules();
    const auto found = std::ranges::find(rules, key, &SettingRule::key);
    return found == rules.end() ? nullptr : &*found;
}

Result<void> take_setting(SettingValues& values, const SettingValues& defaults,
                          const SettingRule& rule, std::string_view json)
{
    const auto value = nlohmann::json::parse(json, nullptr, false);
    const bool fits_kind = rule.is_number ? value.is_number_integer() : value.is_string();
    const auto text = value.is_string() ? value.get<std::string>() : std::string();
    const auto number = value.is_number_integer() ? value.get<std::int64_t>() : 0;
    if (fits_kind && rule.take(values, defaults, text, number)) return {};
    return refuse(Code::malformed, std::string(rule.allowed) + " is needed");
}

}  // namespace entente::api
