#pragma once

// Other servers' documents and keys, fetched when they are needed, held as long as they may be, and
// pinned before they are acted on. For many threads at once: however many wait for a document, one
// of them fetches it [DISC-4, KEY-5].

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "conformance/reference/caller.hpp"
#include "conformance/reference/clock.hpp"
#include "conformance/reference/journal.hpp"
#include "conformance/reference/key_ring.hpp"
#include "conformance/reference/refused.hpp"

namespace entente::conformance::reference {

class Discovery {
 public:
    Discovery(const Flags& flags, const PeerClock& clock, Journal& journal, const Caller& caller);

    // {"is":"document"} and {"is":"statements"}.
    void replay(const nlohmann::json& record);

    // The octets of a key that may sign requests now; one fetch at most, charged to `source`.
    // Throws Refused.
    [[nodiscard]] std::string request_key(const std::string& server, const std::string& key_id,
                                          const std::string& source);
    [[nodiscard]] std::string owner_of(const std::string& key_id) const;
    // As request_key, for seals: throws key-revoked, and gives nothing for a key that can't be had.
    [[nodiscard]] std::optional<std::string> seal_key(const std::string& server,
                                                      const std::string& key_id);
    // A key that logs are verified with, whatever has become of it [KEY-7].
    [[nodiscard]] std::optional<std::string> log_key(const std::string& server,
                                                     const std::string& key_id);
    // {"server","key","statements"} of a slice; null where the key isn't known.
    [[nodiscard]] nlohmann::json shown_key(const std::string& server,
                                           const std::string& key_id) const;
    // Keys that somebody else shows: statements are taken of servers that are pinned [LOG-6].
    void take_statements(const std::string& server, const std::vector<std::string>& statements);

    // Where a server's requests go: its document, fetched where none is held or it is too old.
    // Throws Refused("unavailable").
    [[nodiscard]] ServerDocument document_of(const std::string& server);
    // [DISC-4]: a proven request ends the memory of failures.
    void heard_from(const std::string& server);
    [[nodiscard]] std::size_t servers() const;

 private:
    struct Flight {
        bool done = false;
        std::optional<Refused> failure;
    };
    struct Memory {
        // Steady, of this process: what was fetched before a restart is fetched anew.
        Deadline fresh_until{};
        Deadline failed_until{};
        Millis next_pause{10'000};
        // Fetches for unknown keys within the last minute.
        std::deque<Deadline> fetches;
    };
    // Of an address: fetches for keys of pinned servers, and of others [KEY-8].
    struct SourceMemory {
        std::deque<Deadline> refetches;
        std::deque<Deadline> first_contacts;
    };

    [[nodiscard]] std::optional<std::string> pinned_key(const std::string& server,
                                                        const std::string& key_id,
                                                        std::optional<KeyUse> use);
    [[nodiscard]] std::size_t count_sources() const;
    [[nodiscard]] bool ring_knows(const std::string& server) const;
    void fetch_for_key(const std::string& server, const std::string& source);
    void spend_fetch(const std::string& server, const std::string& source);
    void forget_some();
    // Throws Refused.
    void fetch(const std::string& server);
    void fetch_alone(const std::string& server);

    const Flags& flags_;
    const PeerClock& clock_;
    Journal& journal_;
    const Caller& caller_;
    mutable std::mutex mutex_;
    std::condition_variable landed_;
    KeyRing ring_;
    std::map<std::string, Memory> memories_;
    std::map<std::string, SourceMemory> sources_;
    std::map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace entente::conformance::reference
