#include "daemon/config_changes.hpp"

#include <algorithm>

namespace entente::daemon {

namespace {

// Length first: no text can look like the end of another.
std::string measured(const std::string& text)
{
    return std::to_string(text.size()) + ":" + text;
}

}  // namespace

std::string rendered(const ConfigValue& value)
{
    switch (value.kind) {
        case ConfigValue::Kind::boolean: return value.truth ? "true" : "false";
        case ConfigValue::Kind::integer: return std::to_string(value.number);
        case ConfigValue::Kind::text: return measured(value.text);
        case ConfigValue::Kind::unused: return "?" + value.text;
        case ConfigValue::Kind::list: {
            std::string text = "[";
            for (const auto& element : value.list) text += rendered(element) + ",";
            return text + "]";
        }
        case ConfigValue::Kind::table: break;
    }
    std::vector<std::string> entries;
    for (const auto& entry : value.table)
        entries.push_back(measured(entry.name) + "=" + rendered(entry.value));
    std::sort(entries.begin(), entries.end());
    std::string text = "{";
    for (const auto& entry : entries) text += entry + ",";
    return text + "}";
}

std::vector<std::string> changed_keys(const Config& running, const Config& read)
{
    std::vector<std::string> changed;
    const auto gather = [&changed](const Config& of, const Config& beside) {
        for (const auto& [key, value] : of.written) {
            const auto other = beside.written.find(key);
            if (other == beside.written.end() || other->second != value) changed.push_back(key);
        }
    };
    gather(running, read);
    gather(read, running);
    std::sort(changed.begin(), changed.end());
    changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
    return changed;
}

}  // namespace entente::daemon
