#include "federation/queries/queries.hpp"

#include <algorithm>
#include <charconv>

#include "federation/log/follower_slice.hpp"
#include "federation/log/past_state.hpp"
#include "protocol/json_rules.hpp"
#include "storage/epoch_store.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

namespace {

using protocol::ChannelId;
using protocol::ChannelState;
using storage::ChannelRow;
using storage::Connection;

// An answer of at most 4 MiB: what JSON adds is at worst as much again.
constexpr std::size_t log_octets = 1'800'000;
constexpr std::int64_t most_entries = 1000;

protocol::Failure unknown_to_asker()
{
    return refuse(Code::not_found, "no such channel");
}

Result<std::int64_t> number(const net::Request& request, std::string_view name, std::int64_t absent,
                            std::int64_t least, std::int64_t most)
{
    const auto text = request.parameter(name);
    if (!text) return absent;
    std::int64_t value = 0;
    const auto* end = text->data() + text->size();
    const auto [at, error] = std::from_chars(text->data(), end, value);
    if (error != std::errc{} || at != end || value < least || value > most)
        return refuse(Code::malformed,
                      "a query parameter is no number in its bounds: " + std::string(name));
    return value;
}

}  // namespace

Queries::Queries(const Identity& identity, storage::GroupCommit& commits,
                 const protocol::Clock& clock)
    : identity_(identity), commits_(commits), clock_(clock)
{
}

asio::awaitable<net::Response> Queries::snapshot(const net::Request& request,
                                                 const Admitted& admitted)
{
    auto channel = protocol::parse_channel_id(request.captures.at(0), identity_.names);
    auto seq = number(request, "seq", 0, 1, protocol::max_json_integer);
    if (!channel) co_return net::problem_response(channel.error(), clock_.now_ms());
    if (!seq) co_return net::problem_response(seq.error(), clock_.now_ms());
    // The key as it is now: a reader must not look while a reload changes it.
    auto job = [this, name = *channel, asker = admitted.origin, seq = *seq, key = identity_.key](
                   Connection& db) { return read_snapshot(db, name, asker, seq, key); };
    storage::Cause cause{admitted.origin.str(), 0};
    auto answer = co_await commits_.read(std::move(job), std::move(cause));
    if (!answer) co_return net::problem_response(answer.error(), clock_.now_ms());
    co_return net::json_answer(protocol::write_snapshot_answer(*answer));
}

// [QRY-1] Snapshots: servers with a member, invited ones, and anyone for a public channel.
Result<protocol::SnapshotAnswer> Queries::read_snapshot(Connection& db, const ChannelId& name,
                                                        const ServerName& asker, std::int64_t seq,
                                                        const protocol::SigningKey& key) const
{
    auto channel = storage::read_channel(db, name);
    if (!channel)
        return channel.error().code == Code::not_found ? unknown_to_asker() : fail(channel);
    auto state = storage::read_state(db, *channel, identity_.names);
    if (!state) return fail(state);
    if (!state->may_be_known_to(asker)) return unknown_to_asker();
    if (channel->home != identity_.name) {
        auto was_home = storage::was_home(db, channel->id, identity_.name);
        if (!was_home) return fail(was_home);
        if (*was_home) return refuse(Code::superseded, channel->home.str());
        return refuse(Code::not_home, "the channel is homed elsewhere");
    }

    protocol::SnapshotAnswer answer;
    auto& snapshot = answer.snapshot;
    snapshot.channel = name;
    snapshot.epoch = channel->epoch;
    snapshot.seq = channel->seq;
    snapshot.hash = channel->hash;
    snapshot.at = channel->at;
    snapshot.state = protocol::state_json(*state);
    if (seq > 0) {
        auto turned = turn_back(db, *channel, asker, seq, snapshot);
        if (!turned) return fail(turned);
    }
    protocol::RootBuilder leaves;
    snapshot.proof.index =
        leaves.add(protocol::snapshot_leaf(name, snapshot.epoch, snapshot.seq, snapshot.hash,
                                           snapshot.at, protocol::state_hash(snapshot.state)));
    auto root = leaves.sign(key, identity_.name, clock_.now_ms());
    snapshot.proof.path = std::move(root.paths.front());
    answer.roots.push_back(std::move(root.jws));
    return answer;
}

// [QRY-13] No further than to where the log begins for who asks: what was before isn't his to
// know.
Result<void> Queries::turn_back(Connection& db, const ChannelRow& channel, const ServerName& asker,
                                std::int64_t seq, protocol::Snapshot& snapshot) const
{
    auto floor = floor_of(db, channel, asker);
    if (!floor) return fail(floor);
    if (seq != *floor || seq >= channel.seq || channel.floor > 0) return {};
    auto past = fold_stored(db, channel, seq, max_pages_for_query, identity_.names);
    if (!past) return fail(past);
    if (past->seq < seq) return {};
    storage::PageLimits one;
    one.entries = 1;
    auto next = storage::read_log(db, channel, seq, one);
    if (!next) return fail(next);
    auto entry = storage::read_entry(db, channel.id, seq);
    if (!entry) return fail(entry);
    snapshot.epoch = next->epoch;
    snapshot.seq = seq;
    snapshot.hash = next->after.hash;
    snapshot.at = entry->entry.at;
    snapshot.state = protocol::state_json(past->state);
    return {};
}

asio::awaitable<net::Response> Queries::log(const net::Request& request, const Admitted& admitted)
{
    auto channel = protocol::parse_channel_id(request.captures.at(0), identity_.names);
    auto after = number(request, "after", 0, 0, protocol::max_json_integer);
    auto limit = number(request, "limit", 100, 1, most_entries);
    if (!channel) co_return net::problem_response(channel.error(), clock_.now_ms());
    if (!after) co_return net::problem_response(after.error(), clock_.now_ms());
    if (!limit) co_return net::problem_response(limit.error(), clock_.now_ms());
    auto job = [this, name = *channel, asker = admitted.origin, from = *after, most = *limit,
                key = identity_.key](Connection& db) {
        return read_slice(db, name, asker, from, most, key);
    };
    storage::Cause cause{admitted.origin.str(), 0};
    auto answer = co_await commits_.read(std::move(job), std::move(cause));
    if (!answer) co_return net::problem_response(answer.error(), clock_.now_ms());
    co_return net::json_answer(protocol::write_log_answer(*answer));
}

// [QRY-1] Log queries: servers with a member, and the channel's home.
Result<protocol::LogAnswer> Queries::read_slice(Connection& db, const ChannelId& name,
                                                const ServerName& asker, std::int64_t after,
                                                std::int64_t limit,
                                                const protocol::SigningKey& key) const
{
    auto channel = storage::read_channel(db, name);
    if (!channel)
        return channel.error().code == Code::not_found ? unknown_to_asker() : fail(channel);
    auto state = storage::read_state(db, *channel, identity_.names);
    if (!state) return fail(state);
    if (!state->has_member_of(asker) && channel->home != asker) return unknown_to_asker();
    storage::PageLimits limits;
    limits.entries = limit;
    limits.octets = log_octets;
    auto floor = floor_of(db, *channel, asker);
    if (!floor) return fail(floor);
    after = std::max(after, *floor);
    const bool is_home = channel->home == identity_.name;
    auto answer = answer_from(db, std::move(*channel), after, limits, key);
    // [QRY-13] The home's word alone.
    if (answer && is_home) answer->slice.floor = *floor;
    return answer;
}

// [QRY-2] `after` below the asker's floor means the floor, whoever is asked.
Result<std::int64_t> Queries::floor_of(Connection& db, const ChannelRow& channel,
                                       const ServerName& asker) const
{
    if (channel.home == asker) return 0;
    auto cursor = storage::find_cursor(db, channel.id, asker);
    if (!cursor) return fail(cursor);
    if (channel.home == identity_.name) return *cursor ? (*cursor)->floor : channel.seq;
    // A follower may have noted no more than that it follows.
    auto floor = storage::floor_by_members(db, channel.id, asker);
    if (!floor || !*cursor) return floor;
    return std::max(*floor, (*cursor)->floor);
}

// An epoch that this server orders, or has ordered, ends wherever it signs.
Result<protocol::LogAnswer> Queries::answer_from(Connection& db, ChannelRow channel,
                                                 std::int64_t after,
                                                 const storage::PageLimits& limits,
                                                 const protocol::SigningKey& key) const
{
    LogPart part;
    auto page = storage::read_log(db, channel, after, limits);
    if (!page) return fail(page);
    auto is_own = storage::is_home_of(db, channel, page->epoch, identity_.name);
    if (!is_own) return fail(is_own);
    if (!*is_own) return follower_answer(db, channel, after, limits);
    part.page = std::move(*page);
    part.channel = std::move(channel);

    protocol::RootBuilder leaves;
    storage::RunProofs roots;
    roots.roots.emplace_back();
    protocol::LogAnswer answer;
    answer.slice = home_slice(part, leaves, roots);
    auto root = leaves.sign(key, identity_.name, clock_.now_ms());
    answer.slice.checkpoint.proof.path = std::move(root.paths.front());
    roots.roots.front() = std::move(root.jws);
    answer.roots = std::move(roots.roots);
    return answer;
}

// From another server than the home the answer ends at a checkpoint that it holds.
Result<protocol::LogAnswer> Queries::follower_answer(Connection& db, const ChannelRow& channel,
                                                     std::int64_t after,
                                                     const storage::PageLimits& limits) const
{
    auto page = storage::read_log(db, channel, after, limits, true);
    if (!page) return fail(page);
    if (page->entries.empty() || !page->proofs.checkpoint)
        return refuse(Code::not_found, "no checkpoint within the limit: ask for more entries");
    return follower_slice(channel, std::move(*page));
}

}  // namespace entente::federation
