// Who may do what to whom among this server's own people: the invariants of moderation, which
// no policy can loosen. Nobody bans, suspends, demotes or deletes himself or one of a higher
// role, and the last superadmin stays, whoever asks. Which role may do what at all is said by
// policies. Decides alone: knows no accounts, does no I/O. The caller reads both in the transaction
// that does the act, so that two who act on one another can't both succeed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/result.hpp"

namespace entente::trust {

// `machine` is who runs the daemon: the control socket is his, and he has no account.
enum class Rank : std::uint8_t { user, admin, superadmin, machine };

enum class Judgement : std::uint8_t {
    suspend,
    unsuspend,
    ban,
    unban,
    end_sessions,
    reset_password,
    set_role,
    remove,  // the account goes for good
};
inline constexpr std::uint8_t judgements = 8;
[[nodiscard]] std::string_view to_text(Judgement judgement);  // "user.ban", as the audit log says
[[nodiscard]] std::string_view to_text(Rank rank);

struct Party {
    Rank rank = Rank::user;
    bool is_active = true;  // neither suspended nor banned
};

struct RankQuestion {
    Judgement judgement = Judgement::suspend;
    Party actor;
    Party target;
    bool is_self = false;          // actor and target are one
    Rank role = Rank::user;        // of set_role: the new one; never `machine`
    std::int64_t superadmins = 0;  // active ones, the target among them if he is one
};

// `forbidden`, its hint a sentence:
// - no act by who is suspended or banned, none to oneself, none to a higher role;
// - a password is reset by a higher role only, since that opens the account;
// - nobody gives a role above his own;
// - the last active superadmin is neither suspended, banned, deleted nor demoted.
[[nodiscard]] Result<void> check_judgement(const RankQuestion& question);

}  // namespace entente::trust
