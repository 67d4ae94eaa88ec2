// Many bare connections to one server, each left in some phase: for clients that connect
// and then dawdle, do nothing, or ask and never read.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/ssl.h>

#include "tests/bench/load_socket.hpp"
#include "tests/e2e/support/client.hpp"

namespace entente::overload {

// How large a part of an answer fits between a server and a reader who doesn't read.
enum class Window : std::uint8_t { usual, small };

class Connections {
 public:
    explicit Connections(const e2e::Node& node);
    ~Connections();
    Connections(const Connections&) = delete;
    Connections& operator=(const Connections&) = delete;

    // TCP alone, and the first octets of a TLS record.
    void add_in_handshake();
    // TLS, and `octets` on it.
    void add_in_tls(std::string_view octets, Window window = Window::usual);
    // Sends more on each that is open, where there is room; on TCP alone as it is.
    void drip(std::string_view octets);
    // How many the server hasn't closed.
    [[nodiscard]] std::size_t open();
    [[nodiscard]] std::size_t size() const { return made_.size(); }

 private:
    struct Made {
        int fd = -1;
        SSL* ssl = nullptr;
        bool ended = false;
    };
    int connect_tcp(Window window);
    void look(Made& made);

    std::uint16_t port_;
    std::string host_;
    std::shared_ptr<SSL_CTX> context_;
    std::vector<Made> made_;
};

}  // namespace entente::overload
