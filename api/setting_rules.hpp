// Which settings can be changed while the server runs, what each may be, and what they come to
// over the defaults. Pure; the one place that lists them (docs/reference/settings.md tells them).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.hpp"

namespace entente::api {

enum class Registration : std::uint8_t { closed, invite, open };
[[nodiscard]] std::string_view to_text(Registration mode);

inline constexpr std::size_t max_branding_name_octets = 256;
inline constexpr std::size_t max_branding_text_octets = 2048;
inline constexpr std::size_t max_contact_octets = 320;

// All of them as they hold. The defaults of the process are what the configuration file says,
// or its defaults.
struct SettingValues {
    Registration registration = Registration::closed;
    std::string name, description, colour, contact;  // "" where there is none
    std::int64_t requests_per_user = 20'000;         // a second
    std::int64_t channels_a_day = 1'000;
    std::int64_t reports_a_day = 100;
    std::int64_t media_bytes = 10'485'760;  // of a file; no more than the configuration says
    std::int64_t media_bytes_a_day = 104'857'600;
    friend bool operator==(const SettingValues&, const SettingValues&) = default;
};

struct SettingRule {
    std::string_view key;      // "registration.mode"
    std::string_view allowed;  // for people: "open, invite or closed"
    bool is_number = false;
    // Takes a value over, or says false where it isn't one.
    std::function<bool(SettingValues&, const SettingValues& defaults, std::string_view text,
                       std::int64_t number)>
        take;
    // As JSON.
    std::function<std::string(const SettingValues&)> show;
};
[[nodiscard]] const std::vector<SettingRule>& setting_rules();
[[nodiscard]] const SettingRule* find_setting(std::string_view key);

// `json` is a JSON value under the JSON rules. `malformed`, its hint what would be allowed.
[[nodiscard]] Result<void> take_setting(SettingValues& values, const SettingValues& defaults,
                                        const SettingRule& rule, std::string_view json);

}  // namespace entente::api
