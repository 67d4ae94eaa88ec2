// A supervisor's end of the notification socket, for tests.
#pragma once

#include <array>
#include <cstring>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/e2e/support/node.hpp"

namespace entente::e2e {

class Notified {
 public:
    explicit Notified(const std::string& path)
    {
        descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (path.size() >= sizeof address.sun_path) throw Broken("too long: " + path);
        std::memcpy(address.sun_path, path.data(), path.size());
        if (::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            throw Broken("can't bind " + path);
    }
    ~Notified() { ::close(descriptor_); }
    Notified(const Notified&) = delete;
    Notified& operator=(const Notified&) = delete;

    // All that was said, one message behind the other, and not yet waited for.
    [[nodiscard]] const std::string& all()
    {
        std::array<char, 2048> octets{};
        for (;;) {
            const auto got = ::recv(descriptor_, octets.data(), octets.size(), 0);
            if (got < 0) return said_;
            said_.append(octets.data(), static_cast<std::size_t>(got));
            said_ += "\n\n";
        }
    }
    // Forgets what came up to and with it.
    void wait_for(const std::string& text)
    {
        wait_until("the supervisor is told " + text,
                   [&] { return all().find(text) != std::string::npos; });
        said_.erase(0, said_.find(text) + text.size());
    }
    void forget()
    {
        (void)all();
        said_.clear();
    }

 private:
    int descriptor_ = -1;
    std::string said_;
};

}  // namespace entente::e2e
