// A configuration value on its way from TOML or the environment into Config: what kind it
// is and where it stood. Keeps toml++ out of every file but config_toml.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace entente::daemon {

struct ConfigEntry;

// `unused` is what TOML has and we don't use (floats, dates, times); `text` names it then.
struct ConfigValue {
    enum class Kind : std::uint8_t { boolean, integer, text, list, table, unused };

    int line = 0;  // 0: not from the file
    Kind kind = Kind::unused;
    bool truth = false;
    std::int64_t number = 0;
    std::string text;
    std::vector<ConfigValue> list;
    std::vector<ConfigEntry> table;

    // Nothing where it is of another kind.
    [[nodiscard]] const bool* as_boolean() const
    {
        return kind == Kind::boolean ? &truth : nullptr;
    }
    [[nodiscard]] const std::int64_t* as_integer() const
    {
        return kind == Kind::integer ? &number : nullptr;
    }
    [[nodiscard]] const std::string* as_text() const
    {
        return kind == Kind::text ? &text : nullptr;
    }
    [[nodiscard]] const std::vector<ConfigValue>* as_list() const
    {
        return kind == Kind::list ? &list : nullptr;
    }
    [[nodiscard]] const std::vector<ConfigEntry>* as_table() const
    {
        return kind == Kind::table ? &table : nullptr;
    }
};

struct ConfigEntry {
    std::string name;
    ConfigValue value;
};

using ConfigTable = std::vector<ConfigEntry>;
using ConfigList = std::vector<ConfigValue>;

[[nodiscard]] inline ConfigValue config_value(bool truth)
{
    ConfigValue made;
    made.kind = ConfigValue::Kind::boolean;
    made.truth = truth;
    return made;
}

[[nodiscard]] inline ConfigValue config_value(std::int64_t number)
{
    ConfigValue made;
    made.kind = ConfigValue::Kind::integer;
    made.number = number;
    return made;
}

[[nodiscard]] inline ConfigValue config_value(std::string text)
{
    ConfigValue made;
    made.kind = ConfigValue::Kind::text;
    made.text = std::move(text);
    return made;
}

[[nodiscard]] inline ConfigValue config_value(ConfigList list)
{
    ConfigValue made;
    made.kind = ConfigValue::Kind::list;
    made.list = std::move(list);
    return made;
}

[[nodiscard]] inline ConfigValue config_value(ConfigTable table)
{
    ConfigValue made;
    made.kind = ConfigValue::Kind::table;
    made.table = std::move(table);
    return made;
}

[[nodiscard]] inline ConfigValue unused_value(std::string name)
{
    ConfigValue made;
    made.text = std::move(name);
    return made;
}

// As a person would name it in a sentence: "a text", "an integer" …
[[nodiscard]] std::string kind_of(const ConfigValue& value);

}  // namespace entente::daemon
