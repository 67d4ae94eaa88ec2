#include "tests/e2e/support/cable.hpp"

#include <array>
#include <fstream>
#include <iterator>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace entente::e2e {

namespace {

constexpr int look_ms = 20;

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void replace_in(const std::string& file, const std::string& old, const std::string& fresh)
{
    std::ifstream stream(file);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    const auto at = text.find(old);
    if (at == std::string::npos) throw Broken(file + " has no " + old);
    text.replace(at, old.size(), fresh);
    std::ofstream(file) << text;
}

}  // namespace

Cable::Cable(const World& world, const Node& from, const std::string& to)
    : target_(world.port(to)), listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    if (from.is_running()) throw Broken("a running server has its way already");
    const auto place = "\"" + to + "\" = \"127.0.0.1:";
    replace_in(from.config_file(), place + std::to_string(target_) + "\"",
               place + std::to_string(port_.number()) + "\"");
    const int on = 1;
    ::setsockopt(listening_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto address = loopback(port_.number());
    if (::bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listening_, 64) != 0)
        throw Broken("the cable's port is taken");
    thread_ = std::thread([this] { serve(); });
}

Cable::~Cable()
{
    stopping_ = true;
    thread_.join();
    close_all();
    ::close(listening_);
}

void Cable::cut()
{
    shall_be_cut_ = true;
    wait_until("the cable is cut", [this] { return is_cut_.load(); });
}

void Cable::mend()
{
    shall_be_cut_ = false;
    wait_until("the cable is whole", [this] { return !is_cut_; });
}

void Cable::serve()
{
    while (!stopping_) {
        const bool is_cut = shall_be_cut_;
        if (is_cut_ && !is_cut) close_all();
        is_cut_ = is_cut;
        std::vector<pollfd> states{{listening_, POLLIN, 0}};
        for (const auto& pair : pairs_) {
            if (is_cut) break;
            states.push_back({pair.near, POLLIN, 0});
            states.push_back({pair.far, POLLIN, 0});
        }
        if (::poll(states.data(), states.size(), look_ms) <= 0) continue;
        std::size_t place = 1;
        for (auto& pair : pairs_) {
            if (is_cut) break;
            if (states[place++].revents != 0) pass(pair, pair.near, pair.far);
            if (states[place++].revents != 0) pass(pair, pair.far, pair.near);
        }
        if (states[0].revents != 0) take_one();
        pairs_.remove_if([](const Pair& pair) {
            if (!pair.ended) return false;
            ::close(pair.near);
            ::close(pair.far);
            return true;
        });
    }
}

void Cable::take_one()
{
    const int near = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (near < 0) return;
    const int far = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(target_);
    pairs_.push_back({near, far, false});
    ++connections_;
    // A server that isn't there refuses, as it would without a cable.
    if (::connect(far, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        pairs_.back().ended = true;
}

void Cable::pass(Pair& pair, int from, int to)
{
    std::array<char, 65'536> octets{};
    const auto got = ::recv(from, octets.data(), octets.size(), MSG_DONTWAIT);
    if (got <= 0) {
        pair.ended = true;
        return;
    }
    for (ssize_t sent = 0; sent < got && !pair.ended;) {
        const auto put =
            ::send(to, octets.data() + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
        if (put <= 0) pair.ended = true;
        sent += put;
    }
}

void Cable::close_all()
{
    for (const auto& pair : pairs_) {
        ::close(pair.near);
        ::close(pair.far);
    }
    pairs_.clear();
}

}  // namespace entente::e2e
