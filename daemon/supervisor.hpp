// What started this program, where that is systemd or speaks its protocol: it is told in
// datagrams how the daemon stands, and hands sockets over (docs/adr/0028). Where nothing of
// the kind is in the environment all of it does nothing. Decides nothing about the daemon.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config.hpp"
#include "protocol/result.hpp"

namespace entente::daemon {

// An environment variable's value; nothing where it isn't set.
using Variable = std::function<std::optional<std::string>(const char* name)>;
[[nodiscard]] std::optional<std::string> process_variable(const char* name);

// Nothing here fails: a daemon runs on, whoever listens. One thread.
class Supervisor {
 public:
    explicit Supervisor(const Variable& variable);
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    // `status` is a short line of ours for `systemctl status`.
    void ready(std::string_view status);
    void reloading();
    void stopping();
    void status(std::string_view status);
    void alive();

    [[nodiscard]] bool is_there() const { return descriptor_ >= 0; }
    // How long it waits for alive() before it ends us; nothing: it doesn't.
    [[nodiscard]] std::optional<std::chrono::microseconds> patience() const { return patience_; }

 private:
    void tell(std::string_view text, bool may_wait);

    std::string address_;  // as in sun_path, the NUL of an abstract name included
    int descriptor_ = -1;
    std::optional<std::chrono::microseconds> patience_;
};

// A listening stream socket that was handed over; whoever takes it closes it.
struct PassedSocket {
    int descriptor = -1;
    std::string name;  // FileDescriptorName= of its unit
    SocketAddress address;
};

// All that were, once; `malformed` where one is of no use here. They are closed at an exec.
[[nodiscard]] Result<std::vector<PassedSocket>> take_passed_sockets(const Variable& variable,
                                                                    int first = 3);

// For a listener with `listener.socket`: the descriptor of that name and address, taken out of
// `passed`, or -1 where none of that name is there. `conflict` where all of that name have
// another address.
[[nodiscard]] Result<int> socket_for(const ListenerConfig& listener,
                                     std::vector<PassedSocket>& passed);

// "127.0.0.1:8448" or "[::1]:8448".
[[nodiscard]] std::string text_of(const SocketAddress& address);

}  // namespace entente::daemon
