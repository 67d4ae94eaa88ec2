// Makes evidence of a fork [LOG-4, LOG-11] so that a third party can check it alone: what
// the home has shown and what is held here, each with its checkpoint and the roots that
// prove it. Contents are left out: they are erased elsewhere and must then be gone.
#pragma once

#include <string_view>

#include "federation/log/verification.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/evidence_store.hpp"

namespace entente::federation {

inline constexpr std::string_view fork_evidence = "fork";
inline constexpr std::string_view unsealed_evidence = "unsealed";

// `seq` is where the slice differs from what is held, or where the event stands that this
// server did not seal. In a writer's job. False where enough is kept of this channel.
[[nodiscard]] Result<bool> keep_evidence(storage::Connection& db,
                                         const storage::LiveChannel& channel,
                                         const VerifiedSlice& shown, std::string_view kind,
                                         std::int64_t seq, Millis now);

}  // namespace entente::federation
