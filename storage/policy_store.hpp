// Policies as administrators have written them: every version with its author, reason and time,
// none ever changed or removed, the newest of each in force beside those that the program ships.
// Functions over a connection, for jobs of GroupCommit. Decides nothing by them; but takes none
// that can't be read, that goes beyond a limit, or after which no superadmin could be sure to
// change policies again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "protocol/result.hpp"
#include "storage/driver.hpp"
#include "storage/group_commit.hpp"
#include "trust/policy/compiled.hpp"
#include "trust/policy/policies.hpp"

namespace entente::storage {

inline constexpr std::size_t max_policy_reason_octets = 1'000;

struct PolicyVersion {
    std::string id;
    std::int64_t version = 0;         // from 1; 0 is what the program ships
    std::optional<std::string> text;  // nothing: as shipped, or none
    std::string author;               // a user, or who it was at the control socket
    std::string reason;
    protocol::Millis at = 0;
};

struct PolicyEdit {
    std::string id;
    std::int64_t seen = 0;            // the version that it is a change of
    std::optional<std::string> text;  // nothing: back to what is shipped, or gone
    std::string author, reason;
    protocol::Millis at = 0;
};

struct PolicyPut {
    std::int64_t version = 0;
    std::shared_ptr<const trust::policy::Compiled> policies;  // all, as they are from now on
};
// `malformed` and `too_large`, with the position; `conflict` where another version came meanwhile;
// `forbidden` where it would lock out the superadmins; `not_found` where there is nothing to take
// back. Others that are left out stay so, until they are put right or there is room.
[[nodiscard]] Result<PolicyPut> put_policy(Connection& db, const protocol::ServerName& self,
                                           const PolicyEdit& edit);
// The same, and nothing is written.
[[nodiscard]] Result<PolicyPut> try_policy(Connection& db, const protocol::ServerName& self,
                                           const PolicyEdit& edit);
// The same; decisions go by it from the commit on.
[[nodiscard]] Result<std::int64_t> put_policy(WriteTransaction& transaction,
                                              const protocol::ServerName& self,
                                              const PolicyEdit& edit,
                                              std::shared_ptr<trust::policy::Policies> live);

// A stored one that this program can't hold: it can't be read any more, or there is no room. What
// its text names is denied to everybody instead (trust/policy/stand_in.hpp).
struct LeftOutPolicy {
    std::string id;
    std::int64_t version = 0;
    std::string why;
};
struct HeldPolicies {
    std::shared_ptr<const trust::policy::Compiled> policies;
    std::vector<LeftOutPolicy> left_out;  // by id
};
// What holds now: the shipped ones, and each stored one in its place or behind them.
[[nodiscard]] Result<HeldPolicies> read_policies(Connection& db);

// The newest version of each that was ever written, by id.
[[nodiscard]] Result<std::vector<PolicyVersion>> newest_policies(Connection& db);
// Of one, below `before` (0: all), the newest first.
[[nodiscard]] Result<std::vector<PolicyVersion>> policy_history(Connection& db, std::string_view id,
                                                                std::int64_t before,
                                                                std::size_t limit);

// `forbidden` where no superadmin but `leaving` (a localpart) could be sure to change policies: to
// be asked in the job that suspends, deletes or demotes one.
[[nodiscard]] Result<void> check_policies_without(Connection& db, const protocol::ServerName& self,
                                                  std::string_view leaving);

}  // namespace entente::storage
