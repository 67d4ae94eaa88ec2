#include "conformance/reference/http_server.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "conformance/reference/refused.hpp"

namespace entente::conformance::reference {

namespace {

constexpr Millis accept_pause{50};
constexpr Millis drain_time{500};
constexpr std::size_t write_piece = 16'384;

std::string source_of(const sockaddr_in& address)
{
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
    return text.data();
}

}  // namespace

HttpServer::HttpServer(const Endpoint& listen, std::string name, const Certificate& certificate,
                       const PeerClock& clock, const Flags& flags, Handler handler)
    : name_(std::move(name)),
      clock_(clock),
      flags_(flags),
      limits_(flags),
      handler_(std::move(handler)),
      context_(std::make_shared<const ServerContext>(certificate))
{
    std::string error;
    listener_ = listen_tcp(listen, error);
    if (!listener_.is_open()) throw std::runtime_error(error);
    acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer()
{
    stopping_ = true;
    acceptor_.join();
    threads_.reap(true);
}

std::shared_ptr<const ServerContext> HttpServer::context_for(std::string_view host)
{
    return host == name_ ? context_ : nullptr;
}

void HttpServer::accept_all()
{
    while (!stopping_) {
        threads_.reap(false);
        if (!make_room()) {
            std::this_thread::sleep_for(accept_pause);
            continue;
        }
        if (!wait_readable(listener_.get(), in(accept_pause))) continue;
        sockaddr_in address{};
        socklen_t length = sizeof address;
        Descriptor socket(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length,
                                    SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket.is_open()) continue;
        threads_.add(
            std::move(socket),
            [&](Worker& worker) {
                worker.source = source_of(address);
                worker.active_at = Clock::now().time_since_epoch().count();
            },
            [this](Worker& worker, Descriptor own) { serve(worker, std::move(own)); });
    }
}

// Nobody who is being answered is sent away; and it is whoever has most connections that loses one.
bool HttpServer::make_room()
{
    return threads_.with([&](std::list<Worker>& workers) {
        if (workers.size() < limits_.connections) return true;
        if (flags_.has<"few-connections">()) return false;
        std::map<std::string, std::size_t> counts;
        for (const auto& worker : workers) ++counts[worker.source];
        const auto most =
            std::max_element(counts.begin(), counts.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; });
        Worker* silent = nullptr;
        for (auto& worker : workers)
            if (worker.source == most->first && !worker.done && !worker.busy &&
                (silent == nullptr || worker.active_at < silent->active_at))
                silent = &worker;
        if (silent != nullptr) ::shutdown(silent->descriptor, SHUT_RDWR);
        return true;
    });
}

void HttpServer::serve(Worker& worker, Descriptor socket)
{
    Threads::Serving serving(threads_, worker);
    serving.stream = accept_tls(*this, std::move(socket), in(limits_.tls_time)).stream;
    if (!serving.stream) return;
    HttpReader reader(*serving.stream, limits_, flags_);
    while (!stopping_ && answer_next(*serving.stream, reader, worker)) {
    }
    serving.stream->close();
    // Closed with octets unread, the connection would be reset, and the last answer lost with it.
    const auto until = in(drain_time);
    while (!stopping_ && serving.stream->read(until).state == ReadState::octets) {
    }
}

bool HttpServer::answer_next(Stream& stream, HttpReader& reader, Worker& worker)
{
    Answer answer;
    bool keep_alive = false;
    std::unique_lock alone(alone_, std::defer_lock);
    try {
        const auto head = reader.next([&] {
            if (flags_.has<"one-connection-at-a-time">()) alone.lock();
        });
        if (!head) return false;
        worker.busy = true;
        keep_alive = head->keep_alive;
        answer = handler_(head->request, worker.source);
    } catch (const Refused& refused) {
        // Where the next request would begin isn't known any more.
        keep_alive = flags_.has<"goes-on-behind-bad-head">() ||
                     (flags_.has<"goes-on-behind-too-large">() && refused.code == "too-large");
        answer.status = status_of(refused.code);
        answer.fields = {{"Content-Type", "application/problem+json"}};
        answer.body = problem_of(refused).dump();
    } catch (const nlohmann::json::exception& error) {
        // What no check has foreseen is refused, and ends nothing else.
        answer.status = 400;
        answer.fields = {{"Content-Type", "application/problem+json"}};
        answer.body = problem_of({"malformed", error.what()})
                          .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
    const bool written = write(stream, std::move(answer), keep_alive);
    worker.active_at = Clock::now().time_since_epoch().count();
    worker.busy = false;
    return written && keep_alive;
}

bool HttpServer::write(Stream& stream, Answer answer, bool keep_alive)
{
    set_field(answer.fields, "Content-Length", std::to_string(answer.body.size()));
    set_field(answer.fields, "Date", http_date(clock_.now()));
    if (!keep_alive) set_field(answer.fields, "Connection", "close");
    const auto octets = serialise(answer);
    std::string_view left_to_write = octets;
    while (!left_to_write.empty()) {
        if (!stream.write(left_to_write.substr(0, write_piece), in(limits_.write_time)))
            return false;
        left_to_write.remove_prefix(std::min(write_piece, left_to_write.size()));
    }
    return true;
}

}  // namespace entente::conformance::reference
