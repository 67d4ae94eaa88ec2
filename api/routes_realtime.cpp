// /ws: a ticket opens it, then a reading and a writing coroutine share the socket until
// either ends.
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include "api/api.hpp"
#include "api/asking.hpp"
#include "api/client_frame.hpp"
#include "api/intake.hpp"
#include "api/people_wire.hpp"
#include "api/wire.hpp"
#include "net/source_key.hpp"
#include "net/websocket.hpp"

namespace entente::api {
namespace {

// Says, when it goes, that the writer has ended: however it ended, or never began.
struct WriterEnd {
    explicit WriterEnd(std::shared_ptr<net::Wakeup> wakeup) : ended(std::move(wakeup)) {}
    WriterEnd(WriterEnd&&) = default;
    WriterEnd& operator=(WriterEnd&&) = delete;
    ~WriterEnd()
    {
        if (ended) ended->notify();
    }
    std::shared_ptr<net::Wakeup> ended;
};

asio::awaitable<void> write_side(std::shared_ptr<Follower> follower, net::WebSocket* socket,
                                 WriterEnd)
{
    co_await follower->pump(*socket);
    co_await socket->close(1008, "the session has ended");
    socket->abort();
}

asio::awaitable<void> acknowledge(Api& api, Follower& follower, std::int64_t number)
{
    const auto& caller = follower.caller();
    auto done = co_await api.people().acknowledge(caller.user, caller.device, number);
    if (!done) follower.answer(R"({"problem":)" + refusal_json(done.error(), api.now()) + "}");
}

// Beyond the user's rate they are dropped, as they are anywhere.
asio::awaitable<void> send_signals(Api& api, Follower& follower,
                                   std::vector<protocol::LiveSignal> signals)
{
    const auto& user = follower.caller().user;
    const auto cost = static_cast<double>(signals.size());
    if (!api.user_rates().take(user.str(), api.now(), cost)) co_return;
    auto sent =
        co_await api.people().signal(user, person_of(follower.caller()), std::move(signals));
    if (!sent) follower.answer(R"({"problem":)" + refusal_json(sent.error(), api.now()) + "}");
}

// The socket isn't read beyond its user's rate: what is sent faster waits in the client.
// Posts are charged for themselves.
asio::awaitable<void> wait_for_rate(Api& api, const Caller& caller)
{
    auto within = api.user_rates().take(caller.user.str(), api.now());
    if (!within) co_await net::sleep_for(std::chrono::seconds(within.error().retry_after));
}

asio::awaitable<void> take_frame(Api& api, Follower& follower, Intake& intake, std::string text)
{
    auto frame = parse_client_frame(text, api.options().names);
    const bool has_posts = frame && frame->posts && !frame->posts->empty();
    if (!has_posts) co_await wait_for_rate(api, follower.caller());
    if (!frame) {
        follower.answer(R"({"problem":)" + refusal_json(frame.error(), api.now()) + "}");
        co_return;
    }
    if (frame->ping) follower.answer(R"({"pong":true})");
    if (frame->follow_all) follower.follow_all();
    for (const auto& [channel, seq] : frame->follow) {
        auto followed = follower.follow(channel, seq);
        if (followed) continue;
        follower.answer(R"({"problem":)" + refusal_json(followed.error(), api.now()) + "}");
        break;
    }
    for (const auto& [channel, seq] : frame->have) follower.acknowledge(channel, seq);
    if (!frame->signals.empty()) co_await send_signals(api, follower, std::move(frame->signals));
    if (frame->ack) co_await acknowledge(api, follower, *frame->ack);
    if (frame->posts) co_await intake.take(std::move(*frame->posts));
}

asio::awaitable<void> read_side(Api& api, std::shared_ptr<Follower> held, net::WebSocket& socket)
{
    auto& follower = *held;
    const auto intake = std::make_shared<Intake>(api, held);
    // The ticket was good; the session may have ended while the socket was opened.
    auto live = co_await api.sessions().check_live(follower.caller().session);
    while (live) {
        auto text = co_await socket.read();
        if (!text) co_return;
        co_await take_frame(api, follower, *intake, std::move(*text));
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) co_return;
    }
}

// What its device missed while it wasn't there. A store that can't be read now is no reason
// to refuse the socket.
asio::awaitable<void> tell_low_keys(Api& api, Follower& follower)
{
    auto counts = co_await own_key_counts(api, follower.caller());
    if (!counts) co_return;
    std::erase_if(*counts, [](const auto& kind) { return kind.left >= storage::low_keys; });
    if (!counts->empty()) follower.answer(low_keys_frame(*counts));
}

asio::awaitable<void> serve(Api& api, std::shared_ptr<Caller> caller, net::WebSocket& socket)
{
    // A cancelled reader must still wait for the writer, which uses the same socket.
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto io = api.parts().io;
    auto follower = api.hub().connect(*caller, io);
    auto ended = std::make_shared<net::Wakeup>(io);
    api.parts().tasks.spawn(write_side(follower, &socket, WriterEnd{ended}));

    co_await tell_low_keys(api, *follower);
    co_await read_side(api, follower, socket);
    follower->end();
    socket.abort();
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await ended->wait();
}

asio::awaitable<Result<std::shared_ptr<void>>> admit(Api& api, const net::Request& request)
{
    const auto address = net::source_key(request.source);
    auto within = api.address_rates().check(address, api.now());
    if (!within) co_return fail(within);
    auto ticket = request.parameter("ticket").value_or("");
    auto caller = co_await api.sessions().take_ticket(std::move(ticket));
    if (!caller) {
        auto charged = api.address_rates().take(address, api.now());
        if (!charged) co_return fail(charged);
        co_return fail(caller);
    }
    std::shared_ptr<void> admitted = std::make_shared<Caller>(std::move(*caller));
    co_return admitted;
}

}  // namespace

void add_realtime_routes(net::Router& router, Api& api)
{
    net::WebSocketHandler handler;
    handler.admit = [&api](const net::Request& request) { return admit(api, request); };
    handler.serve = [&api](std::shared_ptr<void> admitted, net::WebSocket& socket) {
        return serve(api, std::static_pointer_cast<Caller>(std::move(admitted)), socket);
    };
    router.add_websocket("/api/v1/ws", std::move(handler));
}

}  // namespace entente::api
