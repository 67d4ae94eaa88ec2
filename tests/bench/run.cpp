#include "tests/bench/run.hpp"

#include <algorithm>

#include <unistd.h>

#include "tests/bench/drive.hpp"

namespace entente::bench {

namespace {

// A thread that shares its core may have no time left at less.
constexpr double shared_share = 0.5;
constexpr Nanoseconds drain_time = 30'000'000'000;
constexpr Nanoseconds stall_time = 600'000'000'000;

Nanoseconds nanoseconds(double seconds)
{
    return static_cast<Nanoseconds>(seconds * 1e9);
}

// What clocks and counters say at one moment.
struct Moment {
    Nanoseconds wall = 0, client = 0, held_up = 0, a = 0, b = 0, all = 0;
    std::int64_t syncs_a = 0, syncs_b = 0, done = 0;
};

Moment now(Servers& servers, const Traffic& traffic)
{
    return {wall_now(),
            thread_cpu_now(),
            thread_held_up(),
            process_cpu_now(servers.a().pid()),
            process_cpu_now(servers.b().pid()),
            machine_cpu_now(),
            servers.syncs(Side::a),
            servers.syncs(Side::b),
            traffic.done()};
}

RunFigures figures_between(const Moment& begin, const Moment& end)
{
    RunFigures figures;
    figures.messages = end.done - begin.done;
    const auto wall = static_cast<double>(end.wall - begin.wall);
    const auto messages = static_cast<double>(std::max<std::int64_t>(figures.messages, 1));
    const auto each = [messages](std::int64_t from, std::int64_t to) {
        return static_cast<double>(to - from) / messages;
    };
    figures.messages_per_second = static_cast<double>(figures.messages) / wall * 1e9;
    figures.cpu_a = each(begin.a, end.a) / 1e3;
    figures.cpu_b = each(begin.b, end.b) / 1e3;
    figures.cpu_client = each(begin.client, end.client) / 1e3;
    figures.syncs_a = each(begin.syncs_a, end.syncs_a);
    figures.syncs_b = each(begin.syncs_b, end.syncs_b);
    figures.client_share = static_cast<double>(end.client - begin.client) / wall;
    figures.client_held_up = static_cast<double>(end.held_up - begin.held_up) / wall;
    const auto cores = static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN));
    const auto ours = end.a - begin.a + end.b - begin.b + end.client - begin.client;
    const auto others = static_cast<double>(end.all - begin.all - ours);
    figures.others_share = std::max(others / wall / cores, 0.0);
    figures.servers_share = static_cast<double>(end.a - begin.a + end.b - begin.b) / wall / cores;
    return figures;
}

void go(Drive& drive, const Traffic& traffic, const RunOptions& options, double seconds)
{
    if (options.paced > 0) return drive.run_paced(wall_now() + nanoseconds(seconds), options.paced);
    if (options.messages == 0) return drive.run(wall_now() + nanoseconds(seconds));
    drive.run(wall_now() + stall_time, [&] { return traffic.done() >= options.messages; });
}

}  // namespace

bool RunFigures::client_was_the_bottleneck() const
{
    return client_share >= bottleneck_share ||
           (client_share >= shared_share && client_share + client_held_up >= bottleneck_share);
}

RunFigures run_shape(Servers& servers, Crowd& crowd, const Shape& shape, const RunOptions& options)
{
    std::vector<std::unique_ptr<LoadSocket>> owned;
    std::vector<LoadSocket*> sockets;
    for (const auto& seat : shape.seats) {
        owned.push_back(crowd.open(seat.person, seat.follow));
        sockets.push_back(owned.back().get());
    }
    Traffic traffic(
        sockets.size(),
        [&](std::size_t socket, std::string_view frame) { sockets[socket]->send(frame); },
        shape.flows, options.posts_a_frame);
    Drive drive(sockets, traffic);
    if (options.paced == 0) traffic.open();
    if (options.warm_up > 0) {
        RunOptions warm = options;
        warm.messages = 0;
        go(drive, traffic, warm, options.warm_up);
    }
    traffic.keep_latencies(true);
    const auto begin = now(servers, traffic);
    go(drive, traffic, options, options.seconds);
    const auto end = now(servers, traffic);
    traffic.keep_latencies(false);
    traffic.close();
    if (traffic.under_way() > 0)
        drive.run(wall_now() + drain_time, [&] { return traffic.under_way() == 0; });

    auto figures = figures_between(begin, end);
    figures.p50 = quantile(traffic.latencies(), 0.5);
    figures.p99 = quantile(traffic.latencies(), 0.99);
    figures.faults = traffic.judge();
    return figures;
}

RunFigures median_of(const std::vector<RunFigures>& runs)
{
    RunFigures all;
    const auto take = [&](double RunFigures::* figure) {
        std::vector<double> values;
        for (const auto& run : runs) values.push_back(run.*figure);
        all.*figure = median(std::move(values));
    };
    for (const auto figure :
         {&RunFigures::messages_per_second, &RunFigures::cpu_a, &RunFigures::cpu_b,
          &RunFigures::cpu_client, &RunFigures::client_share, &RunFigures::client_held_up,
          &RunFigures::others_share, &RunFigures::servers_share, &RunFigures::p50, &RunFigures::p99,
          &RunFigures::syncs_a, &RunFigures::syncs_b})
        take(figure);
    for (const auto& run : runs) {
        all.messages += run.messages;
        all.faults.add(run.faults);
    }
    return all;
}

}  // namespace entente::bench
