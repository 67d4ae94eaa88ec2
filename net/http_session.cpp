#include "net/http_session.hpp"

#include <array>

#include <openssl/rand.h>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/forwarded.hpp"
#include "net/websocket_accept.hpp"

namespace entente::net {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t first_octets = 256;
constexpr std::size_t write_step = 65'536;
constexpr std::size_t small_answer = 65'536;  // not worth counting

HeadLimits head_limits(const HttpLimits& limits)
{
    return {limits.header_octets, limits.header_count, limits.target_octets};
}

// Not secret and not a key: for finding a request's lines in the log.
std::string make_request_id()
{
    std::array<unsigned char, 6> octets{};
    RAND_bytes(octets.data(), static_cast<int>(octets.size()));
    std::string text;
    for (const auto octet : octets) {
        text += "0123456789abcdef"[octet >> 4];
        text += "0123456789abcdef"[octet & 15];
    }
    return text;
}

Request make_request(RequestHead& head, asio::ip::address source)
{
    Request request;
    request.method = head.method;
    request.target = std::move(head.target);
    request.path = std::move(head.path);
    request.query = std::move(head.query);
    request.fields = std::move(head.fields);
    request.source = std::move(source);
    request.id = make_request_id();
    return request;
}

// Those who hold memory that others lack have to hurry.
std::size_t share_of_a_stretch(const Service& service)
{
    const auto& limits = service.options.limits;
    const auto pace = service.bodies->is_scarce() ? limits.hurried_octets_per_second
                                                  : limits.body_octets_per_second;
    const auto grace = static_cast<std::size_t>(limits.body_grace.count());
    return std::max<std::size_t>(pace * grace / 1000, 1);
}

}  // namespace

std::string_view Service::date()
{
    const auto now = clock.now_s();
    if (now != date_second_) {
        date_second_ = now;
        date_ = http_date(now);
    }
    return date_;
}

HttpSession::HttpSession(Service& service, Live& live, ConnectionPtr connection,
                         asio::ip::address peer)
    : service_(service), live_(live), connection_(std::move(connection)), peer_(std::move(peer))
{
}

asio::awaitable<void> HttpSession::run()
{
    bool more = true;
    while (more && !service_.stopping) {
        auto head = co_await read_head();
        if (!head) break;
        more = co_await answer(std::move(*head));
        // What was sent without waiting for the answer stands behind everybody else.
        if (!buffer_.empty()) co_await asio::post(connection_->executor(), asio::use_awaitable);
    }
    live_.idle = true;
    co_await connection_->shutdown();
}

asio::awaitable<bool> HttpSession::wait_for_request()
{
    // Nothing is held for a connection that waits but a few octets on this frame.
    std::string().swap(buffer_);
    live_.idle = true;
    connection_->deadline_after(service_.options.limits.idle_time);
    std::array<char, first_octets> first;
    auto count = co_await connection_->read_some(first.data(), first.size());
    if (!count || *count == 0) co_return false;
    live_.idle = false;
    buffer_.assign(first.data(), *count);
    co_return true;
}

asio::awaitable<Result<std::size_t>> HttpSession::read_more(SocketCore::TimePoint deadline)
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    connection_->deadline_after(left);
    const auto before = buffer_.size();
    buffer_.resize(before + read_octets);
    auto count = co_await connection_->read_some(buffer_.data() + before, read_octets);
    buffer_.resize(before + count.value_or(0));
    co_return count;
}

asio::awaitable<std::optional<RequestHead>> HttpSession::read_head()
{
    if (buffer_.empty()) {
        const bool begun = co_await wait_for_request();
        if (!begun) co_return std::nullopt;
    }
    live_.idle = false;
    started_ = steady_clock::now();
    const auto& limits = service_.options.limits;
    HeadScanner scanner(head_limits(limits));
    std::size_t head_size = 0;
    while (true) {
        auto size = scanner.scan(buffer_);
        if (!size) {
            co_await refuse_request(std::move(size).error());
            co_return std::nullopt;
        }
        if (*size) {
            head_size = **size;
            break;
        }
        auto count = co_await read_more(started_ + limits.header_time);
        if (count && *count > 0) continue;
        if (!count && count.error().code == Code::timeout) {
            co_await refuse_request(std::move(count).error());
        }
        co_return std::nullopt;
    }
    auto head =
        parse_request_head(std::string_view(buffer_).substr(0, head_size), head_limits(limits));
    buffer_.erase(0, head_size);
    if (!head) {
        co_await refuse_request(std::move(head).error());
        co_return std::nullopt;
    }
    co_return std::move(*head);
}

asio::awaitable<Result<std::string>> HttpSession::read_body(const RequestHead& head,
                                                            std::size_t max_body,
                                                            BodyBudget::Share& held)
{
    const auto& limits = service_.options.limits;
    auto body = RequestBody::begin(head, max_body);
    if (!body) co_return fail(body);
    if (head.expects_continue && buffer_.empty()) {
        const bool sent = co_await write("HTTP/1.1 100 Continue\r\n\r\n");
        if (!sent) co_return fail(Code::unavailable, "the client is gone");
    }
    // Each stretch of `body_grace` must bring its share: what came fast at first buys no
    // time to stand still later.
    auto stretch_begun = steady_clock::now();
    std::size_t received = 0;
    while (true) {
        auto taken = body->take(buffer_);
        if (!taken) co_return fail(taken);
        buffer_.erase(0, *taken);
        if (body->is_complete()) co_return body->release();
        auto count = co_await read_more(stretch_begun + limits.body_grace);
        if (!count) co_return fail(count);
        if (*count == 0) co_return fail(Code::unavailable, "the body was cut off");
        if (!held.take(*count)) {
            co_return retry_later(Code::rate_limited, "too many bodies under way", 5);
        }
        received += *count;
        if (received >= share_of_a_stretch(service_)) {
            stretch_begun = steady_clock::now();
            received = 0;
        }
    }
}

asio::awaitable<bool> HttpSession::answer(RequestHead head)
{
    const auto source = client_behind(peer_, head.fields, service_.options.trusted_proxies);
    auto request = make_request(head, source);
    auto match = service_.router->match(request.method, request.path);
    request.captures = std::move(match.captures);

    if (match.websocket != nullptr) {
        if (head.upgrades_to_websocket && buffer_.empty()) {
            co_return co_await upgrade(*match.websocket, head, request);
        }
        Error error{Code::malformed, "no upgrade", "a WebSocket upgrade is expected here", 0};
        co_return co_await send(head, request, problem_response(error, service_.clock.now_ms()));
    }
    if (match.route == nullptr) {
        Error error{
            match.allow.empty() ? Code::not_found : Code::method_not_allowed, "no route", {}, 0};
        auto response = problem_response(error, service_.clock.now_ms());
        if (!match.allow.empty()) response.fields.emplace_back("Allow", match.allow);
        response.close =
            head.has_body();  // it is not read: its octets must not be taken for a request
        co_return co_await send(head, request, std::move(response));
    }
    if (head.has_body())
        co_return co_await answer_with_body(*match.route, head, std::move(request));
    co_return co_await run_handler(match.route->handler, head, request, nullptr);
}

asio::awaitable<bool> HttpSession::answer_with_body(const Route& route, const RequestHead& head,
                                                    Request request)
{
    BodyBudget::Share held(service_.bodies, request.source);
    auto body = co_await read_body(head, route.max_body, held);
    if (!body) {
        held.give_back();
        if (body.error().code == Code::unavailable) co_return false;
        auto response = problem_response(body.error(), service_.clock.now_ms());
        response.close = true;
        co_return co_await send(head, request, std::move(response));
    }
    request.body = std::move(*body);
    co_return co_await run_handler(route.handler, head, request, &held);
}

asio::awaitable<bool> HttpSession::run_handler(const Handler& handler, const RequestHead& head,
                                               Request& request, BodyBudget::Share* held)
{
    connection_->no_deadline();
    Response response;
    std::exception_ptr thrown;
    try {
        response = co_await handler(request);
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown) {
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) std::rethrow_exception(thrown);
        service_.tasks.report(thrown);
        const Error error{Code::internal, "the handler threw", {}, 0};
        response = problem_response(error, service_.clock.now_ms());
    }
    // Who is slow to take the answer doesn't hold the request's memory meanwhile.
    std::string().swap(request.body);
    if (held != nullptr) held->give_back();
    co_return co_await send(head, request, std::move(response));
}

asio::awaitable<bool> HttpSession::upgrade(const WebSocketHandler& handler, const RequestHead& head,
                                           const Request& request)
{
    connection_->no_deadline();
    auto admitted = co_await handler.admit(request);
    if (!admitted) {
        auto response = problem_response(admitted.error(), service_.clock.now_ms());
        co_return co_await send(head, request, std::move(response));
    }
    Response switched;
    switched.status = 101;
    if (service_.observer) {
        const auto spent = steady_clock::now() - started_;
        service_.observer(RequestDone{
            request, switched, std::chrono::duration_cast<std::chrono::microseconds>(spent)});
    }
    auto socket = co_await accept_websocket(connection_, request, service_.bodies);
    if (!socket) co_return false;
    live_.websocket = *socket;
    if (service_.stopping) co_return false;
    // The socket may outlive `serve` in a coroutine of the handler's own; it must not
    // outlive the connection's place in the listener's count.
    const std::unique_ptr<WebSocket, void (*)(WebSocket*)> ended(
        socket->get(), [](WebSocket* open) { open->abort(); });
    auto& open = **socket;
    co_await handler.serve(std::move(*admitted), open);
    co_await open.close(1000, "");
    co_return false;
}

asio::awaitable<bool> HttpSession::send(const RequestHead& head, const Request& request,
                                        Response response)
{
    AnswerForm form;
    form.close = response.close || !head.keep_alive || service_.stopping;
    form.head_only = request.method == "HEAD";
    auto octets = response_octets(response, form, service_.date());
    BodyBudget::Share held(service_.answers, request.source);
    if (octets.size() > small_answer && !held.take(octets.size())) {
        const Error full{Code::unavailable, "too many answers that nobody reads", {}, 1};
        response = problem_response(full, service_.clock.now_ms());
        octets = response_octets(response, form, service_.date());
    }
    std::string().swap(response.body);
    const bool sent = co_await write(std::move(octets));
    if (service_.observer) {
        const auto spent = steady_clock::now() - started_;
        service_.observer(RequestDone{
            request, response, std::chrono::duration_cast<std::chrono::microseconds>(spent)});
    }
    co_return sent && !form.close;
}

asio::awaitable<bool> HttpSession::refuse_request(Error error)
{
    const auto response = problem_response(error, service_.clock.now_ms());
    AnswerForm form;
    form.close = true;
    co_await write(response_octets(response, form, service_.date()));
    co_return false;
}

asio::awaitable<bool> HttpSession::write(std::string octets)
{
    std::string_view rest = octets;
    while (!rest.empty()) {
        const auto step = rest.substr(0, write_step);
        connection_->deadline_after(service_.options.limits.write_time);
        auto written = co_await connection_->write(step);
        if (!written) co_return false;
        rest.remove_prefix(step.size());
    }
    co_return true;
}

}  // namespace entente::net
