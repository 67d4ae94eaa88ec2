// settings: what can be changed while ententd runs.
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/text.hpp"
#include "daemon/ctl/verbs.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

struct SettingOptions {
    std::string key, value;
};

std::string value_text(const json& value)
{
    if (value.is_null()) return "";
    return harmless(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string origin_text(const json& setting)
{
    if (!setting.contains("by")) return "the configuration, or its default";
    auto text = "set by " + harmless(setting.value("by", "")) + ", " +
                time_text(setting.value("at", std::int64_t{0}));
    if (!setting.value("valid", true))
        text += "; not valid, and without effect: " + value_text(setting.at("set"));
    return text;
}

void print_settings(const json& shown)
{
    std::vector<Row> rows{{"KEY", "VALUE", "DEFAULT", "FROM"}};
    for (const auto& setting : shown.at("settings"))
        rows.push_back({setting.value("key", ""), value_text(setting.at("value")),
                        value_text(setting.at("default")), origin_text(setting)});
    print_table(std::cout, rows);
}

int ask(const Settings& settings, const std::string& method, const std::string& target)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto shown = method == "GET" ? daemon->get(target) : daemon->post(target);
    if (!shown) return failed(shown.error(), exit_code_of(shown.error()));
    if (settings.json) return show_json(*shown);
    print_settings(*shown);
    return exit_done;
}

CLI::App& add_key(CLI::App& verb, SettingOptions& options)
{
    verb.add_option("KEY", options.key, "As settings show names it")->required();
    return verb;
}

}  // namespace

void add_setting_verbs(Verbs& verbs)
{
    auto& group = verbs.group("settings", "What can be changed while ententd runs");
    verbs.add(
        group, "show", "All of them, and where each comes from",
        [](const Settings& settings) { return ask(settings, "GET", "/control/v1/settings"); });
    const auto set = std::make_shared<SettingOptions>();
    add_key(verbs.add(group, "set", "Holds at once, and goes before the configuration",
                      [set](const Settings& settings) {
                          return ask(settings, "POST",
                                     "/control/v1/settings/" + query_text(set->key) +
                                         "?value=" + query_text(set->value));
                      }),
            *set)
        .add_option("VALUE", set->value, "Its new value")
        ->required();
    const auto unset = std::make_shared<SettingOptions>();
    add_key(verbs.add(group, "unset", "Back to what the configuration says, or its default",
                      [unset](const Settings& settings) {
                          return ask(settings, "POST",
                                     "/control/v1/settings/" + query_text(unset->key));
                      }),
            *unset);
}

}  // namespace entente::daemon::ctl
