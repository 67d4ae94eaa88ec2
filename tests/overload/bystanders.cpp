#include "tests/overload/bystanders.hpp"

#include <algorithm>
#include <sstream>

#include "tests/bench/drive.hpp"
#include "tests/bench/measure.hpp"

namespace entente::overload {

using bench::Nanoseconds;
using bench::wall_now;

namespace {

constexpr double messages_a_second = 50;
constexpr Nanoseconds slice = 500'000'000;
constexpr Nanoseconds drain_time = 60'000'000'000;
// An address of their own: what servers grant an address isn't shared with those who flood.
constexpr const char* source = "127.0.7.1";

}  // namespace

std::string Experience::text() const
{
    std::ostringstream line;
    line << messages << " messages, p50 " << p50 << " ms, p99 " << p99 << " ms, worst " << worst
         << " ms";
    if (faults.any()) line << "; " << faults.text();
    return line.str();
}

Bystanders::Bystanders(e2e::World& world, const std::vector<std::string>& writers,
                       const std::vector<std::string>& readers)
{
    for (std::size_t i = 0; i < writers.size(); ++i) {
        const auto name = std::to_string(i);
        auto& writer = *clients_.emplace_back(
            std::make_unique<e2e::Client>(world[writers[i]], "writer" + name, source));
        writer.register_user();
        auto& reader = *clients_.emplace_back(
            std::make_unique<e2e::Client>(world[readers.at(i)], "reader" + name, source));
        reader.register_user();
        const auto channel = writer.create_channel("quiet");
        writer.invite(channel, reader.user());
        reader.join(channel);
        bench::FlowPlan flow;
        flow.channel = channel;
        flow.writer = sockets_.size();
        open(world, writer, channel);
        flow.readers = {sockets_.size()};
        open(world, reader, channel);
        flows_.push_back(flow);
    }
}

Bystanders::~Bystanders()
{
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

void Bystanders::open(const e2e::World& world, e2e::Client& client, const std::string& channel)
{
    const auto& node = client.node();
    const bench::TlsClient tls(node.name(), node.port(), world.ca_file());
    auto& socket = *sockets_.emplace_back(
        std::make_unique<bench::LoadSocket>(tls, source, client.open_ticket()));
    const e2e::json cursors{{channel, client.channel(channel).at("latest")}};
    bench::FrameText frame;
    frame.append(e2e::json{{"follow", cursors}}.dump());
    socket.send(frame.finish());
}

void Bystanders::start()
{
    stopping_ = false;
    broken_ = nullptr;
    thread_ = std::thread([this] {
        try {
            run();
        } catch (...) {
            broken_ = std::current_exception();
        }
    });
}

void Bystanders::run()
{
    std::vector<bench::LoadSocket*> sockets;
    for (const auto& socket : sockets_) sockets.push_back(socket.get());
    bench::Traffic traffic(
        sockets.size(),
        [&](std::size_t index, std::string_view frame) { sockets[index]->send(frame); }, flows_, 1);
    bench::Drive drive(sockets, traffic);
    traffic.keep_latencies(true);
    while (!stopping_) drive.run_paced(wall_now() + slice, messages_a_second);
    if (traffic.under_way() > 0)
        drive.run(wall_now() + drain_time, [&] { return traffic.under_way() == 0; });
    experience_ = {};
    const auto& times = traffic.latencies();
    experience_.messages = times.size();
    experience_.p50 = bench::quantile(times, 0.5);
    experience_.p99 = bench::quantile(times, 0.99);
    experience_.worst = bench::quantile(times, 1);
    experience_.faults = traffic.judge();
}

Experience Bystanders::stop()
{
    stopping_ = true;
    thread_.join();
    if (broken_) std::rethrow_exception(broken_);
    return experience_;
}

Experience Bystanders::spend(e2e::Milliseconds time)
{
    start();
    std::this_thread::sleep_for(time);
    return stop();
}

}  // namespace entente::overload
