#include <array>
#include <string>
#include <utility>

#include "api/system.hpp"
#include "api/wire.hpp"

namespace entente::api {
namespace {

net::asio::awaitable<net::Response> answer(net::Response response)
{
    response.fields.emplace_back("Cache-Control", "no-store");
    co_return response;
}

net::Response readiness(const std::function<Result<void>()>& ready, protocol::Millis now)
{
    auto verdict = ready();
    if (verdict) return json_response(200, R"({"status":"ready"})");
    return net::problem_response(verdict.error(), now);
}

net::Response scrape(const Metrics& metrics)
{
    auto response = json_response(200, metrics.text());
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return response;
}

}  // namespace

void add_health_routes(net::Router& router, std::function<Result<void>()> ready,
                       const protocol::Clock& clock)
{
    router.add({"GET", "/health", 0, [](const net::Request&) {
                    return answer(json_response(200, R"({"status":"ok"})"));
                }});
    router.add({"GET", "/ready", 0, [ready = std::move(ready), &clock](const net::Request&) {
                    return answer(readiness(ready, clock.now_ms()));
                }});
}

void add_metrics_route(net::Router& router, Metrics& metrics)
{
    router.add({"GET", "/metrics", 0,
                [&metrics](const net::Request&) { return answer(scrape(metrics)); }});
}

std::function<void(const net::RequestDone&)> request_observer(Metrics& metrics,
                                                              const std::string& listener)
{
    std::array<Counter*, 5> by_class{};
    for (std::size_t i = 0; i < by_class.size(); ++i) {
        const auto labels =
            "listener=\"" + listener + "\",class=\"" + std::to_string(i + 1) + "xx\"";
        by_class[i] = &metrics.counter("entente_http_requests_total",
                                       "HTTP requests answered, by class of status.", labels);
    }
    auto* seconds =
        &metrics.histogram("entente_http_request_seconds", "Time from a request to its answer.",
                           "listener=\"" + listener + "\"");
    return [by_class, seconds](const net::RequestDone& done) {
        const auto index = static_cast<std::size_t>(done.response.status / 100 - 1);
        if (index < by_class.size()) by_class[index]->add();
        seconds->observe(static_cast<double>(done.duration.count()) / 1e6);
    };
}

}  // namespace entente::api
