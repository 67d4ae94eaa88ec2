// One transaction to a peer: what is owed to it, read from the store up to the limits, then
// sealed, checkpointed and signed at once [INBOX-7]. Sends nothing and changes nothing.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "federation/identity.hpp"
#include "protocol/transaction.hpp"
#include "storage/driver.hpp"
#include "storage/log_reader.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

struct BatchLimits {
    std::size_t octets = 1'000'000;  // of events and contents
    std::size_t items = 1000;
};

// What a link must not send yet, because the peer asked for patience with it.
struct Held {
    std::set<std::string> submissions;  // channels
    std::set<std::string> logs;         // channels
    bool direct = false;
    std::set<std::string> heartbeats;  // channels whose acks are due, whether or not entries are
};

struct SubmissionPart {
    protocol::ChannelId channel;
    std::vector<storage::SubmissionRow> rows;
};

struct LogPart {
    storage::ChannelRow channel;
    storage::LogPage page;
    std::int64_t until = 0;
    std::map<std::string, std::int64_t> acks;
};

struct BatchDraft {
    std::vector<SubmissionPart> submissions;
    std::vector<LogPart> logs;
    std::vector<storage::DirectRow> direct;
    std::size_t items = 0;
    std::size_t octets = 0;  // of events and contents

    [[nodiscard]] bool empty() const
    {
        return submissions.empty() && logs.empty() && direct.empty();
    }
};

// On a reader.
[[nodiscard]] Result<BatchDraft> read_batch(storage::Connection& db, const ServerName& self,
                                            const ServerName& peer, const BatchLimits& limits,
                                            const Held& held);

[[nodiscard]] protocol::OutgoingTransaction sign_batch(const BatchDraft& draft,
                                                       const Identity& identity, Millis now);

// The slice for a page as the home sends it, its own checkpoint's leaf added to `leaves`
// and the seals' roots to `roots` behind the place of the home's own, which is 0.
[[nodiscard]] protocol::Slice home_slice(const LogPart& part, protocol::RootBuilder& leaves,
                                         storage::RunProofs& roots);

}  // namespace entente::federation
