#pragma once

// A channel of the target's as a peer of the runner follows it: what has arrived, computed anew.
// It answers as a patient follower does, and keeps what a case wants to look at.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace entente::conformance {

struct HeldEntry {
    std::uint64_t seq = 0;
    std::string event;
    // Absent where it was erased.
    std::string content;
    std::string hash;
};

class FollowedLogs {
 public:
    // [LOG-2]: the result of one slice. Chains are checked, proofs aren't: a case that wants to
    // know looks at the recorded request.
    [[nodiscard]] nlohmann::json take(const nlohmann::json& slice);

    [[nodiscard]] const std::vector<HeldEntry>& of(const std::string& channel) const;
    [[nodiscard]] std::uint64_t have(const std::string& channel) const;

 private:
    struct Log {
        bool begun = false;
        std::uint64_t epoch = 1;
        std::uint64_t have = 0;
        std::string hash;
        std::vector<HeldEntry> entries;
    };
    std::map<std::string, Log> logs_;
};

}  // namespace entente::conformance
