// Events that another server hands to a server's inbox, in transactions of several sizes.
#pragma once

#include <cstddef>
#include <vector>

namespace entente::bench {

struct InboxFigures {
    std::size_t batch = 0;  // events a transaction
    double events_per_second = 0;
    double cpu_us_per_event = 0;  // of the server
    double sender_share = 0;      // CPU of the sender, of one core
    // It had hardly any time left: then the server would have taken more.
    [[nodiscard]] bool sender_was_the_bottleneck() const;
};

// About `events_each` events for each batch size, and at least 40 transactions. The server
// delivers what it takes to the peer as it does to any follower.
[[nodiscard]] std::vector<InboxFigures> measure_inbox(const std::vector<std::size_t>& batches,
                                                      std::size_t events_each);

}  // namespace entente::bench
