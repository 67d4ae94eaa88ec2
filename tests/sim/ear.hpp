// Hears, as a WebSocket would, what becomes durable in one process: each entry of a channel
// once and in the log's order.
#pragma once

#include <map>
#include <string>

#include "federation/channels.hpp"
#include "tests/sim/trace.hpp"

namespace entente::sim {

class Ear final : public federation::CommitListener {
 public:
    Ear(Trace& trace, std::string name) : trace_(trace), name_(std::move(name)) {}

    void entries_committed(const protocol::ChannelId& channel,
                           const std::shared_ptr<const federation::ClientEntries>& entries) override
    {
        for (const auto& entry : *entries) {
            auto& last = heard_[channel];
            // A server that joins again begins further on.
            if (entry.seq <= last)
                trace_.fault(name_ + " shows " + std::to_string(entry.seq) + " of " +
                             channel.str() + " behind " + std::to_string(last));
            last = entry.seq;
        }
    }
    void delivery_changed(const protocol::ChannelId& /*channel*/, const protocol::UserId& author,
                          const federation::Posted& posted) override
    {
        if (posted.state == federation::DeliveryState::rejected && posted.problem)
            trace_.say(author.str(), "hears that an event was refused: " +
                                         std::string(protocol::code_name(posted.problem->code)));
    }
    void delivered_to(const protocol::ChannelId& /*channel*/,
                      const protocol::ServerName& /*server*/, std::int64_t /*seq*/) override
    {
    }
    void membership_changed(const protocol::UserId& /*user*/) override {}
    void channel_frozen(const protocol::ChannelId& channel, bool frozen) override
    {
        trace_.say(name_, channel.str() + (frozen ? " is frozen" : " goes on"));
    }
    void channel_stalled(const protocol::ChannelId& /*channel*/,
                         const std::optional<federation::Stalled>& /*stalled*/) override
    {
    }

 private:
    Trace& trace_;
    std::string name_;
    std::map<protocol::ChannelId, std::int64_t> heard_;
};

}  // namespace entente::sim
