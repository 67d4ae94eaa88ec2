// What the gate and the inbox have done since the start, by stage and by verdict. Kept by them,
// shown by who puts the parts together.
#pragma once

#include <array>

#include "net/figures.hpp"
#include "protocol/result.hpp"
#include "protocol/transaction.hpp"

namespace entente::federation {

// The last of each: there is a counter for every one of them.
inline constexpr std::size_t count_of_codes = static_cast<std::size_t>(Code::internal) + 1;
inline constexpr std::size_t count_of_verdicts =
    static_cast<std::size_t>(protocol::ItemStatus::need_snapshot) + 1;

struct Figures {
    // Requests of other servers: from the head to the decision, refused ones too.
    net::Histogram gate;
    std::array<net::Counter, count_of_codes> gate_refused;
    // A transaction's way: its text is read; roots, proofs and hashes are checked, keys fetched
    // among them; it waits for the writer, is applied and durable.
    net::Histogram read, verify, commit;
    // Events, of submissions and direct; entries of logs aren't judged one by one.
    std::array<net::Counter, count_of_verdicts> items;
    std::array<net::Counter, count_of_codes> items_refused;

    void count(const protocol::TransactionResult& result)
    {
        for (const auto& submission : result.submissions)
            for (const auto& event : submission.events) count(event);
        for (const auto& event : result.direct) count(event);
    }

 private:
    void count(const protocol::EventResult& event)
    {
        items[static_cast<std::size_t>(event.status)].add();
        if (event.problem) items_refused[static_cast<std::size_t>(event.problem->code)].add();
    }
};

}  // namespace entente::federation
