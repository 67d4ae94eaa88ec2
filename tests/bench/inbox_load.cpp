#include "tests/bench/inbox_load.hpp"

#include <algorithm>

#include <unistd.h>

#include "tests/bench/measure.hpp"
#include "tests/bench/peer.hpp"
#include "tests/bench/run.hpp"

namespace entente::bench {

namespace {

constexpr std::size_t min_transactions = 40;
constexpr std::size_t max_transactions = 10'000;

InboxFigures measure_batch(Peer& peer, std::size_t batch, std::size_t events_each)
{
    const auto count = std::clamp(events_each / batch, min_transactions, max_transactions);
    const auto requests = peer.requests(count, batch);
    const auto pid = peer.server().pid();
    const auto wall = wall_now(), server = process_cpu_now(pid), own = process_cpu_now(::getpid());
    peer.send(requests, batch);
    const auto spent = static_cast<double>(wall_now() - wall);
    const auto events = static_cast<double>(count * batch);
    InboxFigures figures;
    figures.batch = batch;
    figures.events_per_second = events / spent * 1e9;
    figures.cpu_us_per_event = static_cast<double>(process_cpu_now(pid) - server) / 1e3 / events;
    figures.sender_share = static_cast<double>(process_cpu_now(::getpid()) - own) / spent;
    return figures;
}

}  // namespace

bool InboxFigures::sender_was_the_bottleneck() const
{
    return sender_share >= bottleneck_share;
}

std::vector<InboxFigures> measure_inbox(const std::vector<std::size_t>& batches,
                                        std::size_t events_each)
{
    Peer peer;
    std::vector<InboxFigures> all;
    for (const auto batch : batches) all.push_back(measure_batch(peer, batch, events_each));
    return all;
}

}  // namespace entente::bench
