// An operator of a test's servers: ententctl against a node's configuration, and hands in
// its database while it is stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "protocol/slice.hpp"
#include "tests/e2e/support/node.hpp"

namespace entente::e2e {

struct Told {
    int exit_code = -1;
    nlohmann::json json;  // null where the output was none
    std::string output;
};
// ententctl with the node's configuration and --json.
[[nodiscard]] Told control(const Node& node, std::vector<std::string> arguments);

// Changes one entry of a channel's log in the database of a stopped node; nothing that is
// stored beside it changes.
void tamper(const Node& node, const std::string& channel, std::int64_t seq,
            const std::function<void(protocol::Entry&)>& change);

}  // namespace entente::e2e
