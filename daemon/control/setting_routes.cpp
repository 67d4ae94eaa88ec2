// What can be changed while the server runs, as the operator sees and changes it.
#include "api/settings.hpp"
#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"

namespace entente::daemon {

namespace {

using control::Json;

Json setting_json(const api::ShownSetting& setting)
{
    Json json{{"key", setting.key},
              {"value", Json::parse(setting.value)},
              {"default", Json::parse(setting.fallback)}};
    if (setting.row) {
        json["set"] = Json::parse(setting.row->value);
        json["by"] = setting.row->by;
        json["at"] = setting.row->at;
        if (!setting.is_valid) json["valid"] = false;
    }
    return json;
}

// What a shell has as a word, as the JSON that the setting takes.
std::string value_json(const std::string& key, const std::string& text)
{
    const auto* rule = api::find_setting(key);
    const bool is_number = rule != nullptr && rule->is_number;
    const auto parsed = is_number ? Json::parse(text, nullptr, false) : Json(text);
    // What is no number is refused with what would be one.
    return parsed.is_discarded() ? "null"
                                 : parsed.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void Control::add_setting_routes(net::Router& router)
{
    router.add({"GET", "/control/v1/settings", 0,
                [this](const net::Request& request) { return settings(request); }});
    router.add({"POST", "/control/v1/settings/{key}", 0,
                [this](const net::Request& request) { return change_setting(request); }});
}

net::Response Control::shown_settings() const
{
    const auto shown = parts_.settings.show();
    Json json{{"version", shown.version}, {"settings", Json::array()}};
    for (const auto& setting : shown.settings) json["settings"].push_back(setting_json(setting));
    return control::answer(json);
}

asio::awaitable<net::Response> Control::settings(const net::Request& /*request*/)
{
    co_return shown_settings();
}

// ?value=; without it the setting is unset.
asio::awaitable<net::Response> Control::change_setting(const net::Request& request)
{
    const auto& key = request.captures.at(0);
    api::SettingChanges changes;
    auto& value = changes[key];
    if (const auto text = request.parameter("value")) value = value_json(key, *text);
    api::Administrator by;
    auto changed = co_await parts_.settings.change(std::move(by), std::move(changes), std::nullopt);
    if (!changed) co_return control::refusal(changed.error(), parts_.clock.now_ms());
    co_return shown_settings();
}

}  // namespace entente::daemon
