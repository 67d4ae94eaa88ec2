#pragma once

// A listener that nobody has any business with. Who connects to it was led there.

#include <atomic>
#include <cstdint>
#include <thread>

#include "conformance/sockets/socket.hpp"

namespace entente::conformance {

class Canary {
 public:
    // On 127.0.0.1, at a port of the system's choice. Throws std::runtime_error.
    Canary();
    ~Canary();
    Canary(const Canary&) = delete;
    Canary& operator=(const Canary&) = delete;

    // "127.0.0.1:49152"
    [[nodiscard]] std::string authority() const;
    [[nodiscard]] std::uint64_t connections() const { return connections_; }

 private:
    void watch();

    Descriptor listener_;
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> connections_{0};
    std::thread thread_;
};

}  // namespace entente::conformance
