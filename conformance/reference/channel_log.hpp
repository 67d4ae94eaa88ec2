#pragma once

// The log of one channel, homed here or followed: its entries, chained by hash, what is found in
// them, and the state that they come to. Knows nothing of who may append.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/reference/channel_state.hpp"
#include "conformance/reference/events.hpp"

namespace entente::conformance::reference {

struct Entry {
    // The home's time, ms.
    std::int64_t at = 0;
    ReadEvent event;
    bool has_content = true;
    bool is_expired = false;
    // The entry that deleted it; 0: none.
    std::uint64_t deleted_by = 0;
    // Without effect: the home should not have taken it [MEM-2], or nobody but the home vouches for
    // it [LOG-6].
    bool is_marked = false;
    // Its text is shown all the same.
    bool is_vouched = false;
    // {"events","proof"} and the root that it leads to; of users of other servers than the home.
    nlohmann::json seal;
    std::string seal_root;
    std::string hash;
};

class ChannelLog {
 public:
    // From entry 1.
    ChannelLog(std::string id, const Flags& flags);
    // Behind the entry `floor`, of this hash, when the channel had this state.
    ChannelLog(std::string id, std::uint64_t floor, std::string hash, ChannelState state,
               const Flags& flags);

    [[nodiscard]] const std::string& id() const { return id_; }
    // The server whose entries come next, and under which epoch: both change with a move.
    [[nodiscard]] const std::string& home() const { return home_; }
    [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
    [[nodiscard]] const ChannelState& state() const { return state_; }
    [[nodiscard]] std::uint64_t floor() const { return floor_; }
    [[nodiscard]] std::uint64_t latest() const { return floor_ + entries_.size(); }
    // Of a position from the floor on.
    [[nodiscard]] const std::string& hash_at(std::uint64_t seq) const;
    [[nodiscard]] const Entry& entry(std::uint64_t seq) const;

    // 0 where there is none.
    [[nodiscard]] std::uint64_t find(const std::string& event_id) const;
    // The event id of the pair [EVT-2]; empty where the log has none.
    [[nodiscard]] std::string find_txn(const std::string& server, const std::string& txn) const;
    [[nodiscard]] TargetFacts facts_of(const std::string& event_id) const;
    // The last join or leave of the user that took effect; 0 where there is none.
    [[nodiscard]] std::uint64_t last_of(const std::string& user, const std::string& type) const;

    // Gives the entry its hash, and folds it where it isn't marked: behind a move the log goes on
    // in the next epoch at the home that it names [SUC-2].
    std::uint64_t append(Entry entry);

    // Of a followed channel: the join of an own user, up to which the log has yet to come.
    std::uint64_t joined_at = 0;
    // Of a followed channel: the latest checkpoint of its home, whose proof leads to root 0, and
    // that root. Forgotten with a restart.
    nlohmann::json checkpoint;
    std::string checkpoint_root;
    // After a fork [LOG-4].
    bool is_frozen = false;
    // Of a mutant that takes what it holds a second time.
    std::set<std::uint64_t> shown_twice;

 private:
    void erase_by(std::uint64_t seq, const ReadEvent& deletion);
    [[nodiscard]] Entry& at(std::uint64_t seq) { return entries_[seq - floor_ - 1]; }

    const std::string id_;
    const Flags& flags_;
    std::string home_;
    std::uint64_t epoch_ = 1;
    std::uint64_t floor_ = 0;
    std::string floor_hash_;
    ChannelState state_;
    std::vector<Entry> entries_;
    std::map<std::string, std::uint64_t> by_id_;
    std::map<std::string, std::string> by_txn_;
};

}  // namespace entente::conformance::reference
