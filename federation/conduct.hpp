// What other servers' conduct makes of them here, and the administrator's word on them: takes
// what is proven, lets servers fall, and keeps all of it over a restart; trust/tiers says what
// follows. On the I/O thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "net/task_group.hpp"
#include "protocol/log.hpp"
#include "storage/standing_store.hpp"
#include "trust/budgets.hpp"
#include "trust/standing.hpp"
#include "trust/tiers.hpp"

namespace entente::federation {

namespace asio = boost::asio;
using protocol::ServerName;

// Servers whose faults of the day are counted; the least recently counted is forgotten.
inline constexpr std::size_t max_faulty_servers = 20'000;

struct ConductParts {
    ServerName self;  // whose audit log has the administrator's word
    trust::Tiers& tiers;
    storage::GroupCommit& commits;
    net::TaskGroup& tasks;
    protocol::Log& log;
    const protocol::Clock& clock;
    // After a server was put somewhere else by somebody's word.
    std::function<void(const ServerName&)> moved = {};
};

class Conduct {
 public:
    explicit Conduct(ConductParts parts);

    // What was kept, before the first request.
    asio::awaitable<Result<void>> load();

    // An offence that is proven: at once a fall, or one more of the day's faults. The
    // administrator is told of a fall, and its evidence kept.
    void noticed(trust::Offence offence, const trust::Proof& proof);
    // [LOG-4] `root` is the JWS of one that proves another history by `home`: nothing where that
    // server's key hasn't signed it.
    void forked(const trust::KeyRing& ring, const ServerName& home, const std::string& root);
    // Those that the server was started with. For any thread.
    [[nodiscard]] const trust::ConductFigures& figures() const { return parts_.tiers.conduct(); }
    // After the commit of a job in which a report about `server` was upheld, and of the fall that
    // came of it, if any: both are kept already.
    void upheld(const ServerName& server, protocol::Millis at,
                const std::optional<trust::Fall>& fall);
    // From the store's commits: what `server` was accepted for by now.
    void counted(const ServerName& server, const trust::ServerStanding& standing);
    // [KEY-4] Its document agrees with the pins again, or the administrator has settled it: a
    // server that fell for nothing else is as before.
    void conflict_ended(const ServerName& server);

    // The administrator's word, durable when it returns; but for a list's entries it is in the
    // audit log. False where there was nothing to take
    // back or to pardon.
    asio::awaitable<Result<void>> put(trust::Source source, storage::TierEntry entry);
    asio::awaitable<Result<bool>> drop(trust::Source source, ServerName server);
    asio::awaitable<Result<bool>> pardon(ServerName server);
    // Entries of a list; `replace`: those that it doesn't name are gone. `too_large`, and nothing
    // is done, where they would be more than trust::max_entries.
    asio::awaitable<Result<void>> import(std::vector<storage::TierEntry> entries, bool replace);

 private:
    void tell(const trust::Fall& fall);
    asio::awaitable<void> keep(trust::Fall fall);
    asio::awaitable<void> forget_conflicts(ServerName server);
    asio::awaitable<Result<void>> load_entries(trust::Source source);
    [[nodiscard]] Result<void> check_room(trust::Source source,
                                          const std::vector<storage::TierEntry>& entries,
                                          std::size_t leaving) const;
    asio::awaitable<Result<void>> store(trust::Source source,
                                        std::vector<storage::TierEntry> entries);
    void told_moved(const ServerName& server);

    ConductParts parts_;
    trust::BucketTable faults_;
};

}  // namespace entente::federation
