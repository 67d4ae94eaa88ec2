// A person's program: the client API over REST and WebSocket, blocking. Throws Broken for
// what the server should have answered otherwise; `request` hands out any answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "protocol/clock.hpp"
#include "tests/e2e/support/node.hpp"

namespace entente::e2e {

using nlohmann::json;

[[nodiscard]] std::string new_uuid();  // version 7

struct ApiAnswer {
    int status = 0;
    json body;                // null where there is none
    std::string retry_after;  // the field, "" where it is absent
    // The last part of a problem's type, "" where it is none.
    [[nodiscard]] std::string problem() const;
};

// What a page shows of an entry, as far as tests compare it.
struct PageEntry {
    std::int64_t seq = 0;
    std::string id, type, sender, txn, text;
    friend bool operator==(const PageEntry&, const PageEntry&) = default;
};

// A live WebSocket.
class LiveSocket {
 public:
    LiveSocket(TlsSocket socket, std::string left_over);
    void send(const json& frame);
    // The next frame; nothing when the time is over. Broken when the socket has ended.
    std::optional<json> read(Milliseconds time);
    // Frames until one has `member`; others are dropped.
    json read_until(const std::string& member, Milliseconds time = Milliseconds(20'000));

 private:
    std::optional<std::string> take_frame();
    TlsSocket socket_;
    std::string buffer_;
};

class Client {
 public:
    // Speaks from `source`: what a server grants an address is so granted to this client.
    Client(const Node& node, std::string localpart, std::string source = "127.0.0.1");

    void register_user();
    void login();
    void refresh();

    ApiAnswer request(std::string_view method, const std::string& path, const json& body = nullptr);
    // The octets of a GET's answer, which has to be 200.
    std::string fetch(const std::string& path);
    // Requires a status of 200 to 299.
    json call(std::string_view method, const std::string& path, const json& body = nullptr);

    std::string create_channel(const std::string& name, json options = json::object());
    json invite(const std::string& channel, const std::string& user);
    // Waits for the invitation first, and then until the home has numbered the join.
    json join(const std::string& channel);
    json leave(const std::string& channel);
    json post(const std::string& channel, const std::string& text, std::string txn = {});
    json delivery(const std::string& event);
    // All that this user sees behind `after`.
    std::vector<PageEntry> log(const std::string& channel, std::int64_t after = 0);
    std::vector<std::string> texts(const std::string& channel);
    json channel(const std::string& channel);
    LiveSocket open_socket();

    [[nodiscard]] std::string open_ticket();  // for one WebSocket
    [[nodiscard]] const std::string& access_token() const { return access_; }
    [[nodiscard]] std::string user() const { return localpart_ + "@" + node_.name(); }
    [[nodiscard]] const Node& node() const { return node_; }

 private:
    void take_tokens(const json& tokens);
    json credentials() const;
    HttpMessage ask(std::string_view method, const std::string& path, const json& body);
    HttpMessage exchange(const std::string& octets);

    const Node& node_;
    std::string localpart_, source_, device_, device_key_, access_, refresh_;
    std::optional<TlsSocket> socket_;
    std::string buffer_;
};

}  // namespace entente::e2e
