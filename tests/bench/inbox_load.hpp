// Events that another server hands to a server's inbox: a peer of our own, which signs its
// requests before the clock starts and sends them over several connections at once. The
// peer is a trusted one with budgets and limits out of the way; all else is stock.
#pragma once

#include <cstddef>
#include <vector>

namespace entente::bench {

constexpr std::size_t inbox_connections = 8;

struct InboxFigures {
    std::size_t batch = 0;  // events a transaction
    double events_per_second = 0;
    double cpu_us_per_event = 0;  // of the server
    double sender_share = 0;      // CPU of the sender, of one core
};

// For each batch size `transactions_of(batch)` transactions, each answered with all of
// its events accepted; Broken where one isn't.
[[nodiscard]] std::vector<InboxFigures> measure_inbox(const std::vector<std::size_t>& batches,
                                                      std::size_t events_each);

}  // namespace entente::bench
