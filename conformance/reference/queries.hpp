#pragma once

// Signed questions of other servers: a channel's snapshot, its log, a user [QRY-1 to QRY-5,
// QRY-10]. Called with the peer's lock held.

#include <string>

#include <nlohmann/json.hpp>

#include "conformance/reference/channels.hpp"
#include "conformance/reference/slices.hpp"

namespace entente::conformance::reference {

class Queries {
 public:
    Queries(Channels& channels, const Identity& identity, const Flags& flags);

    // The answer to a GET of `target`, behind /federation/v1. Throws Refused.
    [[nodiscard]] nlohmann::json answer(const std::string& target, const std::string& asker);

 private:
    [[nodiscard]] nlohmann::json snapshot(const std::string& channel, const std::string& query,
                                          const std::string& asker);
    [[nodiscard]] nlohmann::json log(const std::string& channel, const std::string& query,
                                     const std::string& asker);
    [[nodiscard]] nlohmann::json followed_log(const ChannelLog& log, std::int64_t after) const;
    [[nodiscard]] nlohmann::json user(const std::string& localpart) const;

    Channels& channels_;
    const Identity& identity_;
    const Flags& flags_;
};

}  // namespace entente::conformance::reference
