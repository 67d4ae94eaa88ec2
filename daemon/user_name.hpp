// Users of this machine by name, for sentences that say whose something is.
#pragma once

#include <string>

#include <sys/types.h>

namespace entente::daemon {

// The number where the system knows no name; chown takes both.
[[nodiscard]] std::string user_name(uid_t user);
// "run this as that user: sudo -u NAME …"
[[nodiscard]] std::string run_as(uid_t user);

}  // namespace entente::daemon
