// What a peer has asked to be spared for a while: a channel's submissions or its log, direct
// events. In memory; a restart forgets it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "federation/links/batch.hpp"
#include "federation/links/settlement.hpp"
#include "protocol/clock.hpp"

namespace entente::federation {

class LinkHolds {
 public:
    explicit LinkHolds(const protocol::Clock& clock) : clock_(clock) {}

    // The answer to `draft`: what was held and isn't any more is forgotten, of its channels alone.
    void remember(const BatchDraft& draft, const Settled& settled);
    // All that the draft carries, each by its own doubling: it could not be delivered.
    void hold(const BatchDraft& draft);
    void hold_log(const std::string& channel);
    void free_log(const std::string& channel) { logs_.erase(channel); }
    // Adds what is held as of `now`.
    void add_to(Held& held, Millis now) const;
    // When the next hold ends that ends behind `now`.
    [[nodiscard]] std::optional<Millis> next_end(Millis now) const;

 private:
    struct Hold {
        Millis until = 0;
        int doublings = 0;
    };
    using Holds = std::map<std::string, Hold>;  // by channel, if nothing else is said

    void forget_over(Holds& holds, const std::function<bool(const std::string&)>& is_answered);
    // The peer's own figure where it gave one, else 1 s doubling to an hour.
    void hold_longer(Hold& hold, std::int64_t seconds, Millis longest) const;

    const protocol::Clock& clock_;
    Holds submissions_;
    Holds logs_;
    Holds direct_;  // by sequence
};

}  // namespace entente::federation
