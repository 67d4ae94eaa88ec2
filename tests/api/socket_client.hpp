// A WebSocket client over TLS, blocking; CTest's time limit ends a wait for what never comes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace entente::api::testing {

class SocketClient {
 public:
    // A small `receive_buffer` makes a reader that can't keep up; 0: the system's.
    SocketClient(std::uint16_t port, const std::string& ticket, int receive_buffer = 0);
    ~SocketClient();

    // 101, or why not.
    [[nodiscard]] int status() const;
    void send(const nlohmann::json& frame);
    void send_text(const std::string& text);
    // The next frame; nothing when the socket ended.
    std::optional<nlohmann::json> read();
    // Reads on until a frame has `member`; other frames are kept in `passed`.
    nlohmann::json read_until(const std::string& member);
    // The sequence numbers of the entries that come next, until there are `count`.
    std::vector<std::int64_t> read_seqs(std::size_t count);
    void close();

    std::vector<nlohmann::json> passed;

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace entente::api::testing
