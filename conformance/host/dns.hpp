#pragma once

// The DNS server of the sealed topology: the target asks it where the runner's peers are, and a
// case writes what it is told, by name and by how often it has asked. UDP and TCP (RFC 1035); what
// isn't a question of one name is ignored.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "conformance/sockets/socket.hpp"

namespace entente::conformance {

struct DnsQuestion {
    // In lower case, without the last dot.
    std::string name;
    // 1: A; 28: AAAA; others are answered with nothing.
    std::uint16_t type = 0;
    // How many questions for this name and type came before.
    std::size_t number = 0;
};

struct DnsAnswer {
    // IPv4 or IPv6, as text; those that don't fit the question's type are left out.
    std::vector<std::string> addresses;
    // s
    std::uint32_t ttl = 0;
    // 0, 2 (server failure), 3 (no such name).
    std::uint16_t code = 0;
};

// A query with one question, whose name isn't compressed, as it stands in a message.
struct DnsQuery {
    DnsQuestion question;
    // Octets of the message up to the question's end.
    std::size_t end = 0;
};
[[nodiscard]] std::optional<DnsQuery> parse_dns_query(std::string_view message);

class DnsServer {
 public:
    using Script = std::function<DnsAnswer(const DnsQuestion&)>;

    // `otherwise` answers for names without a script. Throws std::runtime_error where it can't
    // listen.
    DnsServer(const Endpoint& listen, Script otherwise);
    ~DnsServer();
    DnsServer(const DnsServer&) = delete;
    DnsServer& operator=(const DnsServer&) = delete;

    void write_script(const std::string& name, Script script);
    void forget_script(const std::string& name);
    // Of all types.
    [[nodiscard]] std::size_t questions_for(const std::string& name) const;

 private:
    void serve();
    void serve_datagram();
    void serve_connection();
    // The whole response; empty where `message` is none that is answered. Over UDP at most 512
    // octets, else it says that it is truncated.
    [[nodiscard]] std::string respond(std::string_view message, bool over_tcp);

    Descriptor datagrams_;
    Descriptor listener_;
    const Script otherwise_;
    mutable std::mutex mutex_;
    std::map<std::string, Script> scripts_;
    std::map<std::string, std::map<std::uint16_t, std::size_t>> asked_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace entente::conformance
