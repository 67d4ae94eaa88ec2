#include "daemon/config_toml.hpp"

#include <string>

// No exceptions out of the parser; header-only, so that our settings are the ones it has.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace entente::daemon {

namespace {

constexpr int max_depth = 8;

ConfigValue convert(const toml::node& node, int depth);

ConfigTable convert_table(const toml::table& table, int depth)
{
    ConfigTable entries;
    for (const auto& [key, node] : table) {
        auto value = convert(node, depth + 1);
        // A table's own place may be that of its first member: the key's is what to show.
        if (key.source().begin.line != 0) value.line = static_cast<int>(key.source().begin.line);
        entries.push_back({std::string(key.str()), std::move(value)});
    }
    return entries;
}

ConfigList convert_array(const toml::array& array, int depth)
{
    ConfigList list;
    for (const auto& node : array) list.push_back(convert(node, depth + 1));
    return list;
}

ConfigValue convert_any(const toml::node& node, int depth)
{
    if (depth > max_depth) return unused_value("nested too deeply");
    if (const auto* table = node.as_table()) return config_value(convert_table(*table, depth));
    if (const auto* array = node.as_array()) return config_value(convert_array(*array, depth));
    if (const auto* text = node.as_string()) return config_value(text->get());
    if (const auto* integer = node.as_integer()) return config_value(integer->get());
    if (const auto* boolean = node.as_boolean()) return config_value(boolean->get());
    return unused_value(node.is_floating_point() ? "a fraction" : "a date or time");
}

ConfigValue convert(const toml::node& node, int depth)
{
    auto value = convert_any(node, depth);
    value.line = static_cast<int>(node.source().begin.line);
    return value;
}

}  // namespace

tl::expected<ConfigTable, Complaint> read_toml(std::string_view text)
{
    const auto parsed = toml::parse(text);
    if (!parsed) {
        const auto& error = parsed.error();
        return tl::unexpected(
            Complaint{static_cast<int>(error.source().begin.line),
                      "isn't TOML: " + std::string(error.description()) + "; correct the line"});
    }
    return convert_table(parsed.table(), 0);
}

}  // namespace entente::daemon
