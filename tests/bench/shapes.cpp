#include "tests/bench/shapes.hpp"

#include <algorithm>

#include <unistd.h>

#include "tests/bench/drive.hpp"

namespace entente::bench {

namespace {

constexpr double bottleneck_share = 0.9;
constexpr Nanoseconds drain_time = 30'000'000'000;

Nanoseconds nanoseconds(double seconds)
{
    return static_cast<Nanoseconds>(seconds * 1e9);
}

// What the clocks say at one moment.
struct Moment {
    Nanoseconds wall = 0, client = 0, a = 0, b = 0;
    std::int64_t done = 0;
};

Moment now(e2e::World& world, const Traffic& traffic)
{
    return {wall_now(), thread_cpu_now(), process_cpu_now(world["a.test"].pid()),
            process_cpu_now(world["b.test"].pid()), traffic.done()};
}

RunFigures figures_between(const Moment& begin, const Moment& end)
{
    RunFigures figures;
    figures.messages = end.done - begin.done;
    const auto wall = static_cast<double>(end.wall - begin.wall);
    const auto messages = static_cast<double>(std::max<std::int64_t>(figures.messages, 1));
    const auto each = [messages](Nanoseconds from, Nanoseconds to) {
        return static_cast<double>(to - from) / 1e3 / messages;
    };
    figures.messages_per_second = static_cast<double>(figures.messages) / wall * 1e9;
    figures.cpu_a = each(begin.a, end.a);
    figures.cpu_b = each(begin.b, end.b);
    figures.cpu_client = each(begin.client, end.client);
    figures.client_share = static_cast<double>(end.client - begin.client) / wall;
    const auto cores = static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN));
    figures.servers_share = static_cast<double>(end.a - begin.a + end.b - begin.b) / wall / cores;
    return figures;
}

}  // namespace

Shape pairs_shape(Crowd& crowd, std::size_t pairs, std::size_t in_flight)
{
    Shape shape;
    shape.name = std::to_string(pairs) + (pairs == 1 ? " pair" : " pairs");
    crowd.grow(pairs);
    const std::size_t channels_a_pair = pairs == 1 ? 2 : 1;
    std::vector<ChannelPlan> plans;
    for (std::size_t i = 0; i < pairs * channels_a_pair; ++i) {
        const auto pair = i / channels_a_pair;
        const auto a = Crowd::on_a(pair), b = Crowd::on_b(pair);
        plans.push_back({i % 2 == 0 ? std::vector{a, b} : std::vector{b, a}, "group"});
    }
    const auto channels = crowd.make_channels(plans);
    for (std::size_t pair = 0; pair < pairs; ++pair) {
        Shape::Seat writer, reader;
        writer.person = Crowd::on_a(pair);
        reader.person = Crowd::on_b(pair);
        for (std::size_t i = 0; i < channels_a_pair; ++i) {
            const auto& channel = channels[pair * channels_a_pair + i];
            reader.follow.push_back(channel);
            shape.flows.push_back({channel, 2 * pair, {2 * pair + 1}, in_flight / channels_a_pair});
        }
        shape.seats.push_back(std::move(writer));
        shape.seats.push_back(std::move(reader));
    }
    return shape;
}

bool RunFigures::client_was_the_bottleneck() const
{
    return client_share >= bottleneck_share;
}

RunFigures run_shape(e2e::World& world, Crowd& crowd, const Shape& shape, const RunOptions& options)
{
    std::vector<std::unique_ptr<LoadSocket>> owned;
    std::vector<LoadSocket*> sockets;
    for (const auto& seat : shape.seats) {
        owned.push_back(crowd.open(seat.person, seat.follow));
        sockets.push_back(owned.back().get());
    }
    Traffic traffic(sockets, shape.flows, options.posts_a_frame);
    Drive drive(sockets, traffic);
    const auto go = [&](double seconds) {
        const auto deadline = wall_now() + nanoseconds(seconds);
        if (options.paced > 0)
            drive.run_paced(deadline, options.paced);
        else
            drive.run(deadline);
    };
    if (options.paced == 0) traffic.open();
    go(options.warm_up);
    traffic.keep_latencies(true);
    const auto begin = now(world, traffic);
    go(options.seconds);
    const auto end = now(world, traffic);
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

}  // namespace entente::bench
