#include "daemon/config_environment.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

extern char** environ;

namespace entente::daemon {

namespace {

std::vector<std::string> divide_by_commas(const std::string& text)
{
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (begin < text.size()) {
        const auto end = std::min(text.find(',', begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

}  // namespace

std::string environment_name(std::string_view section, std::string_view key)
{
    auto name = std::string(environment_prefix) + std::string(section) + "_" + std::string(key);
    std::replace(name.begin(), name.end(), '.', '_');
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    });
    return name;
}

ConfigValue value_from_environment(KeyKind kind, const std::string& text)
{
    if (kind == KeyKind::boolean && (text == "true" || text == "false")) {
        return config_value(text == "true");
    }
    if (kind == KeyKind::integer) {
        std::int64_t number = 0;
        const char* const end = text.data() + text.size();
        const auto [at, error] = std::from_chars(text.data(), end, number);
        if (error == std::errc{} && at == end) return config_value(number);
    }
    if (kind == KeyKind::list) {
        ConfigList list;
        for (auto& part : divide_by_commas(text)) list.push_back(config_value(std::move(part)));
        return config_value(std::move(list));
    }
    if (kind == KeyKind::table) {
        ConfigTable table;
        for (const auto& part : divide_by_commas(text)) {
            const auto equals = std::min(part.find('='), part.size());
            const auto value = equals < part.size() ? part.substr(equals + 1) : std::string();
            table.push_back({part.substr(0, equals), config_value(value)});
        }
        return config_value(std::move(table));
    }
    return config_value(text);
}

Environment process_environment()
{
    Environment found;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        if (!text.starts_with(environment_prefix) && text.substr(0, equals) != credentials_variable)
            continue;
        found.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace entente::daemon
