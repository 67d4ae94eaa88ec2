#pragma once

// Transactions: a body is read as a whole, and then each item for itself, since one bad item must
// not fail another [INBOX-1 to INBOX-3, INBOX-6, INBOX-8, INBOX-10, INBOX-11, INBOX-18].

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "conformance/reference/channels.hpp"
#include "conformance/reference/direct.hpp"
#include "conformance/reference/follower.hpp"
#include "conformance/reference/gate.hpp"
#include "conformance/reference/roots.hpp"
#include "conformance/reference/slices.hpp"

namespace entente::conformance::reference {

class Inbox {
 public:
    // `mutex` guards the channels; `changed` is told when a log has grown or a join has its result.
    Inbox(Channels& channels, Discovery& discovery, const Identity& identity, const Flags& flags,
          const PeerClock& clock, Journal& journal, std::mutex& mutex,
          std::condition_variable& changed);

    // {"is":"direct"}
    void replay(const nlohmann::json& record) { direct_.replay(record); }
    // The answer to a transaction of `origin`. Throws Refused where it is refused as a whole.
    [[nodiscard]] nlohmann::json take(const std::string& body, const std::string& origin);

 private:
    struct Submitted {
        std::string channel;
        ChannelLog* log = nullptr;
        nlohmann::json seal;
        std::string seal_root;
    };

    [[nodiscard]] std::size_t count_items(const nlohmann::json& body) const;
    void wait_for_joins(const nlohmann::json& body, std::unique_lock<std::mutex>& lock);
    [[nodiscard]] nlohmann::json take_submission(const nlohmann::json& submission,
                                                 const std::string& origin, const Roots& roots,
                                                 ProvenBody& answer);
    [[nodiscard]] Submitted check_submission(const nlohmann::json& submission,
                                             const std::string& origin, const Roots& roots);
    void check_seal(const nlohmann::json& submission, const std::string& origin, const Roots& roots,
                    Submitted& submitted) const;
    [[nodiscard]] nlohmann::json take_event(const nlohmann::json& item, const Submitted& submitted,
                                            const std::string& origin, ProvenBody& answer);
    [[nodiscard]] nlohmann::json take_read(const ReadEvent& event, const Submitted& submitted,
                                           const std::string& origin, ProvenBody& answer);
    void add_join(nlohmann::json& result, const Submitted& submitted, const std::string& origin,
                  std::uint64_t seq, ProvenBody& answer);
    void spend_item(const std::string& origin);
    void check_rejected(const std::string& event_id);
    void note_rejected(const ReadEvent& event, const std::string& origin, const Refused& refused);

    Channels& channels_;
    Discovery& discovery_;
    const Identity& identity_;
    const Flags& flags_;
    const PeerClock& clock_;
    std::mutex& mutex_;
    std::condition_variable& changed_;
    Follower follower_;
    Direct direct_;
    Budgets items_;
    // Events that were rejected, for as long as their request could come again [INBOX-18].
    struct Rejected {
        Refused refused;
        std::int64_t until = 0;
    };
    std::map<std::string, Rejected> rejected_;
    // Of a mutant, for which a refused event uses up its txn.
    std::set<std::string> kept_txns_;
    // Of the transaction that is dealt with, under the lock: senders of whom something was
    // deferred, whether the budget is spent, and how many items were looked at.
    struct Pass {
        std::set<std::string> waiting;
        bool is_spent = false;
        std::size_t items = 0;
    };
    Pass pass_;
    // Of a mutant: who has used up his budget last.
    std::string spent_by_;
};

}  // namespace entente::conformance::reference
