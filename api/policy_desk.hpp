// What administrators do with policies: see them, try them, put them into force, go back to an
// earlier version, ask why something is decided as it is. One way for the client API and for the
// control socket; every change is in the audit log. For the I/O executor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "api/administration.hpp"
#include "protocol/log.hpp"
#include "storage/policy_store.hpp"
#include "trust/policy/enforcer.hpp"
#include "trust/policy/rehearsal.hpp"

namespace entente::api {

struct PolicyDeskParts {
    storage::GroupCommit& commit;
    trust::policy::Enforcer& policies;
    const protocol::Clock& clock;
    protocol::Log& log;
    protocol::ServerName server;
};

// One policy as it is in force.
struct ShownPolicy {
    std::string id;
    std::int64_t version = 0;         // the newest; 0: as shipped, and never changed
    bool is_shipped = false;          // what is in force is what the program ships
    std::optional<std::string> text;  // nothing: it was taken back, and none is shipped
    std::size_t rules = 0;
    std::string author, reason;  // of the version
    protocol::Millis at = 0;
    std::vector<std::string> unasked;  // actions of its rules that nothing asks about yet
    std::string left_out;              // why it can't be held; empty: it is
};

struct CheckedPolicy {
    std::int64_t version = 0;  // that it would be
    std::vector<std::string> unasked;
};

struct PolicyWish {
    std::string id;
    std::optional<std::int64_t> seen;  // nothing: whichever is the newest
    std::optional<std::string> text;   // nothing: as shipped, or gone
    std::string reason;
};

// How one action would be decided.
struct Explained {
    trust::policy::Action action{};
    trust::policy::Outcome outcome{};
    std::string rule;
    // What isn't known before it is done, and would decide it; nothing: it is decided so.
    trust::policy::Attributes depends_on = 0;
    std::vector<trust::policy::Compiled::Match> matches;
    // What the matches' names are views into.
    std::shared_ptr<const trust::policy::Compiled> policies;
};

// What is asked about: of a user or a server, as far as it is known here.
struct ExplainQuestion {
    std::string subject;                          // "bob@b.example", "b.example"
    std::optional<trust::Tier> tier;              // of another server's
    std::optional<trust::policy::Action> action;  // nothing: each
    std::string resource;                         // a channel, a user; may be empty
};

class PolicyDesk {
 public:
    explicit PolicyDesk(PolicyDeskParts parts) : parts_(std::move(parts)) {}

    // What is stored counts from then on; what this program can't hold is told in the log.
    asio::awaitable<Result<void>> start();

    // For whoever has been let in. All that are or were in force, by name.
    asio::awaitable<Result<std::vector<ShownPolicy>>> list();
    asio::awaitable<Result<ShownPolicy>> show(std::string id);  // `not_found`
    // Below `before` (0: all), the newest first.
    asio::awaitable<Result<std::vector<storage::PolicyVersion>>> versions(std::string id,
                                                                          std::int64_t before,
                                                                          std::size_t limit);
    // Whether `put` would take it.
    asio::awaitable<Result<CheckedPolicy>> check(PolicyWish wish);
    // `forbidden` as policies say; as storage::put_policy. Tells the version.
    asio::awaitable<Result<std::int64_t>> put(Administrator by, PolicyWish wish);
    // A text of earlier again, as a new version; of version 0 what is shipped, or none.
    asio::awaitable<Result<std::int64_t>> restore(Administrator by, std::string id,
                                                  std::int64_t version, std::string reason);

    asio::awaitable<Result<std::vector<Explained>>> explain(ExplainQuestion question);
    // What the changed policy would have made of the decisions that were sampled since.
    asio::awaitable<Result<trust::policy::Rehearsal>> rehearse(PolicyWish wish,
                                                               protocol::Millis since);
    // Writes what was sampled, if anything. For a timer.
    asio::awaitable<Result<void>> keep_sample();

 private:
    struct Put;
    [[nodiscard]] storage::PolicyEdit edit_of(const Administrator& by, const PolicyWish& wish);

    PolicyDeskParts parts_;
};

}  // namespace entente::api
