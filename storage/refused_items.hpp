// Which items of transactions were refused for good, for as long as an older copy of one may
// still come: the copy must not be taken after its author has heard of the refusal [INBOX-18].
// Lies in the replay window, whose promises it shares: what it lost with a fallen machine is
// older than anything that the window then lets pass. Blocking, thread-safe.
#pragma once

#include <optional>

#include "protocol/clock.hpp"
#include "protocol/octets.hpp"
#include "protocol/result.hpp"

namespace entente::storage {

class RefusedItems {
 public:
    virtual ~RefusedItems() = default;
    // `item` is its event id; kept until the window's sweep passes `expires`. Survives a
    // kill -9 when it returns.
    [[nodiscard]] virtual Result<void> note_refused(const protocol::Hash& item, Code code,
                                                    protocol::Seconds expires) = 0;
    // What it was refused with; nothing where it wasn't, or that is forgotten.
    [[nodiscard]] virtual Result<std::optional<Code>> find_refused(const protocol::Hash& item) = 0;
};

}  // namespace entente::storage
