// Tells the authors of events that waited beside a log what became of them.
#pragma once

#include "federation/log/home_log.hpp"
#include "federation/notices.hpp"

namespace entente::federation {

// On the I/O thread, after the commit.
inline void tell_authors(const Notices& notices, const ChannelId& channel,
                         const HomeLog::Waited& waited)
{
    for (const auto& [row, seq] : waited.settled) {
        Posted posted;
        posted.event_id = row.event_id;
        posted.state = seq ? DeliveryState::accepted : DeliveryState::rejected;
        if (seq) posted.seq = *seq;
        if (!seq) posted.problem = seq.error();
        const auto author = UserId::trusted(row.user);
        notices.tell(
            [&](CommitListener& listener) { listener.delivery_changed(channel, author, posted); });
    }
}

}  // namespace entente::federation
