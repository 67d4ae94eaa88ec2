// Every key that the configuration knows: its section, its kind, its default as the
// reference prints it, and how a value of it gets into Config. Judges single values;
// what several keys must agree on is config.cpp's last step.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config.hpp"
#include "daemon/config_value.hpp"

namespace entente::daemon {

// One fault of a value; `line` is that of the element at fault, 0 outside the file.
struct Complaint {
    int line = 0;
    std::string text;
};
using Complaints = std::vector<Complaint>;

// How the environment's text becomes a value: lists are divided by commas, tables are
// written name=value,name=value.
enum class KeyKind : std::uint8_t { text, integer, boolean, list, table };

template <class Target>
struct KeyRule {
    std::string_view section, key, fallback;
    KeyKind kind = KeyKind::text;
    std::function<void(Target&, const ConfigValue&, Complaints&)> set;
};

// Sets a number from `low` to `high`.
[[nodiscard]] std::function<void(Config&, const ConfigValue&, Complaints&)> integer(
    std::int64_t& (*at)(Config&), std::int64_t low, std::int64_t high);

[[nodiscard]] const std::vector<KeyRule<Config>>& config_rules();
[[nodiscard]] const std::vector<KeyRule<ListenerConfig>>& listener_rules();

}  // namespace entente::daemon
