#pragma once

// The machine on which the runner's peers live: one listener, TLS by server name, a site per host
// name. Its threads are bounded, and all end with it.

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "conformance/host/reply.hpp"
#include "conformance/sockets/connection_threads.hpp"
#include "conformance/sockets/http_io.hpp"
#include "conformance/sockets/tls.hpp"

namespace entente::conformance {

// What answers under one host name. Called from many threads at once.
class Site {
 public:
    virtual ~Site() = default;
    [[nodiscard]] virtual Reply serve(const Request& request) = 0;
    // A TCP connection, or a handshake, has come for this name.
    virtual void on_connection() {}
    // The same, with the address of ours that it has come to.
    virtual void on_address(const std::string& address) { static_cast<void>(address); }
    // A handshake for this name has failed, and why.
    virtual void on_broken_handshake(const std::string& why) { static_cast<void>(why); }
};

// A connection to the host that was for none of its sites.
struct Stray {
    // What it named by SNI; empty where it named nothing.
    std::string host;
    std::string why;
};

class Host final : private ServerNames {
 public:
    // Connections that are served at the same time; others wait in the listener's queue.
    static constexpr std::size_t max_connections = 512;
    // Strays that are remembered: the last ones.
    static constexpr std::size_t max_strays = 32;

    // Throws std::runtime_error where it can't listen.
    Host(const Endpoint& listen, Authority authority);
    ~Host() override;
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    void add(const std::string& name, std::shared_ptr<Site> site,
             CertificateFault fault = CertificateFault::none);
    // Afterwards handshakes for the name fail, as if nobody were there.
    void remove(const std::string& name);

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::uint64_t connections_seen() const { return seen_; }
    [[nodiscard]] std::vector<Stray> strays() const;

 private:
    struct Entry {
        std::shared_ptr<Site> site;
        std::shared_ptr<const ServerContext> context;
    };
    struct NoFacts {};
    using Threads = ConnectionThreads<NoFacts>;

    std::shared_ptr<const ServerContext> context_for(std::string_view host) override;
    std::shared_ptr<Site> site_of(const std::string& host);
    void accept_all();
    void serve(Threads::Worker& worker, Descriptor socket);
    void remember_broken(const TlsServer& broken);
    bool answer(Stream& stream, const Reply& reply);

    Authority authority_;
    Descriptor listener_;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::map<std::string, Entry, std::less<>> entries_;
    std::deque<Stray> strays_;
    Threads threads_;
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> seen_{0};
    std::thread acceptor_;
};

}  // namespace entente::conformance
