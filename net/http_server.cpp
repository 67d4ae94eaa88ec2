#include "net/http_server.hpp"

#include <algorithm>
#include <list>
#include <map>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/this_coro.hpp>

#include "net/await.hpp"
#include "net/forwarded.hpp"
#include "net/http_session.hpp"
#include "net/plain_stream.hpp"
#include "net/proxy_protocol.hpp"
#include "net/tls_stream.hpp"
#include "net/websocket.hpp"

namespace entente::net {

namespace {

using tcp = asio::ip::tcp;

constexpr auto accept_pause = std::chrono::milliseconds(100);

asio::awaitable<Result<void>> read_exactly(SocketCore& core, char* data, std::size_t size)
{
    while (size > 0) {
        boost::system::error_code error;
        const auto count = core.socket().read_some(asio::buffer(data, size), error);
        data += count;
        size -= count;
        if (!error) continue;
        if (error != asio::error::would_block) {
            co_return fail(Code::unavailable, "read: " + error.message());
        }
        auto ready = co_await core.wait(tcp::socket::wait_read);
        if (!ready) co_return fail(ready);
    }
    co_return Result<void>();
}

// What a trusted peer says in front of the connection, if it speaks the PROXY protocol:
// one look at the first octet tells, since neither TLS nor HTTP starts with CR.
asio::awaitable<Result<std::optional<asio::ip::address>>> read_proxy_header(
    std::shared_ptr<SocketCore> core)
{
    char first = 0;
    while (true) {
        boost::system::error_code error;
        core->socket().receive(asio::buffer(&first, 1), tcp::socket::message_peek, error);
        if (!error) break;
        if (error != asio::error::would_block) co_return fail(Code::unavailable, error.message());
        auto ready = co_await core->wait(tcp::socket::wait_read);
        if (!ready) co_return fail(ready);
    }
    if (first != proxy_signature.front()) co_return std::optional<asio::ip::address>();

    std::string header(proxy_fixed_octets, '\0');
    auto fixed = co_await read_exactly(*core, header.data(), header.size());
    if (!fixed) co_return fail(fixed);
    const auto rest = proxy_rest_octets(header);
    if (!rest) co_return fail(rest);
    header.resize(proxy_fixed_octets + *rest);
    auto behind = co_await read_exactly(*core, header.data() + proxy_fixed_octets, *rest);
    if (!behind) co_return fail(behind);
    co_return parse_proxy_header(header);
}

std::string text_of(const tcp::endpoint& address)
{
    const auto host = address.address().to_string();
    return (address.address().is_v6() ? "[" + host + "]" : host) + ":" +
           std::to_string(address.port());
}

// For the operator: what stands in the way of a listener.
std::string remedy(const boost::system::error_code& error)
{
    if (error == asio::error::address_in_use)
        return "; stop the process that listens there (ss -ltnp names it) or set another address";
    if (error == asio::error::access_denied)
        return "; a port below 1024 is handed over by systemd (ententd.socket, listener.socket) or "
               "needs the capability CAP_NET_BIND_SERVICE; or set a higher one";
    if (error.value() == EADDRNOTAVAIL)
        return "; no interface of this machine has that address: set one that it has";
    return "; set another address";
}

}  // namespace

struct HttpServer::State : std::enable_shared_from_this<HttpServer::State> {
    State(TaskGroup& tasks, ListenerOptions options, std::shared_ptr<const Router> router,
          const protocol::Clock& clock)
        : outer(tasks),
          service(tasks, std::move(options), std::move(router), clock),
          acceptor(tasks.executor()),
          connections(tasks.executor(),
                      [&tasks](const std::exception_ptr& bug) { tasks.report(bug); }),
          ended(tasks.executor())
    {
    }

    // A connection's place in the lists and counts, given back when it ends.
    struct Place {
        State& state;
        std::list<Live>::iterator live;
        std::string source;
        ~Place()
        {
            if (!source.empty() && --state.sources[source] == 0) state.sources.erase(source);
            state.live.erase(live);
        }
    };

    [[nodiscard]] bool take_source(Place& place, const asio::ip::address& peer)
    {
        if (is_among(service.options.trusted_proxies, peer)) return true;
        auto key = source_key(peer);
        auto& count = sources[key];
        if (count >= service.options.limits.connections_per_source) return false;
        ++count;
        place.source = std::move(key);
        return true;
    }

    void close_acceptor()
    {
        boost::system::error_code ignored;
        acceptor.close(ignored);
        path.reset();
    }

    void abort_all()
    {
        for (auto& connection : live) connection.core->close();
    }

    [[nodiscard]] bool may_connect(SocketCore& core) const;
    [[nodiscard]] Result<void> listen_on_tcp();
    [[nodiscard]] Result<void> listen_on_unix_socket();

    // Connections without a request end now, WebSockets are told.
    void send_away();

    static asio::awaitable<void> accept_loop(std::shared_ptr<State> state);
    static asio::awaitable<void> serve(std::shared_ptr<State> state, SocketCore::Socket socket);
    static asio::awaitable<void> end_with_owner(std::shared_ptr<State> state);
    static asio::awaitable<void> say_goodbye(std::shared_ptr<WebSocket> socket);

    TaskGroup& outer;
    Service service;
    Acceptor acceptor;
    std::optional<UnixPath> path;
    tcp::endpoint local;
    TaskGroup connections;  // and the accept loop; all end in `stop`
    std::list<Live> live;
    std::map<std::string, std::size_t> sources;
    Wakeup ended;
    bool stopped = false;
};

asio::awaitable<void> HttpServer::State::say_goodbye(std::shared_ptr<WebSocket> socket)
{
    co_await socket->close(1001, "the server stops");
}

void HttpServer::State::send_away()
{
    for (auto& connection : live) {
        if (connection.idle) {
            connection.core->close();
        } else if (auto socket = connection.websocket.lock()) {
            connections.spawn(say_goodbye(std::move(socket)));
        }
    }
}

asio::awaitable<void> HttpServer::State::accept_loop(std::shared_ptr<State> state)
{
    while (!state->service.stopping) {
        SocketCore::Socket socket(state->outer.executor());
        auto [error] = co_await state->acceptor.async_accept(socket, as_result);
        if (!error) {
            // Over the limit: closed unanswered, which costs least.
            if (state->live.size() < state->service.options.limits.connections) {
                state->connections.spawn(serve(state, std::move(socket)));
            }
            continue;
        }
        if (error == asio::error::operation_aborted || !state->acceptor.is_open()) break;
        if (error == asio::error::connection_aborted) continue;
        // Out of descriptors or memory: it passes when connections end.
        co_await sleep_for(accept_pause);
    }
}

// Of a TCP listener, anybody. The kernel says who has opened a Unix socket: the mode of its
// file keeps others out, this one those who got it from somebody else.
bool HttpServer::State::may_connect(SocketCore& core) const
{
    const auto& listener = service.options.unix_socket;
    if (!listener) return true;
    const auto user = peer_user(core.socket().native_handle());
    return user && std::find(listener->users.begin(), listener->users.end(), *user) !=
                       listener->users.end();
}

asio::awaitable<void> HttpServer::State::serve(std::shared_ptr<State> state,
                                               SocketCore::Socket socket)
{
    auto core = std::make_shared<SocketCore>(std::move(socket));
    if (!state->may_connect(*core)) co_return;
    Live entry;
    entry.core = core;
    Place place{*state, state->live.insert(state->live.end(), std::move(entry)), {}};
    const auto& options = state->service.options;

    core->deadline_after(options.limits.tls_time);
    auto peer = unmapped(core->remote().address());
    if (is_among(options.trusted_proxies, peer)) {
        auto told = co_await read_proxy_header(core);
        if (!told) co_return;
        if (*told) peer = unmapped(**told);
    }
    const bool counted = state->take_source(place, peer);
    if (!counted) co_return;

    ConnectionPtr connection;
    if (options.tls) {
        auto context = static_cast<OpenSslServerContext&>(*options.tls).current();
        auto secured = co_await accept_tls(core, std::move(context));
        if (!secured) co_return;
        connection = std::move(*secured);
    } else {
        connection = make_plain_connection(core);
    }
    HttpSession session(state->service, *place.live, std::move(connection), peer);
    co_await session.run();
}

// Ends everything when the owner's task group is cancelled before stop() was called.
asio::awaitable<void> HttpServer::State::end_with_owner(std::shared_ptr<State> state)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await state->ended.wait();
    if (state->stopped) co_return;
    state->service.stopping = true;
    state->close_acceptor();
    state->abort_all();
    co_await state->connections.stop();
}

HttpServer::HttpServer(TaskGroup& tasks, ListenerOptions options,
                       std::shared_ptr<const Router> router, const protocol::Clock& clock)
    : state_(std::make_shared<State>(tasks, std::move(options), std::move(router), clock))
{
    ignore_broken_pipes();
}

HttpServer::~HttpServer()
{
    state_->service.stopping = true;
    state_->close_acceptor();
    state_->abort_all();
    state_->ended.notify();
}

Result<void> HttpServer::start()
{
    auto listening = state_->service.options.unix_socket ? state_->listen_on_unix_socket()
                                                         : state_->listen_on_tcp();
    if (!listening) {
        state_->close_acceptor();
        return listening;
    }
    state_->connections.spawn(State::accept_loop(state_));
    state_->outer.spawn(State::end_with_owner(state_));
    return {};
}

Result<void> HttpServer::State::listen_on_unix_socket()
{
    auto bound = UnixPath::bind(acceptor, service.options.unix_socket->path);
    if (!bound) return fail(bound);
    path.emplace(std::move(*bound));
    boost::system::error_code error;
    acceptor.listen(Acceptor::max_listen_connections, error);
    if (error) return fail(Code::unavailable, "listen: " + error.message());
    return {};
}

Result<void> HttpServer::State::listen_on_tcp()
{
    const auto& address = service.options.address;
    boost::system::error_code error;
    if (service.options.passed >= 0) {
        acceptor.assign(address.protocol(), std::exchange(service.options.passed, -1), error);
        if (!error) local = tcp_endpoint(acceptor.local_endpoint(error));
        if (!error) return {};
        return fail(Code::unavailable, "the socket handed over for " + text_of(address) +
                                           " can't be used: " + error.message());
    }
    acceptor.open(address.protocol(), error);
    if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
    if (!error && address.address().is_v6()) {
        // [::] means both families, whatever the system's default is.
        boost::system::error_code ignored;
        acceptor.set_option(asio::ip::v6_only(!address.address().is_unspecified()), ignored);
    }
    if (!error) acceptor.bind(address, error);
    if (!error) acceptor.listen(Acceptor::max_listen_connections, error);
    if (!error) local = tcp_endpoint(acceptor.local_endpoint(error));
    if (!error) return {};
    return refuse(Code::unavailable,
                  "can't listen on " + text_of(address) + ": " + error.message() + remedy(error));
}

asio::ip::tcp::endpoint HttpServer::local() const
{
    return state_->local;
}

void HttpServer::on_request_done(std::function<void(const RequestDone&)> observer)
{
    state_->service.observer = std::move(observer);
}

asio::awaitable<void> HttpServer::stop(std::chrono::milliseconds limit)
{
    const auto state = state_;
    state->service.stopping = true;
    state->close_acceptor();
    state->send_away();
    co_await state->connections.drained(limit);
    state->abort_all();
    co_await state->connections.stop();
    state->stopped = true;
    state->ended.notify();
}

}  // namespace entente::net
