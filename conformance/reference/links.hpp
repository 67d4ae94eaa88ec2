#pragma once

// What is owed to other servers, and when: submissions to the homes of channels, slices to those
// who follow. A thread for each server that is owed something, so that one that is dead delays
// nobody else; one transaction at a time, so that order holds [INBOX-7, LOG-2, RETRY-1 to RETRY-6].

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "conformance/reference/channels.hpp"
#include "conformance/reference/outbox.hpp"
#include "conformance/reference/roots.hpp"
#include "conformance/reference/sender.hpp"
#include "conformance/reference/slices.hpp"

namespace entente::conformance::reference {

class Links {
 public:
    // `mutex` guards the channels and the outbox, and all of this; `changed` is told when a join
    // has its result.
    Links(Channels& channels, Outbox& outbox, Discovery& discovery, Sender& sender,
          const Identity& identity, const Flags& flags, std::mutex& mutex,
          std::condition_variable& changed);

    // With the lock held: looks at what is owed in that channel, or in all.
    void wake(const std::string& channel);
    void wake_all();
    // A proven request of that server ends a wait for it [RETRY-6]. Takes the lock.
    void heard_from(const std::string& server);

 private:
    // Why nothing is sent: until when, and how long the next wait is.
    struct Wait {
        Deadline until{};
        Millis next{1'000};
    };
    struct Lane {
        std::string server;
        // Of a mutant that has as many transactions under way as there are channels.
        std::string only_channel;
        std::condition_variable changed;
        std::thread thread;
        bool is_running = false;
        Wait wait;
        // It is for want of an answer: being heard from ends it.
        bool is_unanswered = false;
        bool was_replayed = false;
        // Channels about which it is asked, by a heartbeat, since it was away [LOG-8].
        std::set<std::string> heartbeats;
        Deadline heard_at{};
        Millis heard_gap{0};
        std::size_t most_items = 500;
        // What its document says; one until that is known.
        std::size_t taken_items = 1;
        // Of slices, and of submissions.
        std::map<std::string, Wait> slice_waits;
        std::map<std::string, Wait> submission_waits;
        // server#keyid that the follower lacks, by channel.
        std::map<std::string, std::set<std::string>> lacked_keys;
        // Of a mutant that holds back no more than the event itself.
        std::map<std::string, Deadline> event_waits;
        KeptConnection kept;
    };
    struct Batch {
        nlohmann::json body;
        std::vector<std::string> submitted;
        std::vector<std::string> sliced;
        std::size_t items = 0;
    };

    [[nodiscard]] Lane& lane_of(const std::string& server, const std::string& channel);
    void start(Lane& lane);
    void run(Lane& lane);
    // With the lock held: when there is something to send; nothing where nothing is owed.
    [[nodiscard]] std::optional<Deadline> next_due(Lane& lane);
    [[nodiscard]] bool owes_slice(const Lane& lane, const std::string& channel);
    [[nodiscard]] std::vector<std::string> sliced_channels(const Lane& lane);
    [[nodiscard]] std::vector<std::string> submitted_channels(const Lane& lane);
    [[nodiscard]] Batch build(Lane& lane);
    void add_submission(const Lane& lane, const std::string& channel, std::size_t& room,
                        Batch& batch, ProvenBody& proven);
    void add_slice(Lane& lane, const std::string& channel, std::size_t& room, Batch& batch,
                   ProvenBody& proven);
    [[nodiscard]] nlohmann::json shown_keys(const std::set<std::string>& lacked);

    void settle(Lane& lane, const Batch& batch, const Outcome& outcome);
    void settle_refusal(Lane& lane, const Batch& batch, const Outcome& outcome);
    void fail(Lane& lane, const Batch& batch);
    void ask_about_all(Lane& lane);
    void count_as_done(Lane& lane, const Batch& batch);
    [[nodiscard]] bool fits(const Batch& batch, const nlohmann::json& answer) const;
    void settle_submission(Lane& lane, const std::string& channel, const nlohmann::json& result,
                           const nlohmann::json& answer);
    void settle_event(Lane& lane, const std::string& channel, const nlohmann::json& result,
                      const nlohmann::json& answer);
    void settle_join(const std::string& channel, const nlohmann::json& result,
                     const nlohmann::json& answer);
    void settle_slice(Lane& lane, const std::string& channel, const nlohmann::json& sent,
                      const nlohmann::json& result);
    void settle_held(Lane& lane, const std::string& channel, const nlohmann::json& sent,
                     const nlohmann::json& result);
    void wait_longer(Lane& lane, const std::string& channel);

    Channels& channels_;
    Outbox& outbox_;
    Discovery& discovery_;
    Sender& sender_;
    const Identity& identity_;
    const Flags& flags_;
    std::mutex& mutex_;
    std::condition_variable& changed_;
    std::map<std::string, std::unique_ptr<Lane>> lanes_;
    // Of a mutant.
    std::mutex one_at_a_time_;
};

}  // namespace entente::conformance::reference
