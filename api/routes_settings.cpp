// /config, for anybody, and /admin/settings: what of this server can be changed while it runs.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/api.hpp"
#include "api/asking.hpp"
#include "api/json_body.hpp"
#include "api/settings.hpp"
#include "api/wire.hpp"
#include "protocol/json_rules.hpp"

namespace entente::api {
namespace {

using nlohmann::json;
using protocol::json_string;
using RouteResult = asio::awaitable<Result<net::Response>>;

constexpr std::size_t max_settings_body = 16 * 1024;
constexpr const char* config_caching = "public, max-age=60";

// RFC 9110 13.1.2: a list of tags, weak ones included, or any.
bool is_known(std::string_view tags, const std::string& etag)
{
    return tags == "*" || tags.find(etag) != std::string_view::npos;
}

// From memory, and so uncharged, as /health.
asio::awaitable<net::Response> config(const Api& api, const net::Request& request)
{
    const auto& shown = api.settings().config();
    const bool has_it = is_known(request.field("if-none-match").value_or(""), shown.etag);
    auto response = json_response(has_it ? 304 : 200, has_it ? std::string() : shown.body);
    response.fields.emplace_back("ETag", shown.etag);
    response.fields.emplace_back("Cache-Control", config_caching);
    co_return response;
}

std::string setting_json(const ShownSetting& setting)
{
    std::string out = R"({"key":)" + json_string(setting.key) + R"(,"value":)" + setting.value;
    out += R"(,"default":)" + setting.fallback;
    if (setting.row) {
        out += R"(,"set":)" + setting.row->value + R"(,"by":)" + json_string(setting.row->by);
        out += R"(,"at":")" + time_text(setting.row->at) + '"';
        if (!setting.is_valid) out += R"(,"valid":false)";
    }
    return out + "}";
}

net::Response settings_response(const Api& api)
{
    const auto shown = api.settings().show();
    std::string items = "[";
    for (const auto& setting : shown.settings) append_item(items, setting_json(setting));
    auto response = json_response(
        200, R"({"version":)" + std::to_string(shown.version) + R"(,"settings":)" + items + "]}");
    response.fields.emplace_back("Cache-Control", "no-store");
    return response;
}

RouteResult show(Api& api, Caller caller, const net::Request&)
{
    auto allowed = ask_policies(
        api, caller, {trust::policy::Action::settings_read, trust::policy::ResourceKind::setting});
    if (!allowed) co_return fail(allowed);
    co_return settings_response(api);
}

struct Wanted {
    SettingChanges changes;
    std::optional<std::int64_t> version;
};

Result<Wanted> read_changes(const net::Request& request)
{
    auto body = parse_body(request);
    if (!body) return fail(body);
    Members members{*body, ""};
    Wanted wanted;
    if (body->contains("version"))
        wanted.version = members.integer_or("version", 0, 0, protocol::max_json_integer);
    const auto* settings = members.object("settings");
    if (members.error()) return protocol::Failure{*members.error()};
    if (!settings->is_object()) return refuse(Code::malformed, "/settings: an object is needed");
    for (const auto& [key, value] : settings->items())
        wanted.changes.emplace(
            key, value.is_null() ? std::nullopt : std::optional<std::string>(value.dump()));
    return wanted;
}

RouteResult change_settings(Api& api, Caller caller, const net::Request& request)
{
    auto wanted = read_changes(request);
    if (!wanted) co_return fail(wanted);
    auto changed = co_await api.settings().change(administrator_of(caller),
                                                  std::move(wanted->changes), wanted->version);
    if (!changed) co_return fail(changed);
    co_return settings_response(api);
}

}  // namespace

void add_settings_routes(net::Router& router, Api& api)
{
    router.add({"GET", "/api/v1/config", 0,
                [&api](const net::Request& request) { return config(api, request); }});
    router.add({"GET", "/api/v1/admin/settings", 0, caller_route(api, show)});
    router.add(
        {"PATCH", "/api/v1/admin/settings", max_settings_body, caller_route(api, change_settings)});
}

}  // namespace entente::api
