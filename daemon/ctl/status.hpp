// What the running daemon says of itself, and the sums over its peers. For the verbs status and
// doctor.
#pragma once

#include <nlohmann/json.hpp>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/health.hpp"

namespace entente::daemon::ctl {

struct WholeStatus {
    nlohmann::json status;  // of /control/v1/status
    PeerSums peers;
};
[[nodiscard]] Result<WholeStatus> whole_status(Daemon& daemon);

}  // namespace entente::daemon::ctl
