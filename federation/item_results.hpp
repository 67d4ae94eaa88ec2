// What an item of a transaction is answered where it isn't taken [INBOX-1]: refused for good, or
// put off. Judges no item: the rooms that take them do.
#pragma once

#include <cstdint>
#include <optional>

#include "protocol/transaction.hpp"

namespace entente::federation {

using protocol::Millis;

// [EVT-5] How often, at the least, an event from the near future is handed in again: the clock
// that was wrong may be put right meanwhile.
inline constexpr std::int64_t longest_early_retry_seconds = 60;
// `unavailable`, to be tried again, of an `at` up to an hour beyond what is taken at once, else
// `malformed`.
[[nodiscard]] Result<void> check_not_ahead(Millis at, Millis now);

// [INBOX-3, INBOX-4] Why an event is put off with which nothing is wrong.
[[nodiscard]] Error earlier_one_waits();

// Whether trying the same again later may help: such a problem defers an item.
[[nodiscard]] bool is_passing(const Error& problem);

// A problem as an item of a 200 says it: `deferred` where trying again later may help.
[[nodiscard]] protocol::EventResult refused_event(std::optional<protocol::Hash> id,
                                                  const Error& problem);

}  // namespace entente::federation
