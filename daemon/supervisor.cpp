#include "daemon/supervisor.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace entente::daemon {

namespace {

constexpr std::uint64_t most_passed_sockets = 256;

std::optional<std::uint64_t> number_in(const std::optional<std::string>& text)
{
    std::uint64_t number = 0;
    if (!text || text->empty()) return std::nullopt;
    const char* const end = text->data() + text->size();
    const auto [at, error] = std::from_chars(text->data(), end, number);
    if (error != std::errc{} || at != end) return std::nullopt;
    return number;
}

// Whoever started us through a shell may have meant the shell.
bool is_meant(const std::optional<std::string>& process)
{
    return !process || number_in(process) == static_cast<std::uint64_t>(::getpid());
}

std::uint64_t monotonic_us()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

std::optional<int> option_of(int descriptor, int option)
{
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(descriptor, SOL_SOCKET, option, &value, &size) != 0) return std::nullopt;
    return value;
}

std::optional<SocketAddress> address_of(int descriptor)
{
    if (option_of(descriptor, SO_TYPE) != SOCK_STREAM) return std::nullopt;
    if (option_of(descriptor, SO_ACCEPTCONN) != 1) return std::nullopt;
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0)
        return std::nullopt;
    if (storage.ss_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &storage, sizeof in);
        return SocketAddress{boost::asio::ip::address_v4(ntohl(in.sin_addr.s_addr)),
                             ntohs(in.sin_port)};
    }
    if (storage.ss_family != AF_INET6) return std::nullopt;
    sockaddr_in6 in{};
    std::memcpy(&in, &storage, sizeof in);
    boost::asio::ip::address_v6::bytes_type bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return SocketAddress{boost::asio::ip::address_v6(bytes), ntohs(in.sin6_port)};
}

std::vector<std::string> divide_by_colons(const std::string& text)
{
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(':', begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

}  // namespace

std::optional<std::string> process_variable(const char* name)
{
    const char* const value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

Supervisor::Supervisor(const Variable& variable)
{
    auto address = variable("NOTIFY_SOCKET").value_or("");
    if (address.size() < 2 || address.size() >= sizeof(sockaddr_un::sun_path)) return;
    if (address[0] == '@') {
        address[0] = '\0';
    } else if (address[0] != '/') {
        return;
    }
    address_ = std::move(address);
    descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto patience = number_in(variable("WATCHDOG_USEC"));
    if (patience.value_or(0) > 0 && is_meant(variable("WATCHDOG_PID")))
        patience_ = std::chrono::microseconds(*patience);
}

Supervisor::~Supervisor()
{
    if (descriptor_ >= 0) ::close(descriptor_);
}

// A full queue of the supervisor's may hold up what happens once in a life, and never what
// happens every few seconds.
void Supervisor::tell(std::string_view text, bool may_wait)
{
    if (!is_there()) return;
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, address_.data(), address_.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size() +
                                             (address_[0] == '\0' ? 0U : 1U));
    const int flags = MSG_NOSIGNAL | (may_wait ? 0 : MSG_DONTWAIT);
    (void)::sendto(descriptor_, text.data(), text.size(), flags,
                   reinterpret_cast<const sockaddr*>(&to), size);
}

void Supervisor::ready(std::string_view status)
{
    tell("READY=1\nSTATUS=" + std::string(status), true);
}

void Supervisor::reloading()
{
    tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_us()) +
             "\nSTATUS=reading certificates, keys and configuration again",
         true);
}

void Supervisor::stopping()
{
    tell("STOPPING=1\nSTATUS=requests under way are finished", true);
}

void Supervisor::status(std::string_view status)
{
    tell("STATUS=" + std::string(status), false);
}

void Supervisor::alive()
{
    tell("WATCHDOG=1", false);
}

Result<std::vector<PassedSocket>> take_passed_sockets(const Variable& variable, int first)
{
    std::vector<PassedSocket> passed;
    const auto process = variable("LISTEN_PID");
    const auto count = number_in(variable("LISTEN_FDS")).value_or(0);
    if (!process || !is_meant(process) || count == 0) return passed;
    if (count > most_passed_sockets)
        return refuse(Code::malformed,
                      "LISTEN_FDS is " + std::to_string(count) + "; hand over 256 sockets at most");
    const auto names = divide_by_colons(variable("LISTEN_FDNAMES").value_or(""));
    for (std::size_t i = 0; i < count; ++i) {
        PassedSocket socket;
        socket.descriptor = first + static_cast<int>(i);
        socket.name = i < names.size() ? names[i] : std::string();
        const auto address = address_of(socket.descriptor);
        if (!address)
            return refuse(Code::malformed,
                          "the socket \"" + socket.name +
                              "\" that was handed over doesn't listen for TCP; write "
                              "ListenStream= and an address or port into its unit");
        socket.address = *address;
        ::fcntl(socket.descriptor, F_SETFD, FD_CLOEXEC);
        passed.push_back(std::move(socket));
    }
    return passed;
}

Result<int> socket_for(const ListenerConfig& listener, std::vector<PassedSocket>& passed)
{
    if (listener.socket.empty()) return -1;
    std::string others;
    for (auto it = passed.begin(); it != passed.end(); ++it) {
        if (it->name != listener.socket) continue;
        if (it->address == listener.address) {
            const int descriptor = it->descriptor;
            passed.erase(it);
            return descriptor;
        }
        others += (others.empty() ? "" : ", ") + text_of(it->address);
    }
    if (others.empty()) return -1;
    return refuse(Code::conflict, "the socket \"" + listener.socket + "\" is handed over at " +
                                      others + ", but its listener has the address " +
                                      text_of(listener.address) +
                                      "; write the same into listener.address and ListenStream=");
}

std::string text_of(const SocketAddress& address)
{
    const auto host = address.address.to_string();
    return (address.address.is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(address.port);
}

}  // namespace entente::daemon
