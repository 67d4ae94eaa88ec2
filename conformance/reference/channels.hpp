#pragma once

// All channels that the peer knows: those that it orders, and those that it follows. What is done
// to a log is in the journal before it is said to anybody. Called with the peer's lock held.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "conformance/reference/channel_log.hpp"
#include "conformance/reference/clock.hpp"
#include "conformance/reference/identity.hpp"
#include "conformance/reference/journal.hpp"
#include "conformance/reference/refused.hpp"

namespace entente::conformance::reference {

// How far another server has a log that is homed here.
struct FollowerCursor {
    // Where the log begins for it.
    std::uint64_t floor = 0;
    std::uint64_t have = 0;
    // Its last member has gone with this entry; 0: it has one.
    std::uint64_t ends_at = 0;
    // It said that it doesn't follow, or that it sees a fork.
    bool is_stopped = false;
};

class Channels {
 public:
    Channels(const Identity& identity, const Flags& flags, const PeerClock& clock,
             Journal& journal);

    // {"is":"entry"}, {"is":"followed"}, {"is":"joining"}, {"is":"frozen"}, {"is":"held"}.
    void replay(const nlohmann::json& record);

    [[nodiscard]] ChannelLog* find(const std::string& channel);
    [[nodiscard]] bool is_home_of(const ChannelLog& log) const;
    // The log where `server` may know of it; null otherwise [QRY-1].
    [[nodiscard]] ChannelLog* find_for(const std::string& channel, const std::string& server);

    // A channel of an own user; its id.
    [[nodiscard]] std::string create(const std::string& user, const nlohmann::json& content);
    // Takes an event into a log that is homed here. Throws Refused. `seal` is null for own users.
    std::uint64_t take(ChannelLog& log, const ReadEvent& event, const nlohmann::json& seal,
                       const std::string& seal_root);
    // Appends to a log as it is: what a follower has checked.
    void append(ChannelLog& log, const Entry& entry);

    // --- of channels homed elsewhere

    void note_joining(const std::string& channel, const std::string& user);
    [[nodiscard]] bool is_joining(const std::string& channel) const;
    // The result of a join: from here on the log is followed.
    void follow(const std::string& channel, std::uint64_t joined_at, std::uint64_t floor,
                const nlohmann::json& snapshot);
    void end_joining(const std::string& channel);
    void freeze(ChannelLog& log);
    [[nodiscard]] bool follows(const ChannelLog& log) const;

    // --- of those who follow what is homed here

    [[nodiscard]] std::map<std::string, FollowerCursor>& followers_of(const std::string& channel);
    void note_held(const std::string& channel, const std::string& server, std::uint64_t have);
    [[nodiscard]] std::vector<std::string> homed() const;
    [[nodiscard]] std::size_t entries() const;

 private:
    void note_followers(const ChannelLog& log, const Entry& entry, bool had_member);
    void append_known(ChannelLog& log, const Entry& entry);

    const Identity& identity_;
    const Flags& flags_;
    const PeerClock& clock_;
    Journal& journal_;
    std::map<std::string, ChannelLog> logs_;
    std::map<std::string, std::map<std::string, FollowerCursor>> followers_;
    std::map<std::string, std::set<std::string>> joining_;
};

}  // namespace entente::conformance::reference
