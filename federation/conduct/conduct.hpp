// What other servers' conduct makes of them here, and the administrator's word on them: takes
// what is proven, lets servers fall, and keeps all of it over a restart; trust/tiers says what
// follows. On the I/O thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/conduct/mandate.hpp"
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
    // After servers were blocked by somebody's word, or freed.
    std::function<void(std::vector<ServerName>)> moved = {};
};

// Entries of one list, by its name.
struct ListImport {
    std::string list;
    std::vector<storage::TierEntry> entries;  // of each server one; their origin is ignored
    bool replaces = false;                    // what the list doesn't name any more goes
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
    // server's key hasn't signed it. The histories of `channel` differ from `seq` on.
    void forked(const trust::KeyRing& ring, const ServerName& home, const std::string& root,
                const protocol::ChannelId& channel, std::int64_t seq);
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
    // audit log. False where there was nothing to take back or to pardon. Besides, the errors of
    // `by`.
    asio::awaitable<Result<void>> put(Mandate by, trust::Source source, storage::TierEntry entry);
    asio::awaitable<Result<bool>> drop(Mandate by, trust::Source source, ServerName server);
    asio::awaitable<Result<bool>> pardon(Mandate by, ServerName server);
    // One at a time. How many of that list's entries have gone. `too_large`, and nothing is done,
    // where the entries of all lists would be more than trust::max_entries; `unavailable` while
    // another is under way. One that is cut off may be done again; the audit log has its beginning
    // and its end.
    asio::awaitable<Result<std::size_t>> import(Mandate by, ListImport wish);

 private:
    void tell(const trust::Fall& fall);
    asio::awaitable<void> keep(trust::Fall fall);
    asio::awaitable<void> forget_conflicts(ServerName server);
    asio::awaitable<Result<void>> load_entries(trust::Source source);
    // What a source says of servers after a job; nothing: no more than of anybody.
    using Said = std::vector<std::pair<ServerName, std::optional<trust::Tier>>>;
    void hold(trust::Source source, const Said& said);
    asio::awaitable<Result<void>> store(Mandate by, trust::Source source,
                                        std::vector<storage::TierEntry> entries);
    asio::awaitable<Result<void>> drop_of(std::string list, std::vector<ServerName> leaving);
    asio::awaitable<Result<std::size_t>> import_alone(Mandate by, ListImport wish);
    asio::awaitable<Result<void>> note_import(Mandate by, std::string act, std::string list,
                                              std::string details);

    ConductParts parts_;
    trust::BucketTable faults_;
    bool is_importing_ = false;
};

}  // namespace entente::federation
