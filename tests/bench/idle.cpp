#include "tests/bench/idle.hpp"

#include <memory>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include "tests/bench/drive.hpp"

namespace entente::bench {

namespace {

constexpr std::size_t people = 20;             // whose WebSockets they are
constexpr std::size_t sockets_a_source = 500;  // a server has a bound for each address
constexpr std::size_t sockets_a_step = 200;
constexpr Nanoseconds settle = 3'000'000'000;

}  // namespace

void raise_file_limit()
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

IdleFigures measure_idle(Servers& servers, std::size_t starts)
{
    std::vector<double> times, sizes;
    for (std::size_t i = 0; i < starts; ++i) {
        times.push_back(servers.restart_a());
        std::this_thread::sleep_for(std::chrono::seconds(1));
        sizes.push_back(resident_kib(servers.a().pid()) / 1024);
    }
    return {median(times), median(sizes)};
}

double measure_idle_websocket(Servers& servers, Crowd& crowd, std::size_t count)
{
    crowd.grow(people);
    std::vector<std::string> channels;
    for (std::size_t i = 0; i < people; ++i)
        channels.push_back(crowd.make_channels({{{Crowd::on_a(i)}, "group"}}).at(0));
    (void)servers.restart_a();
    const auto before = resident_kib(servers.a().pid());

    // Pings have to be answered while the others are opened.
    std::vector<std::unique_ptr<LoadSocket>> owned;
    std::vector<LoadSocket*> sockets;
    const auto serve = [&](Nanoseconds time) {
        Traffic none(sockets.size(), {}, {}, 1);
        Drive drive(sockets, none);
        drive.run(wall_now() + time);
        for (auto* socket : sockets) socket->give_back();
    };
    while (owned.size() < count) {
        const auto source = "127.0.2." + std::to_string(1 + owned.size() / sockets_a_source);
        const auto person = owned.size() % people;
        owned.push_back(crowd.open(Crowd::on_a(person), {channels[person]}, source));
        sockets.push_back(owned.back().get());
        if (owned.size() % sockets_a_step == 0) serve(1'000'000);
    }
    serve(settle);
    const auto after = resident_kib(servers.a().pid());
    return (after - before) / static_cast<double>(count);
}

}  // namespace entente::bench
