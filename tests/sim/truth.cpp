#include "tests/sim/truth.hpp"

#include <algorithm>

#include "storage/event_index.hpp"
#include "storage/log_reader.hpp"
#include "storage/outgoing_store.hpp"
#include "storage/query.hpp"

namespace entente::sim {

namespace {

using protocol::ChannelId;
using protocol::Uuid;
using storage::Connection;

constexpr char select_channels[] = "SELECT id FROM channel ORDER BY id";
constexpr char select_submissions[] = "SELECT channel, txn, seq, problem FROM submission";
constexpr char check_database[] = "PRAGMA integrity_check";
constexpr protocol::NameRules rules{};

std::string where(const ChannelId& channel, const std::string& server)
{
    return channel.str() + " at " + server;
}

// What is marked is each server's own finding. Who follows no longer hears of erasures.
bool is_same(protocol::Entry ours, protocol::Entry theirs, bool follows)
{
    ours.marks = theirs.marks = 0;
    if (follows || theirs.content) return ours == theirs;
    return ours.event == theirs.event && ours.at == theirs.at;
}

}  // namespace

void Truth::fault(const std::string& place, const std::string& what)
{
    trace_.fault(place + ": " + what);
}

std::size_t Truth::entries() const
{
    std::size_t count = 0;
    for (const auto& [name, contents] : machines_) {
        for (const auto& [channel, log] : contents.logs)
            if (log.home == name) count += log.entries.size();
    }
    return count;
}

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
        machines_[machine->name()] = std::move(*contents);
        check_debts(**db, machine->name());
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

void Truth::excuse(const std::string& server, const Knowledge& before, const Knowledge& after)
{
    put_back_.insert(server);
    const auto differ = [&](const auto& some, const auto& others) {
        for (const auto& [channel, servers] : some) {
            const auto other = others.find(channel);
            const bool is_home = protocol::creator_of(channel).str() == server;
            for (const auto& member : servers) {
                const bool is_in_both = other != others.end() && other->second.contains(member);
                if (!is_in_both && (is_home || member == server)) excused_.emplace(channel, member);
            }
        }
    };
    differ(before.servers, after.servers);
    differ(after.servers, before.servers);
    // Whose log begins beyond what is left can't say how it goes on from there [LOG-5].
    for (const auto& [place, floor] : before.floors) {
        const auto head = after.heads.find(place.first);
        if (head != after.heads.end() && floor > head->second) excused_.insert(place);
    }
    // Who has joined since, and left, isn't told that the log was put back, and parts with it when
    // it joins anew [LOG-4].
    for (const auto& [channel, joins] : before.joins) {
        if (protocol::creator_of(channel).str() != server) continue;
        const auto head = after.heads.find(channel);
        for (const auto& [seq, member] : joins) {
            if (head == after.heads.end() || seq > head->second) excused_.emplace(channel, member);
        }
    }
    // Where no run is missing nobody notices; what it had sealed and forgot is then somebody
    // else's to it [LOG-11].
    if (before.newest_run != after.newest_run) return;
    for (const auto& submission : before.submissions) {
        if (!after.submissions.contains(submission)) excused_.emplace(submission.first, server);
    }
}

bool Truth::is_excused(const ChannelId& channel, const std::string& server) const
{
    if (excused_.contains({channel, server})) return true;
    const auto home = protocol::creator_of(channel);
    if (!has_lost(home) || home.str() == server) return false;
    const auto* log = home_log(channel);
    return log == nullptr || !log->servers.contains(server);
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

void Truth::check_debts(Connection& db, const std::string& self)
{
    auto owed = storage::owed_servers(db, protocol::ServerName::trusted(self));
    if (!owed) return fault(self, owed.error().detail);
    const auto lost = lost_to(self);
    for (const auto& server : *owed) {
        if (!lost.contains(server.str())) fault(self, "still owes something to " + server.str());
    }
}

std::set<std::string> Truth::lost_to(const std::string& server) const
{
    std::set<std::string> lost;
    if (!liar_.empty()) lost.insert(liar_);
    for (const auto& [channel, follower] : excused_) {
        if (protocol::creator_of(channel).str() == server) lost.insert(follower);
    }
    return lost;
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
            hash = protocol::entry_hash(row->name, row->epoch, stored.seq, stored.entry.at, hash,
                                        event->event.id);
            log.entries.push_back({stored.entry, event->event.id, event->event.sender.server.str(),
                                   event->event.sender.text, event->event.type, event->event.txn,
                                   event->event.target, hash});
            after = stored.seq;
        }
    }
    if (!log.entries.empty() && hash != log.hash)
        return fail(Code::internal, "a log's hashes don't lead to its head");
    return log;
}

void Truth::check(const std::vector<std::unique_ptr<Person>>& people)
{
    for (const auto& [server, contents] : machines_) {
        for (const auto& [channel, log] : contents.logs) {
            // What a liar's followers hold is well formed: reading it has shown that.
            if (log.home == liar_ || is_excused(channel, server)) continue;
            if (log.frozen) fault(where(channel, server), "is frozen");
            check_erased(channel, server, log);
            if (log.home == server) {
                check_home(channel, log);
                continue;
            }
            const auto* home = home_log(channel);
            if (home == nullptr) {
                if (has_lost(protocol::creator_of(channel))) continue;
                fault(where(channel, server), "its home doesn't have it");
            } else if (!home->servers.contains(server) ||
                       !has_forgotten_its_join(channel, server)) {
                check_follower(channel, server, log, *home);
            }
        }
    }
    for (const auto& person : people) {
        if (protocol::server_of(person->user()).str() == liar_) continue;
        for (const auto& told : person->told()) check_told(*person, told);
        check_order(*person);
    }
}

const Truth::Log* Truth::home_log(const ChannelId& channel) const
{
    const auto home = machines_.find(protocol::creator_of(channel).str());
    if (home == machines_.end()) return nullptr;
    const auto log = home->second.logs.find(channel);
    return log == home->second.logs.end() ? nullptr : &log->second;
}

void Truth::check_home(const ChannelId& channel, const Log& log)
{
    std::set<std::pair<std::string, Uuid>> seen;
    protocol::Millis at = 0;
    for (const auto& entry : log.entries) {
        if (!seen.emplace(entry.origin, entry.txn).second)
            fault(where(channel, log.home), "has " + entry.txn.str() + " twice");
        if (entry.entry.at < at) fault(where(channel, log.home), "its time goes back");
        at = entry.entry.at;
    }
    for (const auto& server : log.servers) {
        if (server == log.home || is_excused(channel, server)) continue;
        const auto follower = machines_.find(server);
        if (follower == machines_.end()) continue;
        if (has_forgotten_its_join(channel, server)) continue;
        if (!follower->second.logs.contains(channel))
            fault(where(channel, server), "isn't there, though it has members");
        const auto cursor = log.cursors.find(server);
        if (cursor == log.cursors.end() || cursor->second != log.seq)
            fault(where(channel, server), "the home's cursor isn't at the head");
    }
}

// A join that a server had sent and lost with what was put back: it follows when somebody joins
// again [MEM-12].
bool Truth::has_forgotten_its_join(const ChannelId& channel, const std::string& server) const
{
    if (!has_lost(protocol::ServerName::trusted(server))) return false;
    const auto& logs = machines_.at(server).logs;
    const auto held = logs.find(channel);
    return held == logs.end() || !held->second.servers.contains(server);
}

void Truth::check_follower(const ChannelId& channel, const std::string& server, const Log& held,
                           const Log& home)
{
    const auto place = where(channel, server);
    if (held.seq > home.seq) return fault(place, "holds more than its home");
    for (std::size_t i = 0; i < held.entries.size(); ++i) {
        const auto& ours = held.entries[i];
        const auto& theirs = home.entries[static_cast<std::size_t>(held.floor) + i];
        const auto seq = std::to_string(held.floor + static_cast<std::int64_t>(i) + 1);
        if (ours.hash != theirs.hash) return fault(place, "differs from its home at " + seq);
        if (!is_same(ours.entry, theirs.entry, home.servers.contains(server)))
            return fault(place, "has another entry at " + seq);
    }
    const auto& hash =
        held.seq == 0 ? std::string() : home.entries[static_cast<std::size_t>(held.seq) - 1].hash;
    if (held.hash != hash) return fault(place, "has another head than its home");
    if (!home.servers.contains(server)) return;
    if (held.seq != home.seq)
        return fault(place, "has " + std::to_string(held.seq) + " of " + std::to_string(home.seq));
    if (held.state != home.state) fault(place, "has another state than its home");
}

// [MEM-4] What a deletion that took effect names is nowhere, nor are its edits. A liar's home
// may have said so of what it may not.
void Truth::check_erased(const ChannelId& channel, const std::string& server, const Log& log)
{
    std::set<protocol::Hash> erased;
    for (const auto& entry : log.entries) {
        if (entry.type == "message.delete" && entry.target &&
            (entry.entry.marks & protocol::bit(protocol::Mark::no_effect)) == 0)
            erased.insert(*entry.target);
    }
    for (const auto& entry : log.entries) {
        const bool is_edit = entry.type == "message.edit" && entry.target;
        if (!erased.contains(entry.id) && !(is_edit && erased.contains(*entry.target))) continue;
        if (entry.entry.content)
            fault(where(channel, server), "has an erased content, of " + entry.txn.str());
    }
}

bool Truth::is_one_of(const Log& log, std::int64_t seq, const protocol::UserId& user, Deed deed)
{
    if (seq <= 0 || seq > log.seq) return false;
    const auto& entry = log.entries[static_cast<std::size_t>(seq) - 1];
    return entry.sender == user.str() &&
           entry.type == (deed == Deed::join ? "member.join" : "member.leave");
}

bool Truth::has_been_shown_out(const Log& log, const std::string& user)
{
    const auto shows_out = [&](const Entry& entry) {
        return (entry.type == "member.kick" || entry.type == "member.ban") &&
               entry.entry.content.value_or("").find('"' + user + '"') != std::string::npos;
    };
    return std::any_of(log.entries.begin(), log.entries.end(), shows_out);
}

std::vector<std::int64_t> Truth::places(const Log& log, const std::string& origin, const Uuid& txn)
{
    std::vector<std::int64_t> found;
    for (std::size_t i = 0; i < log.entries.size(); ++i) {
        const auto& entry = log.entries[i];
        if (entry.origin == origin && entry.txn == txn)
            found.push_back(log.floor + static_cast<std::int64_t>(i) + 1);
    }
    return found;
}

void Truth::check_told(const Person& person, const Told& told)
{
    const auto& wish = told.wish;
    const auto what =
        person.user().str() + "'s " + std::string(name_of(wish.deed)) + " " + wish.txn.str();
    if (wish.channel && protocol::creator_of(*wish.channel).str() == liar_) return;
    const auto* log = wish.channel ? home_log(*wish.channel) : nullptr;
    if (log == nullptr) {
        const bool may_be_lost = wish.channel && has_lost(protocol::creator_of(*wish.channel));
        if (told.posted && !may_be_lost) fault(what, "was taken for a channel that isn't there");
        return;
    }
    const auto origin = protocol::server_of(person.user()).str();
    if (is_excused(*wish.channel, origin)) return;
    const auto found = places(*log, origin, wish.txn);
    if (told.refusal) {
        if (!found.empty()) fault(what, "was refused and is in the log");
        return;
    }
    if (found.size() > 1) return fault(what, "is in the log twice");
    if (found.size() == 1) return check_place(what, told, *log, found.front());
    const auto& submissions = machines_[origin].submissions;
    const auto submission = submissions.find({*wish.channel, wish.txn});
    const auto problem =
        submission != submissions.end() ? submission->second.second : std::string();
    if (!problem.empty()) return check_rejected(person, told, problem);
    if (told.posted->state == federation::DeliveryState::rejected)
        return fault(what, "was told to be refused, and nobody remembers why");
    // A join of who is a member already is that earlier one [MEM-1].
    const bool repeats = wish.deed == Deed::join || wish.deed == Deed::leave;
    if (repeats && submission == submissions.end()) return;
    if (repeats && is_one_of(*log, submission->second.first, person.user(), wish.deed)) return;
    fault(what, "was taken and is nowhere");
}

void Truth::check_place(const std::string& what, const Told& told, const Log& log, std::int64_t seq)
{
    const auto& posted = *told.posted;
    const auto& entry = log.entries[static_cast<std::size_t>(seq) - 1];
    const bool names_event = told.wish.deed != Deed::create;
    if (names_event && entry.id != posted.event_id) fault(what, "is another event in the log");
    if (told.is_doubtful) return;
    if (posted.seq > 0 && posted.seq != seq)
        fault(what, "was told " + std::to_string(posted.seq) + " and is at " + std::to_string(seq));
    if (posted.state == federation::DeliveryState::rejected)
        fault(what, "was told to be refused and is in the log");
}

// Only of who has left or was shown out, or from the future, a home refuses a message that
// its author's server has taken.
void Truth::check_rejected(const Person& person, const Told& told, const std::string& problem)
{
    if (told.wish.deed != Deed::post || told.is_doubtful || person.has_forgotten()) return;
    const auto& channel = *told.wish.channel;
    const bool may_be = problem == "malformed"
                            ? clocks_have_jumped_
                            : person.has_ever_left(channel) ||
                                  has_been_shown_out(*home_log(channel), person.user().str());
    if (!may_be)
        fault(person.user().str(), "'s post " + told.wish.txn.str() + " was refused: " + problem);
}

// What one person wrote in a channel stands there in the order in which it was taken. Other
// deeds may be refused at first, which nobody heard, and be possible when they are repeated.
void Truth::check_order(const Person& person)
{
    std::map<ChannelId, std::int64_t> reached;
    const auto origin = protocol::server_of(person.user()).str();
    for (const auto& told : person.told()) {
        if (told.wish.deed != Deed::post || !told.posted) continue;
        const auto* log = home_log(*told.wish.channel);
        if (log == nullptr) continue;
        for (const auto seq : places(*log, origin, told.wish.txn)) {
            auto& before = reached[*told.wish.channel];
            if (seq <= before)
                fault(person.user().str(), "wrote " + told.wish.txn.str() + " out of order");
            before = seq;
        }
    }
}

}  // namespace entente::sim
