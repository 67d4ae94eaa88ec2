#include "storage/log_reader.hpp"

#include <algorithm>
#include <unordered_set>

#include "protocol/json_rules.hpp"
#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::Position;

constexpr char select_by_name[] =
    "SELECT c.id, c.name, s.name, c.floor, c.frozen, h.epoch, h.seq, h.hash, h.at, c.state "
    "FROM channel c JOIN head h ON h.channel = c.id JOIN server s ON s.id = c.home WHERE c.name = "
    "?";
constexpr char select_by_id[] =
    "SELECT c.id, c.name, s.name, c.floor, c.frozen, h.epoch, h.seq, h.hash, h.at, c.state "
    "FROM channel c JOIN head h ON h.channel = c.id JOIN server s ON s.id = c.home WHERE c.id = ?";
constexpr char select_runs[] =
    "SELECT first, last, epoch, prev_hash, proofs, body FROM run WHERE channel = ? AND last > ? "
    "ORDER BY last";
// From the run that holds the entry below downwards. Its place is asked of the key: a bound
// on `first` would be tried on every run from the newest on.
constexpr char select_runs_down[] =
    "SELECT first, body FROM run WHERE channel = ? AND last <= coalesce("
    "(SELECT min(last) FROM run WHERE channel = ? AND last >= ?), ?) ORDER BY last DESC";
constexpr char select_run_at[] =
    "SELECT first, body FROM run WHERE channel = ? AND last >= ? ORDER BY last LIMIT 1";
constexpr char select_run_ends[] =
    "SELECT first, last FROM run WHERE channel = ? AND last >= ? ORDER BY last LIMIT 1";
constexpr char select_members[] =
    "SELECT user, standing, since, sees_after FROM member WHERE channel = ? AND user > ? ORDER BY "
    "user LIMIT ?";
constexpr char select_member[] =
    "SELECT user, standing, since, sees_after FROM member WHERE channel = ? AND user = ?";
constexpr char count_standing[] = "SELECT count(*) FROM member WHERE channel = ? AND standing <= 2";
constexpr char select_channels_of[] =
    "SELECT channel FROM member WHERE user = ? AND standing <= 2 ORDER BY channel";
constexpr char select_invited_to[] =
    "SELECT channel FROM member WHERE user = ? AND standing = 3 ORDER BY channel";
// A quote within a name is escaped in JSON, so no name can look like the kind.
constexpr char select_possible_dms[] =
    "SELECT c.name, m.standing FROM member m JOIN member o ON o.channel = m.channel AND o.user = ? "
    "JOIN channel c ON c.id = m.channel WHERE m.user = ? AND m.standing <= 3 AND o.standing <= 3 "
    "AND (c.state LIKE '%\"kind\":\"dm\"%' OR c.state LIKE '%\"kind\":\"\"%') ORDER BY c.name";

Result<ChannelRow> channel_row(Query& query)
{
    auto row = query->step();
    if (!row) return fail(row);
    if (!*row) return fail(Code::not_found, "no such channel here");
    ChannelRow channel;
    channel.id = query->integer(0);
    channel.name = protocol::ChannelId::trusted(std::string(query->text(1)));
    channel.home = protocol::ServerName::trusted(std::string(query->text(2)));
    channel.floor = query->integer(3);
    channel.frozen = query->integer(4) != 0;
    channel.epoch = query->integer(5);
    channel.seq = query->integer(6);
    channel.hash = query->text(7);
    channel.at = query->integer(8);
    channel.state = query->text(9);
    return channel;
}

Result<std::vector<std::int64_t>> channel_ids(Connection& db, const char* sql,
                                              std::string_view user)
{
    auto query = Query::prepare(db, sql);
    if (!query) return fail(query);
    (*query)->bind_text(0, user);
    std::vector<std::int64_t> ids;
    for (;;) {
        auto row = (*query)->step();
        if (!row) return fail(row);
        if (!*row) return ids;
        ids.push_back((*query)->integer(0));
    }
}

std::size_t octets_of(const protocol::Entry& entry)
{
    return entry.event.size() + (entry.content ? entry.content->size() : 0);
}

// Walks runs and gathers a page; one instance per page.
class PageBuilder {
 public:
    PageBuilder(const ChannelRow& channel, std::int64_t after, const PageLimits& limits)
        : channel_(channel), after_(after), limits_(limits)
    {
        page_.epoch = channel.epoch;
    }

    // False when the page is full.
    Result<bool> add_run(std::int64_t first, std::int64_t last, std::int64_t epoch,
                         std::string_view prev_hash, std::string_view proofs_blob,
                         std::string_view body)
    {
        if (!page_.entries.empty() && epoch != page_.epoch) return false;
        auto entries = decode_entries(body);
        if (!entries) return fail(entries);
        if (static_cast<std::int64_t>(entries->size()) != last - first + 1)
            return fail(Code::internal, "a stored run holds other entries than it says");
        auto proofs = decode_proofs(proofs_blob);
        if (!proofs) return fail(proofs);
        page_.epoch = epoch;
        // Hashes double at most where they become text.
        octets_ += proofs_blob.size() * 2;

        Position at{first - 1, std::string(prev_hash)};
        bool full = false;
        for (auto& entry : *entries) {
            const auto id = protocol::event_id(entry.event);
            Position next{at.seq + 1, protocol::entry_hash(channel_.name, epoch, at.seq + 1,
                                                           entry.at, at.hash, id)};
            if (next.seq > after_) {
                full = is_full(entry);
                if (full) break;
                if (page_.entries.empty()) page_.after = at;
                octets_ += octets_of(entry);
                page_.entries.push_back({next.seq, id, std::move(entry)});
            }
            at = std::move(next);
        }
        page_.end = std::move(at);
        runs_.push_back({page_.end, std::move(*proofs)});
        if (runs_.back().proofs.checkpoint && runs_.back().proofs.checkpoint->seq <= page_.end.seq)
            last_checkpoint_ = runs_.back().proofs.checkpoint->seq;
        return !full;
    }

    LogPage finish(bool stop_at_checkpoint)
    {
        if (stop_at_checkpoint) cut_at_checkpoint();
        if (page_.entries.empty()) return std::move(page_);
        std::unordered_set<std::string_view> unproven;
        for (const auto& entry : page_.entries) unproven.insert(protocol::as_view(entry.event_id));
        for (auto& run : runs_) take_proofs(run.proofs, unproven);
        return std::move(page_);
    }

 private:
    struct RunRead {
        Position end;
        RunProofs proofs;
    };

    [[nodiscard]] bool is_full(const protocol::Entry& entry) const
    {
        if (page_.entries.empty()) return false;
        if (limits_.to_checkpoint && last_checkpoint_ <= after_) return false;
        return static_cast<std::int64_t>(page_.entries.size()) >= limits_.entries ||
               octets_ + octets_of(entry) > limits_.octets;
    }

    void cut_at_checkpoint()
    {
        while (!page_.entries.empty() && page_.entries.back().seq > last_checkpoint_)
            page_.entries.pop_back();
        if (page_.entries.empty()) {
            page_.end = page_.after;
            return;
        }
        for (const auto& run : runs_) {
            if (run.end.seq == page_.entries.back().seq) page_.end = run.end;
        }
    }

    // A seal that proves nothing new is left out: a page never has more roots than entries
    // and one, which is what a transaction may have.
    void take_proofs(RunProofs& from, std::unordered_set<std::string_view>& unproven)
    {
        for (auto& seal : from.seals) {
            bool covers = false;
            for (const auto& id : seal.events) covers |= unproven.erase(protocol::as_view(id)) > 0;
            if (!covers) continue;
            seal.proof.root = page_.proofs.root_index(from.roots.at(seal.proof.root));
            page_.proofs.seals.push_back(std::move(seal));
        }
        if (from.checkpoint && from.checkpoint->seq == page_.end.seq) {
            from.checkpoint->proof.root =
                page_.proofs.root_index(from.roots.at(from.checkpoint->proof.root));
            page_.proofs.checkpoint = std::move(from.checkpoint);
        }
    }

    const ChannelRow& channel_;
    std::int64_t after_;
    PageLimits limits_;
    LogPage page_;
    std::size_t octets_ = 0;
    std::vector<RunRead> runs_;
    std::int64_t last_checkpoint_ = 0;
};

}  // namespace

Result<ChannelRow> read_channel(Connection& db, const protocol::ChannelId& name)
{
    auto query = Query::prepare(db, select_by_name);
    if (!query) return fail(query);
    (*query)->bind_text(0, name.str());
    return channel_row(*query);
}

Result<ChannelRow> read_channel(Connection& db, std::int64_t id)
{
    auto query = Query::prepare(db, select_by_id);
    if (!query) return fail(query);
    (*query)->bind(0, id);
    return channel_row(*query);
}

Result<protocol::ChannelState> read_state(Connection& db, const ChannelRow& channel,
                                          protocol::NameRules rules)
{
    // Of a log that is followed from its start and has no entries yet there is no state, nor
    // of one that its home began with something else than a create: nothing has an effect then.
    static const auto nothing = protocol::state_json({});
    if (channel.seq == 0 || channel.state == nothing) return protocol::ChannelState{};
    auto state = protocol::parse_state(channel.state, rules);
    if (!state)
        return fail(Code::internal, "the stored state of " + channel.name.str() + " can't be read");
    auto members =
        read_members(db, channel.id, "", static_cast<std::size_t>(protocol::max_json_integer));
    if (!members) return fail(members);
    for (const auto& row : *members) {
        if (row.standing == Standing::invited) state->invited.insert(row.user);
        if (row.standing == Standing::banned) state->banned.insert(row.user);
        if (row.standing <= Standing::owner)
            state->members.emplace(row.user, static_cast<protocol::Role>(row.standing));
    }
    return std::move(*state);
}

Result<LogPage> read_log(Connection& db, const ChannelRow& channel, std::int64_t after,
                         const PageLimits& limits, bool stop_at_checkpoint)
{
    after = std::max(after, channel.floor);
    auto query = Query::prepare(db, select_runs);
    if (!query) return fail(query);
    auto& runs = *query;
    runs->bind(0, channel.id).bind(1, after);

    PageBuilder builder(channel, after, limits);
    for (bool more = true; more;) {
        auto row = runs->step();
        if (!row) return fail(row);
        if (!*row) break;
        auto added = builder.add_run(runs->integer(0), runs->integer(1), runs->integer(2),
                                     runs->text(3), runs->blob(4), runs->blob(5));
        if (!added) return fail(added);
        more = *added;
    }
    auto page = builder.finish(stop_at_checkpoint);
    if (page.entries.empty()) {
        page.after = page.end = {channel.seq, channel.hash};
        page.epoch = channel.epoch;
    }
    return page;
}

Result<std::vector<StoredEntry>> read_before(Connection& db, const ChannelRow& channel,
                                             std::int64_t before, const PageLimits& limits)
{
    auto query = Query::prepare(db, select_runs_down);
    if (!query) return fail(query);
    auto& runs = *query;
    runs->bind(0, channel.id).bind(1, channel.id).bind(2, before - 1).bind(3, before);

    std::vector<StoredEntry> falling;
    std::size_t octets = 0;
    for (bool full = false; !full;) {
        auto row = runs->step();
        if (!row) return fail(row);
        if (!*row) break;
        const auto first = runs->integer(0);
        auto entries = decode_entries(runs->blob(1));
        if (!entries) return fail(entries);
        for (auto i = static_cast<std::int64_t>(entries->size()); i-- > 0 && !full;) {
            const auto seq = first + i;
            if (seq >= before) continue;
            auto& entry = (*entries)[static_cast<std::size_t>(i)];
            octets += octets_of(entry);
            full =
                !falling.empty() && (static_cast<std::int64_t>(falling.size()) >= limits.entries ||
                                     octets > limits.octets);
            if (full) break;
            const auto id = protocol::event_id(entry.event);
            falling.push_back({seq, id, std::move(entry)});
        }
    }
    std::reverse(falling.begin(), falling.end());
    return falling;
}

Result<std::optional<std::int64_t>> end_of_run(Connection& db, std::int64_t channel,
                                               std::int64_t seq)
{
    const auto read = [](Statement& row) { return std::pair{row.integer(0), row.integer(1)}; };
    auto run = one_row(db, select_run_ends, read, channel, seq);
    if (!run) return fail(run);
    if (!*run || (*run)->first > seq) return std::optional<std::int64_t>{};
    return std::optional<std::int64_t>{(*run)->second};
}

Result<StoredEntry> read_entry(Connection& db, std::int64_t channel, std::int64_t seq)
{
    auto query = Query::prepare(db, select_run_at);
    if (!query) return fail(query);
    auto& run = *query;
    run->bind(0, channel).bind(1, seq);
    auto row = run->step();
    if (!row) return fail(row);
    if (!*row || run->integer(0) > seq) return fail(Code::not_found, "no entry with this seq here");
    const auto place = static_cast<std::size_t>(seq - run->integer(0));
    auto entries = decode_entries(run->blob(1));
    if (!entries) return fail(entries);
    if (place >= entries->size())
        return fail(Code::internal, "a stored run holds fewer entries than it says");
    auto& entry = (*entries)[place];
    const auto id = protocol::event_id(entry.event);
    return StoredEntry{seq, id, std::move(entry)};
}

Result<std::vector<StoredEntry>> read_run_behind(Connection& db, std::int64_t channel,
                                                 std::int64_t after)
{
    auto query = bound(db, select_run_at, channel, after + 1);
    if (!query) return fail(query);
    auto& run = *query;
    std::vector<StoredEntry> found;
    auto row = run->step();
    if (!row) return fail(row);
    if (!*row) return found;
    auto seq = run->integer(0);
    auto entries = decode_entries(run->blob(1));
    if (!entries) return fail(entries);
    for (auto& entry : *entries) {
        // Its event's id is nobody's concern here.
        if (seq > after) found.push_back({seq, {}, std::move(entry)});
        ++seq;
    }
    return found;
}

Result<std::vector<MemberRow>> read_members(Connection& db, std::int64_t channel,
                                            std::string_view after, std::size_t limit)
{
    auto query = Query::prepare(db, select_members);
    if (!query) return fail(query);
    (*query)->bind(0, channel).bind_text(1, after).bind(2, static_cast<std::int64_t>(limit));
    std::vector<MemberRow> members;
    for (;;) {
        auto row = (*query)->step();
        if (!row) return fail(row);
        if (!*row) return members;
        members.push_back({std::string((*query)->text(0)),
                           static_cast<Standing>((*query)->integer(1)), (*query)->integer(2),
                           (*query)->integer(3)});
    }
}

Result<std::optional<MemberRow>> read_member(Connection& db, std::int64_t channel,
                                             std::string_view user)
{
    auto query = Query::prepare(db, select_member);
    if (!query) return fail(query);
    (*query)->bind(0, channel).bind_text(1, user);
    auto row = (*query)->step();
    if (!row) return fail(row);
    if (!*row) return std::optional<MemberRow>{};
    return std::optional<MemberRow>{MemberRow{std::string((*query)->text(0)),
                                              static_cast<Standing>((*query)->integer(1)),
                                              (*query)->integer(2), (*query)->integer(3)}};
}

Result<std::int64_t> count_members(Connection& db, std::int64_t channel)
{
    auto query = Query::prepare(db, count_standing);
    if (!query) return fail(query);
    (*query)->bind(0, channel);
    auto row = (*query)->step();
    if (!row) return fail(row);
    return (*query)->integer(0);
}

Result<std::vector<std::int64_t>> channels_of(Connection& db, std::string_view user)
{
    return channel_ids(db, select_channels_of, user);
}

Result<std::vector<PossibleDm>> possible_dms(Connection& db, std::string_view user,
                                             std::string_view peer)
{
    const auto read = [](Statement& row) {
        return PossibleDm{protocol::ChannelId::trusted(std::string(row.text(0))),
                          static_cast<Standing>(row.integer(1))};
    };
    return all_rows(db, select_possible_dms, read, peer, user);
}

Result<std::vector<std::int64_t>> invited_to(Connection& db, std::string_view user)
{
    return channel_ids(db, select_invited_to, user);
}

}  // namespace entente::storage
