// /health, /ready and /metrics: for who runs the daemon, on whichever listener serves
// them. Without authentication; what they show is not about people.
#pragma once

#include <functional>

#include "api/metrics.hpp"
#include "net/http_server.hpp"
#include "net/router.hpp"
#include "protocol/clock.hpp"
#include "protocol/result.hpp"

namespace entente::api {

// `ready` says whether requests can be served: an error's hint is shown, its detail not.
void add_health_routes(net::Router& router, std::function<Result<void>()> ready,
                       const protocol::Clock& clock);
void add_metrics_route(net::Router& router, Metrics& metrics);

// Counts a finished request of a listener; give it to HttpServer::on_request_done.
[[nodiscard]] std::function<void(const net::RequestDone&)> request_observer(
    Metrics& metrics, const std::string& listener);

}  // namespace entente::api
