// What the tests of net share: an executor that is run for one coroutine, a folder that
// goes away, a server with a few routes, and raw connections to it.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/connection.hpp"
#include "net/http_server.hpp"
#include "net/tls.hpp"

namespace entente::net::test {

using namespace std::chrono_literals;

// Runs `task` on `context` to its end; fails the test when it takes 20 s or throws.
void run(asio::io_context& context, asio::awaitable<void> task);

class Folder {
 public:
    Folder();
    ~Folder();
    [[nodiscard]] std::string file(const std::string& name) const
    {
        return (path_ / name).string();
    }

 private:
    std::filesystem::path path_;
};

// A certificate for a.test and b.test, made once per process.
struct Certificate {
    std::string certificate;
    std::string key;
};
const Certificate& shared_certificate();
std::shared_ptr<TlsServerContext> shared_tls();

// Routes: GET /hello, POST /echo (1,000 octets), GET /items/{id}, GET /source,
// GET /throw, GET /never (until cancelled), GET /big (1 MiB).
std::shared_ptr<Router> make_routes();

// A server on a port of 127.0.0.1, with its tasks.
struct Served {
    Served(asio::io_context& context, ListenerOptions options,
           std::shared_ptr<const Router> router = make_routes());
    asio::awaitable<void> stop(std::chrono::milliseconds limit = 5s);

    protocol::SystemClock clock;
    std::vector<std::string> bugs;
    TaskGroup tasks;
    HttpServer server;
};

[[nodiscard]] ListenerOptions plain_listener();
[[nodiscard]] ListenerOptions tls_listener();

// A TCP connection whose octets the test writes itself.
asio::awaitable<ConnectionPtr> connect_raw(asio::ip::tcp::endpoint endpoint);
// All until the peer closes; what had arrived, at a reset.
asio::awaitable<std::string> read_to_end(Connection& connection);
// One answer with a Content-Length, or what arrived until the end.
asio::awaitable<std::string> read_answer(Connection& connection);
// Connects, writes, reads until the server closes.
asio::awaitable<std::string> talk(asio::ip::tcp::endpoint endpoint, std::string octets);

[[nodiscard]] int status_of(const std::string& answer);
[[nodiscard]] std::string body_of(const std::string& answer);

}  // namespace entente::net::test
