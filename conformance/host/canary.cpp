#include "conformance/host/canary.hpp"

#include <stdexcept>

#include <sys/socket.h>

namespace entente::conformance {

namespace {

constexpr Millis canary_step{50};

}  // namespace

Canary::Canary()
{
    std::string error;
    listener_ = listen_tcp({"127.0.0.1", 0}, error);
    if (!listener_.is_open()) throw std::runtime_error(error);
    thread_ = std::thread([this] { watch(); });
}

Canary::~Canary()
{
    stopping_ = true;
    thread_.join();
}

std::string Canary::authority() const
{
    return "127.0.0.1:" + std::to_string(port_of(listener_.get()));
}

// Each connection is counted and closed at once.
void Canary::watch()
{
    while (!stopping_) {
        if (!wait_readable(listener_.get(), in(canary_step))) continue;
        const Descriptor socket(
            ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (socket.is_open()) ++connections_;
    }
}

}  // namespace entente::conformance
