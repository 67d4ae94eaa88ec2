// A WebSocket over TLS for the load client: non-blocking, on one epoll, with nothing
// allocated per message. It carries frames of text; what they say is its owner's business.
// Handshakes block: they aren't measured. Throws Broken when the connection fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "tests/bench/frame_text.hpp"
#include "tests/e2e/support/node.hpp"

namespace entente::bench {

// What connections to one server share.
class TlsClient {
 public:
    TlsClient(std::string host, std::uint16_t port, const std::string& ca_file);
    // A connected socket and TLS session, still blocking, from `source`.
    [[nodiscard]] SSL* connect(const std::string& source) const;
    [[nodiscard]] const std::string& host() const { return host_; }

 private:
    std::string host_;
    std::uint16_t port_;
    std::shared_ptr<SSL_CTX> context_;
};

// Closes the socket too.
struct CloseTls {
    void operator()(SSL* ssl) const;
};
using TlsSession = std::unique_ptr<SSL, CloseTls>;

class LoadSocket {
 public:
    // Opens the WebSocket that `ticket` stands for.
    LoadSocket(const TlsClient& tls, const std::string& source, const std::string& ticket);

    [[nodiscard]] int fd() const { return fd_; }
    // Sends what it can at once, and keeps the rest for flush().
    void send(std::string_view frame);
    void flush();
    [[nodiscard]] bool wants_to_write() const { return !unsent_.empty(); }
    // Reads all that is there and hands each text frame over. The text is the caller's only
    // during the call.
    template <class Take>
    void read(Take&& take)
    {
        while (read_some()) take_frames(take);
    }
    // Frees what an idle socket needs no more.
    void give_back();

 private:
    struct Frame {
        int opcode = 0;
        std::string_view text;
    };
    bool read_some();
    // The next whole frame in the buffer; false where there is none.
    bool next_frame(Frame& frame);
    void answer_control(const Frame& frame);
    void compact();

    template <class Take>
    void take_frames(Take&& take)
    {
        Frame frame;
        while (next_frame(frame)) {
            if (frame.opcode == 1)
                take(frame.text);
            else
                answer_control(frame);
        }
        compact();
    }

    TlsSession ssl_;
    int fd_ = -1;
    std::string in_;
    std::size_t begin_ = 0, end_ = 0;  // of what was read and not taken
    std::string unsent_;
};

}  // namespace entente::bench
