#pragma once

// The longest that the runner waits for a target, whatever a case would wait: selftest has targets
// that never answer.

#include "conformance/sockets/deadline.hpp"

namespace entente::conformance {

// 0: as long as each wait says. For all threads.
void set_patience(Millis longest);

// The deadline, or where patience ends.
[[nodiscard]] Deadline within_patience(Deadline deadline);

}  // namespace entente::conformance
