// What Settlement carries from an answer to the commit that stores it; for its own files only.
#pragma once

#include <map>
#include <set>
#include <string>

#include "federation/links/settlement.hpp"

namespace entente::federation {

// A join's verified snapshot, by the id of the join.
struct Settlement::Join {
    protocol::Snapshot snapshot;
    protocol::ChannelState state;
    std::int64_t floor = 0;
};

struct Settlement::Job {
    ServerName peer;
    BatchDraft draft;
    protocol::TransactionResult result;
    std::map<std::string, Join> joins;  // by event id, octets
    std::set<std::string> disbelieved;  // channels of which the peer claimed what it can't show
    std::map<std::size_t, protocol::Consent> consents;  // by the direct event
};

}  // namespace entente::federation
