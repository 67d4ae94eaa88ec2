#include "conformance/host/dns.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace entente::conformance {

namespace {

constexpr Millis dns_step{50};
// A TCP connection may take this long in all; the thread that serves it serves all others too.
constexpr Millis dns_connection_time{2'000};
// And may say nothing for so long.
constexpr Millis dns_silence{200};
constexpr std::size_t dns_head = 12;
constexpr std::size_t dns_datagram = 512;
constexpr std::size_t dns_names = 100'000;
constexpr std::uint16_t type_a = 1;
constexpr std::uint16_t type_aaaa = 28;
constexpr std::uint16_t class_in = 1;

void put16(std::string& to, unsigned value)
{
    to.push_back(static_cast<char>((value >> 8U) & 0xffU));
    to.push_back(static_cast<char>(value & 0xffU));
}

unsigned get16(std::string_view from, std::size_t at)
{
    return (static_cast<unsigned>(static_cast<unsigned char>(from[at])) << 8U) |
           static_cast<unsigned char>(from[at + 1]);
}

// An address of the type that was asked for, as its octets.
std::optional<std::string> address_octets(const std::string& address, std::uint16_t type)
{
    std::array<char, 16> octets{};
    if (type == type_a && ::inet_pton(AF_INET, address.c_str(), octets.data()) == 1)
        return std::string(octets.data(), 4);
    if (type == type_aaaa && ::inet_pton(AF_INET6, address.c_str(), octets.data()) == 1)
        return std::string(octets.data(), 16);
    return std::nullopt;
}

Descriptor bind_datagrams(const Endpoint& endpoint)
{
    sockaddr_storage storage{};
    socklen_t length = sizeof(sockaddr_in);
    auto* four = reinterpret_cast<sockaddr_in*>(&storage);
    auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
    if (::inet_pton(AF_INET, endpoint.address.c_str(), &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(endpoint.port);
    } else if (::inet_pton(AF_INET6, endpoint.address.c_str(), &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(endpoint.port);
        length = sizeof(sockaddr_in6);
    }
    Descriptor socket(::socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0)
        throw std::runtime_error("can't answer DNS at " + endpoint.text() + ": " +
                                 std::strerror(errno));
    return socket;
}

}  // namespace

std::optional<DnsQuery> parse_dns_query(std::string_view message)
{
    if (message.size() < dns_head || (get16(message, 2) & 0xf800U) != 0) return std::nullopt;
    if (get16(message, 4) != 1) return std::nullopt;
    DnsQuery read;
    auto at = dns_head;
    for (;;) {
        if (at >= message.size()) return std::nullopt;
        const std::size_t length = static_cast<unsigned char>(message[at++]);
        if (length == 0) break;
        if (length > 63 || at + length > message.size() || at > 255 + dns_head) return std::nullopt;
        if (!read.question.name.empty()) read.question.name += '.';
        for (const auto octet : message.substr(at, length))
            read.question.name +=
                octet >= 'A' && octet <= 'Z' ? static_cast<char>(octet - 'A' + 'a') : octet;
        at += length;
    }
    if (at + 4 > message.size() || get16(message, at + 2) != class_in) return std::nullopt;
    read.question.type = static_cast<std::uint16_t>(get16(message, at));
    read.end = at + 4;
    return read;
}

DnsServer::DnsServer(const Endpoint& listen, Script otherwise)
    : datagrams_(bind_datagrams(listen)), otherwise_(std::move(otherwise))
{
    std::string error;
    listener_ = listen_tcp(listen, error);
    if (!listener_.is_open()) throw std::runtime_error(error);
    thread_ = std::thread([this] { serve(); });
}

DnsServer::~DnsServer()
{
    stopping_ = true;
    thread_.join();
}

void DnsServer::write_script(const std::string& name, Script script)
{
    const std::lock_guard lock(mutex_);
    scripts_[name] = std::move(script);
}

void DnsServer::forget_script(const std::string& name)
{
    const std::lock_guard lock(mutex_);
    scripts_.erase(name);
}

std::size_t DnsServer::questions_for(const std::string& name) const
{
    const std::lock_guard lock(mutex_);
    const auto found = asked_.find(name);
    std::size_t count = 0;
    if (found != asked_.end())
        for (const auto& [type, times] : found->second) count += times;
    return count;
}

void DnsServer::serve()
{
    while (!stopping_) {
        std::array<pollfd, 2> both{{{datagrams_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}}};
        if (::poll(both.data(), both.size(), static_cast<int>(dns_step.count())) <= 0) continue;
        if (both[0].revents != 0) serve_datagram();
        if (both[1].revents != 0) serve_connection();
    }
}

void DnsServer::serve_datagram()
{
    std::array<char, 4'096> buffer;
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    const auto got = ::recvfrom(datagrams_.get(), buffer.data(), buffer.size(), 0,
                                reinterpret_cast<sockaddr*>(&from), &length);
    if (got <= 0) return;
    const auto response = respond({buffer.data(), static_cast<std::size_t>(got)}, false);
    if (response.empty()) return;
    // Lost where there is no room: who asks asks again.
    static_cast<void>(::sendto(datagrams_.get(), response.data(), response.size(), 0,
                               reinterpret_cast<const sockaddr*>(&from), length));
}

void DnsServer::serve_connection()
{
    Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.is_open()) return;
    const auto until = in(dns_connection_time);
    const auto stream = plain_stream(std::move(socket));
    std::string held;
    while (!stopping_) {
        while (held.size() >= 2 && held.size() >= 2 + get16(held, 0)) {
            const auto response = respond(std::string_view(held).substr(2, get16(held, 0)), true);
            held.erase(0, 2 + get16(held, 0));
            if (response.empty()) return;
            std::string framed;
            put16(framed, static_cast<unsigned>(response.size()));
            if (!stream->write(framed + response, until)) return;
        }
        const auto read = stream->read(std::min(until, in(dns_silence)));
        if (read.state != ReadState::octets) return;
        held += read.octets;
    }
}

std::string DnsServer::respond(std::string_view message, bool over_tcp)
{
    auto read = parse_dns_query(message);
    if (!read) return {};
    auto& question = read->question;
    Script script;
    {
        const std::lock_guard lock(mutex_);
        if (asked_.size() >= dns_names) asked_.clear();
        question.number = asked_[question.name][question.type]++;
        const auto found = scripts_.find(question.name);
        script = found == scripts_.end() ? otherwise_ : found->second;
    }
    const auto answer = script(question);
    std::string records;
    unsigned count = 0;
    for (const auto& address : answer.addresses) {
        const auto octets = address_octets(address, question.type);
        if (!octets) continue;
        // The name stands in the question, at the head's end.
        put16(records, 0xc000U | dns_head);
        put16(records, question.type);
        put16(records, class_in);
        put16(records, answer.ttl >> 16U);
        put16(records, answer.ttl & 0xffffU);
        put16(records, static_cast<unsigned>(octets->size()));
        records += *octets;
        ++count;
    }
    const bool is_truncated = !over_tcp && read->end + records.size() > dns_datagram;
    std::string response(message.substr(0, 2));
    // A response with authority, recursion as it was desired; and available.
    put16(response, 0x8400U | (get16(message, 2) & 0x0100U) | 0x0080U |
                        (is_truncated ? 0x0200U : 0U) | answer.code);
    put16(response, 1);
    put16(response, is_truncated ? 0 : count);
    put16(response, 0);
    put16(response, 0);
    response += message.substr(dns_head, read->end - dns_head);
    if (!is_truncated) response += records;
    return response;
}

}  // namespace entente::conformance
