// What other servers have earned and lost, with the evidence, and who was put into which tier
// while the server runs. Functions over a connection, as in outgoing_store.hpp. Decides nothing:
// that is trust/standing's and trust/tiers'.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/driver.hpp"
#include "storage/group_commit.hpp"
#include "trust/tiers.hpp"

namespace entente::storage {

// Falls whose evidence is kept, of at most trust::max_evidence_octets each; the oldest goes. So
// much of one server proves its conduct, and so much in all fits any disk: 64 MiB.
inline constexpr std::int64_t max_falls_per_server = 8;
inline constexpr std::int64_t max_falls = 1'000;

using protocol::ServerName;

[[nodiscard]] Result<trust::ServerStanding> find_standing(Connection& db, const ServerName& server);
[[nodiscard]] Result<void> put_standing(Connection& db, const ServerName& server,
                                        const trust::ServerStanding& standing);
// Those from which a tier follows: with so many events or a fall, `most` at most.
[[nodiscard]] Result<std::vector<std::pair<ServerName, trust::ServerStanding>>> standings(
    Connection& db, std::int64_t events, std::size_t most);

// Keeps the evidence, and the fall as the server's standing; nothing where an earlier fall lasts at
// that time. `too_large`.
[[nodiscard]] Result<void> put_fall(Connection& db, const trust::Fall& fall);
struct FallRow {
    std::int64_t id = 0;
    trust::Fall fall;
};
// The newest first, those before the id `before` (0: from the newest on); of all servers where
// `server` is absent.
[[nodiscard]] Result<std::vector<FallRow>> falls(Connection& db,
                                                 const std::optional<ServerName>& server,
                                                 std::int64_t before, std::size_t most);
// The closed report `report` counts against `server` from now on, and bars it.
[[nodiscard]] Result<void> note_upheld(Connection& db, const ServerName& server,
                                       std::int64_t report, protocol::Millis now);
// Of those that count and were closed after `since`.
[[nodiscard]] Result<trust::UpheldReports> upheld_reports(Connection& db, const ServerName& server,
                                                          protocol::Millis since);
// They count no more: a fall has come of them.
[[nodiscard]] Result<void> spend_upheld(Connection& db, const ServerName& server);
// The administrator's: falls and their evidence are gone, and upheld reports count no more. False
// where there was neither.
[[nodiscard]] Result<bool> pardon(Connection& db, const ServerName& server);
// Falls alone, where all that count were for `offence`; else nothing is done, and false.
[[nodiscard]] Result<bool> pardon_all_of(Connection& db, const ServerName& server,
                                         trust::Offence offence);

struct TierEntry {
    ServerName server;
    trust::Tier tier = trust::Tier::blocked;
    std::string comment;
    protocol::Millis at = 0;
    std::string origin = {};  // the list's name; of an administrator's entry ""
    friend bool operator==(const TierEntry&, const TierEntry&) = default;
};
// In the place of what that origin of the source says of that server.
[[nodiscard]] Result<void> put_tier_entry(Connection& db, trust::Source source,
                                          const TierEntry& entry);
// Of all origins. False where there was none.
[[nodiscard]] Result<bool> drop_tier_entry(Connection& db, trust::Source source,
                                           const ServerName& server);
[[nodiscard]] Result<void> drop_listed(Connection& db, const ServerName& server,
                                       const std::string& list);
// The strictest of a source's word on that server, which is what holds.
[[nodiscard]] Result<std::optional<trust::Tier>> tier_said(Connection& db, trust::Source source,
                                                           const ServerName& server);
// The same of each server, by name, behind `after`.
[[nodiscard]] Result<std::vector<std::pair<ServerName, trust::Tier>>> tiers_said(
    Connection& db, trust::Source source, const std::string& after, std::size_t most);
// What each origin says of that server, the strictest first.
[[nodiscard]] Result<std::vector<TierEntry>> tier_entries_of(Connection& db, trust::Source source,
                                                             const ServerName& server,
                                                             std::size_t most);
// By server, the strictest of each first.
[[nodiscard]] Result<std::vector<TierEntry>> tier_entries(Connection& db, trust::Source source,
                                                          std::size_t most);
// Whom that list names.
[[nodiscard]] Result<std::vector<ServerName>> servers_listed(Connection& db,
                                                             const std::string& list);
// Of all lists.
[[nodiscard]] Result<std::int64_t> count_listed(Connection& db);

// Events that were accepted, by server: in memory until there are enough of them, or for long
// enough, and written then within a commit that happens anyway. A crash forgets what wasn't
// written, which costs a server a little patience. On the writer's thread.
class AcceptedCounts final : public Participant {
 public:
    static constexpr std::int64_t most_waiting = 1'000;     // events
    static constexpr std::size_t most_servers = 1'000;      // that have any waiting
    static constexpr protocol::Millis longest_ms = 60'000;  // that any waits

    // On the I/O executor, after the commit: what is remembered of the server now.
    using Counted = std::function<void(const ServerName&, const trust::ServerStanding&)>;
    explicit AcceptedCounts(Counted counted) : counted_(std::move(counted)) {}

    // Within a job, when nothing of it can fail any more.
    void add(const ServerName& server, std::int64_t events, protocol::Millis now);

    Result<void> flush(WriteTransaction& transaction) override;
    void rolled_back() override;
    void committed() override;

 private:
    struct Waiting {
        std::unordered_map<ServerName, std::int64_t> events;
        std::int64_t sum = 0;
        protocol::Millis since = 0;  // the oldest; 0: nothing waits
        protocol::Millis last = 0;
    };
    [[nodiscard]] bool is_due() const;
    static void merge(Waiting& into, const ServerName& server, std::int64_t events,
                      protocol::Millis at);

    Counted counted_;
    Waiting waiting_;  // of commits that are durable
    Waiting open_;     // of the open transaction
    bool is_flushed_ = false;
};

}  // namespace entente::storage
