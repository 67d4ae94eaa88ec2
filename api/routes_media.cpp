// /media: files by id, this server's and others'.
#include <utility>

#include "api/api.hpp"
#include "api/asking.hpp"
#include "api/json_body.hpp"
#include "api/wire.hpp"
#include "federation/people/media.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/octets.hpp"

namespace entente::api {
namespace {

using RouteResult = asio::awaitable<Result<net::Response>>;

RouteResult upload_media(Api& api, Caller caller, const net::Request& request)
{
    if (request.body.empty()) co_return refuse(Code::malformed, "an empty file");
    const auto octets = request.body.size();
    auto allowed = ask_policies(api, caller,
                                {trust::policy::Action::media_upload,
                                 trust::policy::ResourceKind::file,
                                 {},
                                 {},
                                 static_cast<std::int64_t>(octets)});
    if (!allowed) co_return fail(allowed);
    auto id = co_await api.media().keep(caller.user, request.body);
    if (!id) co_return fail(id);
    co_return json_response(201, R"({"id":")" + *id + R"(","server":)" +
                                     protocol::json_string(api.options().server.str()) +
                                     R"(,"octets":)" + std::to_string(octets) + "}");
}

// Whether a client shows the file by itself, or its user has asked for it.
Result<federation::Wanted> read_wanted(const net::Request& request)
{
    const auto shown = request.parameter("shown");
    if (!shown || *shown == "0") return federation::Wanted::asked;
    if (*shown == "1") return federation::Wanted::shown;
    return refuse(Code::malformed, "shown: 0 or 1");
}

RouteResult download(Api& api, Caller caller, const net::Request& request)
{
    auto server = protocol::parse_server_name(request.captures.at(0), api.options().names);
    if (!server) co_return refuse(Code::not_found, "no such file");
    const auto& id = request.captures.at(1);
    auto wanted = read_wanted(request);
    if (!wanted) co_return fail(wanted);
    if (*server != api.options().server) {
        auto allowed = api.people_rates().take(caller.user.str(), api.now());
        if (!allowed) co_return fail(allowed);
    }
    auto file = co_await api.media().find(caller.user.str(), std::move(*server), id, *wanted);
    if (!file) co_return fail(file);
    auto response = federation::media_response(std::move(*file));
    // What an id names never changes.
    response.fields.emplace_back("Cache-Control", "private, max-age=31536000, immutable");
    response.fields.emplace_back(
        "Content-Digest",
        "sha-256=:" + protocol::to_base64(protocol::as_view(protocol::sha256(response.body))) +
            ":");
    co_return response;
}

}  // namespace

void add_media_routes(net::Router& router, Api& api)
{
    router.add(
        {"POST", "/api/v1/media", api.media().max_octets(), caller_route(api, upload_media)});
    router.add({"GET", "/api/v1/media/{server}/{id}", 0, caller_route(api, download)});
}

}  // namespace entente::api
