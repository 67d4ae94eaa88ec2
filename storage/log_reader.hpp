// Reading what is stored of channels and logs: pages of entries with their proofs,
// members, summaries. Works on any connection; sees what is committed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/channel_state.hpp"
#include "protocol/slice.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/driver.hpp"
#include "storage/run_codec.hpp"

namespace entente::storage {

struct ChannelRow {
    std::int64_t id = 0;
    protocol::ChannelId name;
    protocol::ServerName home;
    std::int64_t floor = 0;
    bool frozen = false;
    std::int64_t epoch = 1;
    std::int64_t seq = 0;
    std::string hash;
    protocol::Millis at = 0;
    std::string state;  // with empty lists
};

[[nodiscard]] Result<ChannelRow> read_channel(Connection& db,
                                              const protocol::ChannelId& name);  // `not_found`
[[nodiscard]] Result<ChannelRow> read_channel(Connection& db, std::int64_t id);
// The whole state, its lists filled from the rows of `member`.
[[nodiscard]] Result<protocol::ChannelState> read_state(Connection& db, const ChannelRow& channel,
                                                        protocol::NameRules rules);

struct PageLimits {
    std::int64_t entries = 1000;
    std::size_t octets = 1'048'576;  // of events and contents; the first entry always fits
    // Beyond both to the first stored checkpoint: what ends nowhere else must go whole.
    bool to_checkpoint = false;
};

// A run of entries of one epoch behind `after`, with what proves them. `checkpoint` is
// there where the last entry is one that a stored checkpoint is for.
struct LogPage {
    std::int64_t epoch = 1;
    protocol::Position after;
    std::vector<StoredEntry> entries;
    protocol::Position end;
    RunProofs proofs;
};

// `after` below the floor means the floor. `stop_at_checkpoint`: ends at the last stored
// checkpoint within the limits (a log query to another server than the home).
[[nodiscard]] Result<LogPage> read_log(Connection& db, const ChannelRow& channel,
                                       std::int64_t after, const PageLimits& limits,
                                       bool stop_at_checkpoint = false);
// The newest entries below `before`, in rising order.
[[nodiscard]] Result<std::vector<StoredEntry>> read_before(Connection& db,
                                                           const ChannelRow& channel,
                                                           std::int64_t before,
                                                           const PageLimits& limits);

// The last seq of the run that holds `seq`; nothing where none does.
[[nodiscard]] Result<std::optional<std::int64_t>> end_of_run(Connection& db, std::int64_t channel,
                                                             std::int64_t seq);
// One entry of a channel's row; `not_found`.
[[nodiscard]] Result<StoredEntry> read_entry(Connection& db, std::int64_t channel,
                                             std::int64_t seq);

// The entries above `after` of the first run that has any, wherever the log held here begins:
// what lies before a hole is found too. None where there is no such run.
[[nodiscard]] Result<std::vector<StoredEntry>> read_run_behind(Connection& db, std::int64_t channel,
                                                               std::int64_t after);

struct MemberRow {
    std::string user;
    Standing standing = Standing::member;
    std::int64_t since = 0;
    std::int64_t sees_after = 0;  // the log behind that entry [QRY-2]; -1: not noted
};
[[nodiscard]] Result<std::vector<MemberRow>> read_members(Connection& db, std::int64_t channel,
                                                          std::string_view after,
                                                          std::size_t limit);
[[nodiscard]] Result<std::optional<MemberRow>> read_member(Connection& db, std::int64_t channel,
                                                           std::string_view user);
[[nodiscard]] Result<std::int64_t> count_members(Connection& db, std::int64_t channel);
// Channels in which the user stands as a member of any role.
[[nodiscard]] Result<std::vector<std::int64_t>> channels_of(Connection& db, std::string_view user);
// Channels held here in which both stand as members or are invited and that may be of the
// kind `dm`, the oldest first: the state of one that this transaction has made isn't stored
// yet. With what the first of the two is in them.
struct PossibleDm {
    protocol::ChannelId channel;
    Standing standing = Standing::member;
};
[[nodiscard]] Result<std::vector<PossibleDm>> possible_dms(Connection& db, std::string_view user,
                                                           std::string_view peer);
// Channels held here into which the user is invited.
[[nodiscard]] Result<std::vector<std::int64_t>> invited_to(Connection& db, std::string_view user);

}  // namespace entente::storage
