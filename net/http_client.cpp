#include "net/http_client.hpp"

#include <deque>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "net/http_exchange.hpp"
#include "net/resolver.hpp"
#include "net/tls_stream.hpp"

namespace entente::net {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using tcp = asio::ip::tcp;
using Endpoints = std::vector<tcp::endpoint>;

milliseconds time_until(steady_clock::time_point deadline)
{
    return std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
}

std::string name_of(const Fetch& fetch)
{
    return fetch.host + ":" + std::to_string(fetch.port);
}

std::string name_of(const tcp::endpoint& endpoint)
{
    return endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
}

// Says which fetch it was, for our log.
Error located(Error error, const Fetch& fetch)
{
    error.detail = fetch.method + " https://" + name_of(fetch) + ": " + error.detail;
    return error;
}

// The host's own entry, else that of the nearest domain above it.
const tcp::endpoint* endpoint_given_for(const std::string& host,
                                        const std::map<std::string, tcp::endpoint>& resolve)
{
    if (const auto own = resolve.find(host); own != resolve.end()) return &own->second;
    for (auto dot = host.find('.'); dot != std::string::npos; dot = host.find('.', dot + 1)) {
        const auto above = resolve.find("*" + host.substr(dot));
        if (above != resolve.end()) return &above->second;
    }
    return nullptr;
}

}  // namespace

struct HttpClient::State : std::enable_shared_from_this<HttpClient::State> {
    State(asio::any_io_executor on, ClientOptions with)
        : executor(std::move(on)),
          options(std::move(with)),
          context(make_client_context(options.ca_file)),
          idle_timer(executor)
    {
    }

    struct Idle {
        TlsConnectionPtr connection;
        steady_clock::time_point until;
    };

    asio::any_io_executor executor;
    ClientOptions options;
    Result<SslContext> context;
    std::map<std::string, std::deque<Idle>> idle;  // by host:port; the newest last
    std::size_t idle_count = 0;
    std::size_t under_way = 0;
    protocol::SharedRoom answer_room{options.answers};
    asio::steady_timer idle_timer;
    bool idle_timer_armed = false;

    // A connection on which the peer has neither closed nor said anything; looked at right
    // before use, since a request that is signed must not be sent a second time.
    TlsConnectionPtr take_idle(const std::string& origin);
    void keep(const std::string& origin, TlsConnectionPtr connection);
    void expire_idle();
    void arm_idle_timer();

    asio::awaitable<Result<Endpoints>> find_endpoints(const Fetch& fetch,
                                                      steady_clock::time_point deadline);
    asio::awaitable<Result<TlsConnectionPtr>> open(const Fetch& fetch,
                                                   steady_clock::time_point deadline);
    asio::awaitable<Result<TlsConnectionPtr>> open_one(std::string host, tcp::endpoint endpoint,
                                                       steady_clock::time_point deadline);
    asio::awaitable<Result<FetchedResponse>> run(const Fetch& fetch);
};

TlsConnectionPtr HttpClient::State::take_idle(const std::string& origin)
{
    const auto found = idle.find(origin);
    if (found == idle.end()) return nullptr;
    TlsConnectionPtr taken;
    auto& waiting = found->second;
    while (!waiting.empty() && !taken) {
        auto newest = std::move(waiting.back());
        waiting.pop_back();
        --idle_count;
        if (newest.until > steady_clock::now() && newest.connection->is_quiet()) {
            taken = std::move(newest.connection);
        }
    }
    if (waiting.empty()) idle.erase(found);
    return taken;
}

void HttpClient::State::keep(const std::string& origin, TlsConnectionPtr connection)
{
    if (options.idle_connections_per_origin == 0) return;
    connection->no_deadline();
    if (idle_count >= options.idle_connections) expire_idle();
    if (idle_count >= options.idle_connections) return;
    auto& waiting = idle[origin];
    ++idle_count;
    if (waiting.size() >= options.idle_connections_per_origin) {
        waiting.pop_front();
        --idle_count;
    }
    Idle entry;
    entry.connection = std::move(connection);
    entry.until = steady_clock::now() + options.idle_time;
    waiting.push_back(std::move(entry));
    arm_idle_timer();
}

void HttpClient::State::expire_idle()
{
    const auto now = steady_clock::now();
    for (auto origin = idle.begin(); origin != idle.end();) {
        idle_count -= std::erase_if(origin->second, [&](const Idle& entry) {
            return entry.until <= now || !entry.connection->is_quiet();
        });
        origin = origin->second.empty() ? idle.erase(origin) : std::next(origin);
    }
}

void HttpClient::State::arm_idle_timer()
{
    if (idle_timer_armed || idle.empty()) return;
    idle_timer_armed = true;
    idle_timer.expires_after(options.idle_time);
    idle_timer.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        const auto self = weak.lock();
        if (!self) return;
        self->idle_timer_armed = false;
        if (error) return;
        self->expire_idle();
        self->arm_idle_timer();
    });
}

asio::awaitable<Result<Endpoints>> HttpClient::State::find_endpoints(
    const Fetch& fetch, steady_clock::time_point deadline)
{
    Endpoints endpoints;
    const auto* given = endpoint_given_for(fetch.host, options.resolve);
    if (given != nullptr) {
        endpoints.push_back(*given);
    } else {
        auto addresses = co_await resolve_host(fetch.host, options.dns_servers, deadline);
        if (!addresses) co_return fail(addresses);
        for (const auto& address : *addresses) endpoints.emplace_back(address, fetch.port);
    }
    // All answers: one that is forbidden among others is an attempt to get there [DISC-3].
    for (const auto& endpoint : endpoints) {
        if (!options.guard.allows(endpoint.address())) {
            co_return fail(Code::forbidden, "address not allowed: " + name_of(endpoint));
        }
    }
    co_return endpoints;
}

asio::awaitable<Result<TlsConnectionPtr>> HttpClient::State::open_one(
    std::string host, tcp::endpoint endpoint, steady_clock::time_point deadline)
{
    tcp::socket socket(executor);
    auto core = std::make_shared<SocketCore>(std::move(socket));
    core->deadline_at(deadline);
    auto connected = co_await core->connect(endpoint);
    if (!connected) {
        core->close();
        co_return fail(connected);
    }
    // The address connected to, not the one that was meant.
    if (!options.guard.allows(core->remote().address())) {
        core->close();
        co_return fail(Code::forbidden, "address not allowed: " + name_of(core->remote()));
    }
    co_return co_await connect_tls(std::move(core), *context, std::move(host));
}

asio::awaitable<Result<TlsConnectionPtr>> HttpClient::State::open(const Fetch& fetch,
                                                                  steady_clock::time_point deadline)
{
    auto endpoints = co_await find_endpoints(fetch, deadline);
    if (!endpoints) co_return fail(endpoints);
    Error last{Code::unavailable, "no address", {}, 0};
    auto left = static_cast<int>(endpoints->size());
    for (const auto& endpoint : *endpoints) {
        // An address that doesn't answer must leave time for the others.
        const auto share = (deadline - steady_clock::now()) / left--;
        auto opened = co_await open_one(fetch.host, endpoint, steady_clock::now() + share);
        if (opened) co_return opened;
        last = std::move(opened).error();
        last.detail = name_of(endpoint) + ": " + last.detail;
    }
    co_return tl::unexpected<Error>(std::move(last));
}

asio::awaitable<Result<FetchedResponse>> HttpClient::State::run(const Fetch& fetch)
{
    const auto deadline = steady_clock::now() + fetch.time;
    const auto origin = name_of(fetch);
    bool may_retry = fetch.method == "GET" || fetch.method == "HEAD";
    while (true) {
        auto connection = take_idle(origin);
        const bool reused = connection != nullptr;
        if (!reused) {
            auto opened = co_await open(fetch, deadline);
            if (!opened) co_return fail(opened);
            connection = std::move(*opened);
        }
        connection->deadline_after(time_until(deadline));
        auto done = co_await exchange(*connection, fetch, &answer_room);
        if (done) {
            if (done->reusable) keep(origin, std::move(connection));
            co_return std::move(done->response);
        }
        const auto& failure = done.error();
        // The peer closed in the moment we sent. Once, and never for a POST: if it was
        // read after all, its nonce is spent.
        if (!reused || !may_retry || failure.answer_begun || !failure.cut_off) {
            co_return tl::unexpected<Error>(failure.error);
        }
        may_retry = false;
    }
}

HttpClient::HttpClient(asio::any_io_executor executor, ClientOptions options)
    : state_(std::make_shared<State>(std::move(executor), std::move(options)))
{
    ignore_broken_pipes();
}

HttpClient::~HttpClient()
{
    state_->idle_timer.cancel();
    close_idle();
}

asio::awaitable<Result<FetchedResponse>> HttpClient::fetch(Fetch fetch)
{
    const auto state = state_;
    if (!state->context) {
        co_return tl::unexpected<Error>(
            Error{Code::unavailable, state->context.error().detail, {}, 0});
    }
    auto checked = check_fetch(fetch);
    if (!checked) co_return tl::unexpected<Error>(located(std::move(checked).error(), fetch));
    struct UnderWay {
        std::size_t& count;
        explicit UnderWay(std::size_t& counted) : count(++counted) {}
        ~UnderWay() { --count; }
    };
    if (state->under_way >= state->options.requests_under_way) {
        // A limit of ours says nothing of the server: soon there is room.
        Error full{Code::unavailable, "too many requests under way", {}, 1};
        co_return tl::unexpected<Error>(located(std::move(full), fetch));
    }
    const UnderWay counted(state->under_way);
    auto response = co_await state->run(fetch);
    if (!response) co_return tl::unexpected<Error>(located(std::move(response).error(), fetch));
    co_return response;
}

void HttpClient::close_idle()
{
    state_->idle.clear();
    state_->idle_count = 0;
}

}  // namespace entente::net
