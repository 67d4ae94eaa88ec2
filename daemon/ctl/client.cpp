#include "daemon/ctl/client.hpp"

#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/verbs.hpp"
#include "net/http_exchange.hpp"
#include "net/unix_socket.hpp"
#include "protocol/problem.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

using Exchanged = tl::expected<net::Exchange, net::ExchangeFailure>;

// A proof of 16 MiB, and something to spare.
constexpr std::size_t most_octets = 33'554'432;

Error unasked(std::string detail)
{
    return Error{Code::unavailable, std::move(detail), {}, 0};
}

Result<json> parsed(Result<std::string> text)
{
    if (!text) return fail(std::move(text));
    auto found = json::parse(*text, nullptr, false);
    if (!found.is_object())
        return tl::unexpected(unasked("ententd's answer can't be read: is it another version?"));
    return found;
}

}  // namespace

struct Daemon::State {
    explicit State(std::string at) : path(std::move(at)) {}

    std::string path;
    boost::asio::io_context io{1};
    net::ConnectionPtr connection;

    Result<void> open();
    Exchanged exchange(const net::Fetch& fetch);
};

Result<void> Daemon::State::open()
{
    auto opened = net::connect_unix(io.get_executor(), path);
    if (opened) {
        connection = std::move(*opened);
        return {};
    }
    switch (opened.error().code) {
        case Code::not_found:
            return tl::unexpected(
                unasked("nobody answers at " + path +
                        ": ententd isn't running, or the socket was removed while it ran; start "
                        "or restart it, or see whether --config names its configuration"));
        case Code::forbidden:
            return tl::unexpected(unasked(path + " is open to the daemon's own user and to root "
                                                 "only; run this as one of them"));
        default: return tl::unexpected(unasked(opened.error().detail));
    }
}

Exchanged Daemon::State::exchange(const net::Fetch& fetch)
{
    std::optional<Exchanged> outcome;
    connection->deadline_after(fetch.time);
    const auto done = [&outcome](const std::exception_ptr& thrown, Exchanged exchanged) {
        if (thrown) std::rethrow_exception(thrown);
        outcome.emplace(std::move(exchanged));
    };
    boost::asio::co_spawn(io, net::exchange(*connection, fetch), done);
    // Not until nothing is left to wait for: the connection's deadline is.
    io.restart();
    while (!outcome) io.run_one();
    return std::move(*outcome);
}

Daemon::Daemon(std::unique_ptr<State> state) : state_(std::move(state)) {}
Daemon::Daemon(Daemon&&) noexcept = default;
Daemon& Daemon::operator=(Daemon&&) noexcept = default;
Daemon::~Daemon() = default;

Result<Daemon> Daemon::connect(const Config& config)
{
    Daemon daemon(std::make_unique<State>(config.server.control));
    auto server = daemon.get("/control/v1/server");
    if (!server) return fail(std::move(server));
    const auto name = server->value("server", "");
    if (name == config.server.name.str()) return daemon;
    return tl::unexpected(unasked("what answers at " + config.server.control + " is " + name +
                                  " and not " + config.server.name.str()));
}

Result<std::string> Daemon::ask(const std::string& method, const std::string& target,
                                std::chrono::milliseconds time, std::string body)
{
    if (!state_->connection) {
        if (auto opened = state_->open(); !opened) return fail(opened);
    }
    net::Fetch fetch;
    fetch.method = method;
    fetch.host = "ententd";
    fetch.target = target;
    fetch.time = time;
    fetch.body = std::move(body);
    fetch.max_body = most_octets;
    auto exchanged = state_->exchange(fetch);
    if (!exchanged) {
        state_->connection.reset();
        const auto& failure = exchanged.error();
        if (failure.cut_off && !failure.answer_begun)
            return tl::unexpected(
                unasked("ententd closed the connection: it is stopping, busy, or "
                        "this is neither its own user nor root"));
        return tl::unexpected(unasked("ententd doesn't answer: " + failure.error.detail));
    }
    if (!exchanged->reusable) state_->connection.reset();
    auto& response = exchanged->response;
    if (response.status == 200) return std::move(response.body);
    auto problem = protocol::parse_problem(response.body);
    if (!problem) return tl::unexpected(unasked("status " + std::to_string(response.status)));
    if (problem->detail.empty()) problem->detail = protocol::code_name(problem->code);
    return tl::unexpected(std::move(*problem));
}

Result<json> Daemon::get(const std::string& target)
{
    return parsed(ask("GET", target, usual_time));
}

Result<json> Daemon::post(const std::string& target, std::chrono::milliseconds time)
{
    return parsed(ask("POST", target, time));
}

Result<json> Daemon::post_text(const std::string& target, std::string body)
{
    return parsed(ask("POST", target, usual_time, std::move(body)));
}

Result<std::string> Daemon::get_text(const std::string& target)
{
    return ask("GET", target, usual_time);
}

Result<json> Daemon::get_all(const std::string& target, const char* list, const char* key)
{
    json all;
    std::string after;
    for (bool more = true; more;) {
        auto page = get(target + "?limit=100&after=" + after);
        if (!page) return page;
        const auto found = page->find(list);
        if (found == page->end() || !found->is_array())
            return tl::unexpected(unasked("ententd's answer has no " + std::string(list)));
        more = page->value("more", false) && !found->empty();
        if (more) after = found->back().value(key, "");
        if (all.is_null()) {
            all = std::move(*page);
            all.erase("more");
        } else {
            for (auto& element : *found) all[list].push_back(std::move(element));
        }
    }
    return all;
}

int exit_code_of(const Error& error)
{
    return error.code == Code::unavailable || error.code == Code::timeout ? exit_unasked
                                                                          : exit_failed;
}

}  // namespace entente::daemon::ctl
