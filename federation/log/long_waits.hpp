// Tells people what has waited too long: logs whose slices are refused for a day [LOG-1],
// submissions that their home hasn't numbered in a week [RETRY-1]. Each is told once, and
// that it was told is durable; a daemon that dies just then has told only by the channel's
// summary and the message's delivery, which say it as long as it lasts. Changes nothing of
// how either is tried again.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "federation/notices.hpp"
#include "protocol/clock.hpp"
#include "protocol/log.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {

inline constexpr Millis refused_notice_ms = Millis{24} * 3600 * 1000;
inline constexpr Millis unsent_notice_ms = Millis{7} * 24 * 3600 * 1000;
// What one round tells at most; the rest waits for the next.
inline constexpr std::size_t max_stalls_per_round = 100;
inline constexpr std::size_t max_overdue_per_round = 500;
// What a client that connects is told at once.
inline constexpr std::size_t max_overdue_at_once = 100;

struct LongWaitsParts {
    storage::ChannelLogStore& store;
    storage::GroupCommit& commits;
    Notices& notices;
    protocol::Log& log;
    const protocol::Clock& clock;
};

class LongWaits {
 public:
    explicit LongWaits(LongWaitsParts parts) : parts_(parts) {}

    // A slice by the channel's home was refused, not only put off. In a writer's job; so is
    // `over`: the log has gone on, or another end was made of it.
    [[nodiscard]] Result<void> refused(storage::WriteTransaction& transaction,
                                       storage::LiveChannel& channel, const Error& problem);
    [[nodiscard]] Result<void> over(storage::WriteTransaction& transaction,
                                    storage::LiveChannel& channel);

    // A round over all that is due, also where nobody tries any more. To be called now and
    // then.
    asio::awaitable<Result<void>> tell();

 private:
    [[nodiscard]] Result<void> tell_stalls(storage::WriteTransaction& transaction);
    [[nodiscard]] Result<void> tell_overdue(storage::WriteTransaction& transaction);
    void tell_stall(storage::WriteTransaction& transaction, const storage::LiveChannel& channel,
                    const storage::Stall& stall);

    LongWaitsParts parts_;
};

// What a client sees of a stall; nothing before it was told.
[[nodiscard]] std::optional<Stalled> shown(const std::optional<storage::Stall>& stall);

}  // namespace entente::federation
