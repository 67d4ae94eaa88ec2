#pragma once

// Slices of channels that are homed elsewhere: taken as a whole or not at all, and only what is
// proven [LOG-1 to LOG-7, LOG-11 to LOG-14]. Called with the peer's lock held.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/reference/channels.hpp"
#include "conformance/reference/roots.hpp"

namespace entente::conformance::reference {

class Follower {
 public:
    Follower(Channels& channels, Discovery& discovery, const Flags& flags);

    // The result of one slice that `origin` has sent [LOG-2]. Never throws.
    [[nodiscard]] nlohmann::json take(const nlohmann::json& slice, const std::string& origin,
                                      const Roots& roots);

 private:
    // A slice whose form is right.
    struct ReadSlice {
        std::string channel;
        std::uint64_t epoch = 1;
        std::uint64_t after = 0;
        std::string after_hash;
        std::uint64_t last = 0;
        std::uint64_t latest = 0;
        std::vector<Entry> entries;
        nlohmann::json checkpoint;
    };
    // Who has sealed which event, and under which roots.
    struct Seals {
        std::map<std::string, std::vector<std::pair<nlohmann::json, const ReadRoot*>>> of_event;
    };

    [[nodiscard]] nlohmann::json take_from(ChannelLog& log, const nlohmann::json& slice,
                                           const std::string& origin, const Roots& roots);
    [[nodiscard]] ReadSlice read(const ChannelLog& log, const nlohmann::json& slice) const;
    [[nodiscard]] Entry read_entry(const ChannelLog& log, const nlohmann::json& written) const;
    void check_origin(const ChannelLog& log, const std::string& origin) const;
    void check_checkpoint(const ChannelLog& log, const ReadSlice& slice, const Roots& roots) const;
    [[nodiscard]] bool is_fork(const ChannelLog& log, const ReadSlice& slice) const;
    [[nodiscard]] Seals read_seals(const std::string& channel, const nlohmann::json& slice,
                                   const Roots& roots) const;
    // Gives the entries their seals; the keys that are missing for that.
    [[nodiscard]] std::set<std::string> check_seals(const ChannelLog& log, ReadSlice& slice,
                                                    const Seals& seals) const;
    void append(ChannelLog& log, Entry entry);
    // [SUC-2] That the server which a channel.move names has said that it takes the channel.
    void check_consent(const ChannelLog& log, const ReadEvent& move) const;
    [[nodiscard]] nlohmann::json result(const ChannelLog& log, const char* status) const;

    Channels& channels_;
    Discovery& discovery_;
    const Flags& flags_;
};

// {"channel","status":"refused","problem"}
[[nodiscard]] nlohmann::json refused_slice(const nlohmann::json& slice, const Refused& refused);

}  // namespace entente::conformance::reference
