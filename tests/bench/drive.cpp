#include "tests/bench/drive.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include <sys/epoll.h>
#include <unistd.h>

namespace entente::bench {

Drive::Drive(std::vector<LoadSocket*> sockets, Traffic& traffic)
    : sockets_(std::move(sockets)),
      watched_(sockets_.size()),
      traffic_(traffic),
      epoll_(::epoll_create1(EPOLL_CLOEXEC))
{
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = i;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, sockets_[i]->fd(), &event) != 0)
            throw e2e::Broken("epoll");
    }
}

Drive::~Drive()
{
    ::close(epoll_);
}

void Drive::watch_writes(std::size_t index)
{
    const bool wanted = sockets_[index]->wants_to_write();
    if (wanted == watched_[index]) return;
    watched_[index] = wanted;
    epoll_event event{};
    event.events = EPOLLIN;
    if (wanted) event.events |= EPOLLOUT;
    event.data.u64 = index;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, sockets_[index]->fd(), &event);
}

void Drive::round(Nanoseconds until)
{
    for (std::size_t i = 0; i < sockets_.size(); ++i) watch_writes(i);
    std::array<epoll_event, 256> events{};
    const auto left = std::max<Nanoseconds>(until - wall_now(), 0);
    const timespec time{left / 1'000'000'000, left % 1'000'000'000};
    const int ready =
        ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &time, nullptr);
    if (ready < 0 && errno != EINTR) throw e2e::Broken("epoll");
    for (int i = 0; i < ready; ++i) {
        const auto index = static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.u64);
        auto& socket = *sockets_[index];
        if (socket.wants_to_write()) socket.flush();
        const auto now = wall_now();
        socket.read([&](std::string_view frame) { traffic_.take(index, frame, now); });
    }
    traffic_.send_waiting();
}

void Drive::run(Nanoseconds deadline, const std::function<bool()>& done)
{
    while (wall_now() < deadline) {
        round(deadline);
        if (done && done()) return;
    }
}

void Drive::run_paced(Nanoseconds deadline, double a_second)
{
    const auto step = static_cast<Nanoseconds>(1e9 / a_second);
    std::size_t flow = 0;
    for (auto due = wall_now(); due < deadline; due += step) {
        while (wall_now() < due) round(due);
        traffic_.post_one(flow, due);
        flow = (flow + 1) % traffic_.flows();
    }
}

}  // namespace entente::bench
