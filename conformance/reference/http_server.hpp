#pragma once

// The peer's listener: TLS under its one name, a thread for each connection, and bounds on how many
// there are. Where all places are taken, whoever has been silent longest loses his.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "conformance/reference/clock.hpp"
#include "conformance/reference/http_reader.hpp"
#include "conformance/sockets/connection_threads.hpp"
#include "conformance/sockets/tls.hpp"

namespace entente::conformance::reference {

class HttpServer final : private ServerNames {
 public:
    // `source`: the address that the request came from. Called from many threads at once.
    using Handler = std::function<Answer(const Request& request, const std::string& source)>;

    // Throws std::runtime_error where it can't listen.
    HttpServer(const Endpoint& listen, std::string name, const Certificate& certificate,
               const PeerClock& clock, const Flags& flags, Handler handler);
    ~HttpServer() override;
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

 private:
    struct Facts {
        std::string source;
        std::atomic<bool> busy{false};
        std::atomic<Clock::rep> active_at{0};
    };
    using Threads = ConnectionThreads<Facts>;
    using Worker = Threads::Worker;

    std::shared_ptr<const ServerContext> context_for(std::string_view host) override;
    void accept_all();
    // False where nobody is let in for now.
    [[nodiscard]] bool make_room();
    void serve(Worker& worker, Descriptor socket);
    // False where the connection ends with it.
    [[nodiscard]] bool answer_next(Stream& stream, HttpReader& reader, Worker& worker);
    [[nodiscard]] bool write(Stream& stream, Answer answer, bool keep_alive);

    const std::string name_;
    const PeerClock& clock_;
    const Flags& flags_;
    HttpLimits limits_;
    Handler handler_;
    std::shared_ptr<const ServerContext> context_;
    Descriptor listener_;
    Threads threads_;
    // Of a mutant, which serves one request at a time.
    std::mutex alone_;
    std::atomic<bool> stopping_{false};
    std::thread acceptor_;
};

}  // namespace entente::conformance::reference
