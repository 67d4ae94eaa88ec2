#pragma once

// Slices, snapshots and seals as they are sent, with the one root that proves all of a body.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/reference/channel_log.hpp"
#include "conformance/reference/identity.hpp"

namespace entente::conformance::reference {

// A body while it is written: its own leaves, which stand under root 0, and others' roots.
class ProvenBody {
 public:
    ProvenBody(const Identity& identity, const Flags& flags) : identity_(identity), flags_(flags) {}

    // The entries behind `after`, at most `limit`, from a log that is homed here. `asker_floor`:
    // where the log begins for whom it is.
    [[nodiscard]] nlohmann::json slice(const ChannelLog& log, std::uint64_t after,
                                       std::uint64_t limit, std::uint64_t asker_floor);
    // As of the log's end.
    [[nodiscard]] nlohmann::json snapshot(const ChannelLog& log);
    // {"events","proof"} of an own server's seal.
    [[nodiscard]] nlohmann::json seal(const std::string& channel,
                                      const std::vector<std::string>& ids);

    // Puts the proofs into `body` and gives its `roots`; an empty list where nothing is proven.
    void finish(nlohmann::json& body) const;

 private:
    [[nodiscard]] nlohmann::json proof_of_leaf(std::string leaf);
    [[nodiscard]] nlohmann::json entry_of(const Entry& entry) const;
    void add_seal(const Entry& entry, std::set<std::string>& proven, nlohmann::json& seals);

    const Identity& identity_;
    const Flags& flags_;
    std::vector<std::string> leaves_;
    std::vector<std::string> roots_;
};

}  // namespace entente::conformance::reference
