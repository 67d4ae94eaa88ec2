// What the inbox holds of one transaction, for its own sources alone.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "federation/inbox/inbox.hpp"
#include "federation/log/succession.hpp"

namespace entente::federation {

// A transaction between its reading and its commit.
struct Inbox::Work {
    ServerName origin;
    trust::Tier tier = trust::Tier::guest;
    std::size_t octets = 0;  // of its body
    std::vector<VerifiedSubmission> submissions;
    std::vector<std::size_t> event_budgets;  // how many events of each submission may be taken
    std::set<std::size_t> roots;             // that items within the budget name
    std::vector<VerifiedSlice> slices;
    std::vector<VerifiedDirect> direct;
    std::vector<KeyRef> own_keys;  // of this server, as the I/O thread has them
    // Nothing in the place of one that is beyond the budget, or can't be read.
    std::vector<std::optional<HeardSignal>> signals;
    // Which slices and direct events lie beyond the budget, and for how long.
    std::vector<std::optional<Error>> slice_limits;
    std::vector<std::optional<Error>> direct_limits;
    std::int64_t retry_after = 1;
    // What no order of events can have made honest, as it was found without looking at any state.
    std::vector<trust::Offence> faults;
};

// What came of it.
struct Inbox::Outcome {
    protocol::TransactionResult result;
    struct Granted {
        std::size_t submission = 0;
        std::size_t event = 0;
        JoinGrant grant;
    };
    std::vector<Granted> grants;
    std::map<std::size_t, MoveQuestion> consents;  // by the direct event
    std::string first;                             // of an equivocation
};

}  // namespace entente::federation
