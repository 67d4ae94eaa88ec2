#include "api/api.hpp"

#include <chrono>
#include <utility>

#include "api/intake.hpp"
#include "net/ascii.hpp"
#include "net/source_key.hpp"
#include "protocol/problem.hpp"

namespace entente::api {
namespace {

constexpr std::size_t max_rate_keys = 100'000;
constexpr std::chrono::minutes sweep_pause{10};
constexpr std::chrono::seconds sample_pause{10};  // a commit, where anything was sampled

void tell_unswept(protocol::Log& log, const Error& error)
{
    protocol::log_warning(log, "api", "old sessions or reports were not swept",
                          {{"error", error.detail}});
}

// Ends with the task group. What fails is tried again at the next turn.
asio::awaitable<void> sweep_old(Api& api)
{
    while (co_await net::sleep_for(sweep_pause)) {
        auto swept = co_await api.sessions().sweep();
        if (!swept) tell_unswept(api.parts().log, swept.error());
        auto dropped = co_await api.reports().sweep();
        if (!dropped) tell_unswept(api.parts().log, dropped.error());
    }
}

// Ends with the task group. What can't be written is dropped: it is a sample.
asio::awaitable<void> keep_sample(Api& api)
{
    while (co_await net::sleep_for(sample_pause)) {
        auto kept = co_await api.policies().keep_sample();
        if (!kept)
            protocol::log_warning(api.parts().log, "api", "sampled decisions were not kept",
                                  {{"error", kept.error().detail}});
    }
}

// What is compressed or otherwise encoded would be read as if it were plain.
Result<void> check_encoding(const net::Request& request)
{
    for (const auto& [name, value] : request.fields) {
        if (name == "content-encoding" && !value.empty() && net::lower_case(value) != "identity")
            return refuse(Code::unsupported, "bodies are sent without a Content-Encoding");
    }
    return {};
}

asio::awaitable<Result<net::Response>> run_open(Api& api, OpenRoute route,
                                                const net::Request& request)
{
    auto within = api.address_rates().take(net::source_key(request.source), api.now());
    if (!within) co_return fail(within);
    auto plain = check_encoding(request);
    if (!plain) co_return fail(plain);
    co_return co_await route(api, request);
}

// A stranger's bad tokens use up his address's budget; a good one costs it nothing, so
// that a crowd behind one address isn't taken for an attack.
asio::awaitable<Result<net::Response>> run_caller(Api& api, CallerRoute route,
                                                  const net::Request& request)
{
    const auto address = net::source_key(request.source);
    auto within = api.address_rates().check(address, api.now());
    if (!within) co_return fail(within);
    const auto authorization = request.field("authorization").value_or("");
    auto caller = co_await api.sessions().authenticate(authorization);
    if (!caller) {
        if (caller.error().code == Code::unauthenticated) {
            auto charged = api.address_rates().take(address, api.now());
            if (!charged) co_return fail(charged);
        }
        co_return fail(caller);
    }
    auto allowed = api.user_rates().take(caller->user.str(), api.now());
    if (!allowed) co_return fail(allowed);
    auto plain = check_encoding(request);
    if (!plain) co_return fail(plain);
    caller->network = address;
    co_return co_await route(api, std::move(*caller), request);
}

asio::awaitable<net::Response> answer_open(Api& api, OpenRoute route, const net::Request& request)
{
    auto response = co_await run_open(api, route, request);
    if (!response) co_return refusal(api, request, response.error());
    co_return std::move(*response);
}

asio::awaitable<net::Response> answer_caller(Api& api, CallerRoute route,
                                             const net::Request& request)
{
    auto response = co_await run_caller(api, route, request);
    if (!response) co_return refusal(api, request, response.error());
    co_return std::move(*response);
}

}  // namespace

Api::Api(ApiParts parts, ApiOptions options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      sessions_(parts_.commit, parts_.clock, parts_.random, options_.server),
      passwords_(parts_.io),
      administration_({parts_.commit, sessions_, passwords_, parts_.people, parts_.policies,
                       parts_.clock, parts_.random, options_.server}),
      hub_(parts_.channels, parts_.people),
      post_room_(api::post_room),
      address_rates_(options_.address, max_rate_keys),
      user_rates_(options_.user, max_rate_keys),
      people_rates_(options_.people, max_rate_keys),
      channel_counts_(options_.channels_a_day),
      report_counts_(options_.reports_a_day),
      reports_({parts_.commit, parts_.report_passing, parts_.upheld_reports, parts_.policies,
                parts_.clock, options_.server, options_.names}),
      policies_({parts_.commit, parts_.policies, parts_.clock, parts_.log, options_.server}),
      trust_({parts_.commit, parts_.policies, parts_.tiers, parts_.conduct, parts_.peering,
              parts_.in_conflict, parts_.clock, options_.server, options_.names,
              options_.federates}),
      settings_({parts_.commit, parts_.policies, parts_.clock, parts_.log, options_.server,
                 default_settings(),
                 [this](const SettingValues& values) { take_settings(values); }})
{
    sessions_.on_ended([this](const protocol::Uuid& session) { hub_.end_session(session); });
    parts_.channels.listen(hub_);
    parts_.people.listen(hub_);
}

SettingValues Api::default_settings() const
{
    SettingValues values;
    values.registration = options_.registration;
    values.contact = options_.contact;
    values.requests_per_user = static_cast<std::int64_t>(options_.user.per_second);
    values.channels_a_day = options_.channels_a_day;
    values.reports_a_day = options_.reports_a_day;
    values.media_bytes = static_cast<std::int64_t>(parts_.media.max_octets());
    values.media_bytes_a_day = parts_.media.octets_a_day();
    return values;
}

void Api::take_settings(const SettingValues& values)
{
    const auto usual = static_cast<std::int64_t>(options_.user.per_second);
    const auto per_user = static_cast<double>(values.requests_per_user);
    user_rates_.set(values.requests_per_user == usual ? options_.user : Rate{per_user, per_user});
    channel_counts_.set(values.channels_a_day);
    report_counts_.set(values.reports_a_day);
    parts_.media.limit_uploads(static_cast<std::size_t>(values.media_bytes),
                               values.media_bytes_a_day);
}

asio::awaitable<Result<void>> Api::start()
{
    auto started = co_await sessions_.start();
    if (!started) co_return fail(started);
    auto set = co_await settings_.start();
    if (!set) co_return fail(set);
    auto policies = co_await policies_.start();
    if (!policies) co_return fail(policies);
    parts_.tasks.spawn(sweep_old(*this));
    parts_.tasks.spawn(keep_sample(*this));
    co_return Result<void>{};
}

void Api::add_routes(net::Router& router)
{
    add_admin_audit_routes(router, *this);
    add_admin_policy_routes(router, *this);
    add_admin_trust_routes(router, *this);
    add_admin_user_routes(router, *this);
    add_auth_routes(router, *this);
    add_channel_routes(router, *this);
    add_directory_routes(router, *this);
    add_moderation_routes(router, *this);
    add_move_routes(router, *this);
    add_device_routes(router, *this);
    add_user_routes(router, *this);
    add_media_routes(router, *this);
    add_report_routes(router, *this);
    add_settings_routes(router, *this);
    add_request_routes(router, *this);
    add_message_routes(router, *this);
    add_realtime_routes(router, *this);
}

net::Handler open_route(Api& api, OpenRoute route)
{
    return [&api, route](const net::Request& request) { return answer_open(api, route, request); };
}

net::Handler caller_route(Api& api, CallerRoute route)
{
    return
        [&api, route](const net::Request& request) { return answer_caller(api, route, request); };
}

net::Response refusal(Api& api, const net::Request& request, const Error& error)
{
    if (error.code == Code::internal)
        protocol::log_error(api.parts().log, "api", "a request failed through our own fault",
                            {{"request", request.id}, {"error", error.detail}});
    auto response = net::problem_response(error, api.now());
    if (error.code == Code::unauthenticated)
        response.fields.emplace_back("WWW-Authenticate", "Bearer");
    return response;
}

}  // namespace entente::api
