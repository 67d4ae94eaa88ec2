// What stands on the machines' disks; what it has to be, truth.cpp says.
#include "storage/event_index.hpp"
#include "storage/log_reader.hpp"
#include "storage/query.hpp"
#include "tests/sim/truth.hpp"

namespace entente::sim {

namespace {

using protocol::ChannelId;
using storage::Connection;

constexpr char select_channels[] = "SELECT id FROM channel ORDER BY id";
constexpr char select_submissions[] = "SELECT channel, txn, seq, problem FROM submission";
constexpr char check_database[] = "PRAGMA integrity_check";
constexpr protocol::NameRules rules{};

}  // namespace

void Truth::read(const std::vector<std::unique_ptr<Machine>>& machines)
{
    for (const auto& machine : machines) {
        if (machine->name() == liar_) continue;
        auto database = machine->open_database();
        auto db = database ? (*database)->open_reader()
                           : Result<std::unique_ptr<Connection>>{fail(database)};
        auto contents = db ? read_contents(**db) : Result<Contents>{fail(db)};
        if (!contents) {
            fault(machine->name(), "its disk can't be read: " + contents.error().detail);
            continue;
        }
        auto debts = read_debts(**db, protocol::ServerName::trusted(machine->name()));
        auto stuck = read_stuck(**db, liar_);
        if (!debts || !stuck) fault(machine->name(), "its debts can't be read");
        if (debts) contents->debts = std::move(*debts);
        if (stuck) contents->stuck = std::move(*stuck);
        machines_[machine->name()] = std::move(*contents);
    }
}

Truth::Knowledge Truth::knowledge(Machine& machine)
{
    Knowledge found;
    auto database = machine.open_database();
    auto db =
        database ? (*database)->open_reader() : Result<std::unique_ptr<Connection>>{fail(database)};
    auto contents = db ? read_contents(**db) : Result<Contents>{fail(db)};
    if (!contents) {
        fault(machine.name(), "its disk can't be read: " + contents.error().detail);
        return found;
    }
    for (const auto& [channel, log] : contents->logs) {
        found.servers[channel] = log.servers;
        found.heads[channel] = log.seq;
        auto seq = log.floor;
        for (const auto& entry : log.entries) {
            ++seq;
            if (entry.type == "member.join") found.joins[channel].emplace_back(seq, entry.origin);
        }
        for (const auto& [follower, floor] : log.floors) found.floors[{channel, follower}] = floor;
    }
    for (const auto& [submission, standing] : contents->submissions)
        found.submissions.insert(submission);
    found.newest_run = contents->newest_run;
    return found;
}

Result<Truth::Contents> Truth::read_contents(Connection& db)
{
    const auto first_text = [](storage::Statement& row) { return std::string(row.text(0)); };
    const auto first_number = [](storage::Statement& row) { return row.integer(0); };
    auto sound = storage::one_row(db, check_database, first_text);
    if (!sound) return fail(sound);
    if (**sound != "ok") return fail(Code::internal, **sound);

    Contents contents;
    auto channels = storage::all_rows(db, select_channels, first_number);
    if (!channels) return fail(channels);
    for (const auto id : *channels) {
        auto row = storage::read_channel(db, id);
        if (!row) return fail(row);
        auto log = read_log(db, id);
        if (!log) return fail(log);
        contents.logs[row->name] = std::move(*log);
    }
    const auto read = [&contents](storage::Statement& row) {
        contents.submissions[{ChannelId::trusted(std::string(row.text(0))),
                              storage::uuid_from(row.blob(1))}] = {row.integer(2),
                                                                   std::string(row.text(3))};
        return 0;
    };
    auto submissions = storage::all_rows(db, select_submissions, read);
    if (!submissions) return fail(submissions);
    auto newest = storage::newest_run(db);
    if (!newest) return fail(newest);
    contents.newest_run = newest->run;
    return contents;
}

// With the chain of hashes made anew from what is there.
Result<Truth::Log> Truth::read_log(Connection& db, std::int64_t channel)
{
    auto row = storage::read_channel(db, channel);
    if (!row) return fail(row);
    auto state = storage::read_state(db, *row, rules);
    if (!state) return fail(state);
    auto cursors = storage::cursors_of(db, channel);
    if (!cursors) return fail(cursors);
    Log log{row->home.str(),
            row->epoch,
            row->floor,
            row->seq,
            row->hash,
            row->frozen,
            protocol::state_json(*state),
            {},
            {},
            {},
            {}};
    for (const auto& server : state->servers()) log.servers.insert(server);
    for (const auto& cursor : *cursors) {
        log.floors[cursor.server.str()] = cursor.floor;
        if (cursor.until == 0) log.cursors[cursor.server.str()] = cursor.seq;
    }
    std::string hash;
    for (auto after = row->floor; after < row->seq;) {
        auto page = storage::read_log(db, *row, after, storage::PageLimits{});
        if (!page) return fail(page);
        if (page->entries.empty()) return fail(Code::internal, "a log ends before its head");
        if (after == row->floor) hash = page->after.hash;
        for (auto& stored : page->entries) {
            if (stored.seq != after + 1) return fail(Code::internal, "a hole in a log");
            auto event = protocol::parse_followed_event(stored.entry.event, rules);
            if (!event) return fail(event);
            hash = protocol::entry_hash(row->name, page->epoch, stored.seq, stored.entry.at, hash,
                                        event->event.id);
            log.entries.push_back({stored.seq, stored.entry, event->event.id,
                                   event->event.sender.server.str(), event->event.sender.text,
                                   event->event.type, event->event.txn, event->event.target, hash});
            after = stored.seq;
        }
    }
    if (!log.entries.empty() && hash != log.hash)
        return fail(Code::internal, "a log's hashes don't lead to its head");
    return log;
}

}  // namespace entente::sim
