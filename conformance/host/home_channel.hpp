#pragma once

// A channel that is homed at a peer of the runner: its log, checkpoints and state, so that the
// target can follow it, and slices that a case can change before they are signed.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/wire/events.hpp"

namespace entente::conformance {

struct LogEntry {
    std::int64_t at = 0;
    Event event;
    // With how many others, and behind which, the author's server sealed it; empty for own users.
    nlohmann::json seal;
    std::string seal_root;
    std::string hash;
};

class HomeChannel {
 public:
    // Entry 1: `owner` creates a public group with `history` "all".
    HomeChannel(std::string server, const std::string& owner, std::int64_t at);

    [[nodiscard]] const std::string& id() const { return id_; }
    [[nodiscard]] const std::string& owner() const { return owner_; }
    [[nodiscard]] std::uint64_t latest() const { return entries_.size(); }
    // `seq` 0: the position before the first entry.
    [[nodiscard]] std::string hash_at(std::uint64_t seq) const;
    [[nodiscard]] const LogEntry& entry(std::uint64_t seq) const { return entries_.at(seq - 1); }

    // Appends an event of an own user, or one that another server has sealed.
    std::uint64_t append(const Event& event, std::int64_t at, nlohmann::json seal = nullptr,
                         std::string seal_root = {});
    // An event of `owner` with the text, appended.
    Event say(const std::string& text, std::int64_t at);
    // Not appended: for a case that does something else with it.
    [[nodiscard]] Event message(const std::string& sender, const std::string& text,
                                std::int64_t at) const;

    // The `seq` that holds this event; 0 where none does.
    [[nodiscard]] std::uint64_t find(const std::string& event_id) const;

    // In RFC 8785 form, as of now.
    [[nodiscard]] std::string state() const;
    void add_member(const std::string& user, const std::string& role);

    struct Slice {
        // Without its checkpoint's proof, which comes with the root.
        nlohmann::json body;
        // Of the checkpoint.
        std::string leaf;
        // Roots of the seals, which stand behind the checkpoint's.
        std::vector<std::string> seal_roots;
    };
    // Entries behind `after` up to `last`.
    [[nodiscard]] Slice slice(std::uint64_t after, std::uint64_t last) const;
    // A whole body {"roots","logs"} under `key`.
    [[nodiscard]] nlohmann::json transaction(const Slice& slice, const SigningKey& key,
                                             std::int64_t at) const;
    // {"roots","snapshot"} as of `latest`.
    [[nodiscard]] nlohmann::json snapshot(const SigningKey& key, std::int64_t at) const;

 private:
    std::string server_;
    std::string owner_;
    std::string id_;
    std::vector<LogEntry> entries_;
    std::map<std::string, std::string> members_;
};

}  // namespace entente::conformance
