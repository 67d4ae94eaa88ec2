#include "tests/sim/truth.hpp"

#include <algorithm>

#include "storage/query.hpp"

namespace entente::sim {

namespace {

using protocol::ChannelId;
using protocol::Uuid;
using storage::Connection;

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

void Truth::check_debts(const std::string& self, const Contents& contents)
{
    const auto lost = lost_to(self);
    for (const auto& debt : contents.debts) {
        const auto held = machines_.find(debt.to.str());
        const bool is_stuck = !liar_.empty() && held != machines_.end() &&
                              is_owed_stuck_logs_only(debt, held->second.stuck);
        if (!is_stuck && !lost.contains(debt.to.str()))
            fault(self, "still owes something to " + debt.to.str());
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

void Truth::check(const std::vector<std::unique_ptr<Person>>& people)
{
    check_homes();
    for (const auto& [server, contents] : machines_) {
        check_debts(server, contents);
        for (const auto& [channel, log] : contents.logs) {
            // What a liar's followers hold is well formed: reading it has shown that.
            if (is_in_doubt(channel) || is_excused(channel, server)) continue;
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

const Truth::Entry* Truth::Log::at(std::int64_t place) const
{
    if (place <= floor || place > seq) return nullptr;
    return &entries[static_cast<std::size_t>(place - floor) - 1];
}

const Truth::Log* Truth::home_log(const ChannelId& channel) const
{
    const Log* found = nullptr;
    for (const auto& [server, contents] : machines_) {
        const auto log = contents.logs.find(channel);
        if (log == contents.logs.end() || log->second.home != server) continue;
        if (found == nullptr || found->epoch < log->second.epoch) found = &log->second;
    }
    return found;
}

// What lies before the log of a home that took it over from somewhere on, others hold.
const Truth::Log* Truth::whole_log(const ChannelId& channel)
{
    const auto* home = home_log(channel);
    if (home == nullptr || home->floor == 0) return home;
    const auto [known, is_new] = whole_.try_emplace(channel, *home);
    auto& whole = known->second;
    for (const auto& [server, contents] : machines_) {
        const auto log = contents.logs.find(channel);
        if (!is_new || log == contents.logs.end() || log->second.floor >= whole.floor) continue;
        const auto& earlier = log->second;
        if (earlier.seq < whole.floor) continue;
        const auto missing = static_cast<std::ptrdiff_t>(whole.floor - earlier.floor);
        whole.entries.insert(whole.entries.begin(), earlier.entries.begin(),
                             earlier.entries.begin() + missing);
        whole.floor = earlier.floor;
    }
    return &whole;
}

bool Truth::is_in_doubt(const ChannelId& channel) const
{
    if (liar_.empty()) return false;
    if (protocol::creator_of(channel).str() == liar_) return true;
    const auto moves_there = [&](const Entry& entry) {
        return entry.type == "channel.move" &&
               entry.entry.content.value_or("").find('"' + liar_ + '"') != std::string::npos;
    };
    return std::ranges::any_of(machines_, [&](const auto& machine) {
        const auto log = machine.second.logs.find(channel);
        return log != machine.second.logs.end() &&
               (log->second.home == liar_ || std::ranges::any_of(log->second.entries, moves_there));
    });
}

// [SUC-2] An epoch has one home.
void Truth::check_homes()
{
    std::map<std::pair<ChannelId, std::int64_t>, std::string> homes;
    for (const auto& [server, contents] : machines_) {
        for (const auto& [channel, log] : contents.logs) {
            if (is_in_doubt(channel) || is_excused(channel, server)) continue;
            const auto [known, is_new] = homes.emplace(std::pair{channel, log.epoch}, log.home);
            if (!is_new && known->second != log.home)
                fault(where(channel, server), "has another home in the same epoch");
        }
    }
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
    for (const auto& ours : held.entries) {
        const auto* theirs = home.at(ours.seq);
        if (theirs == nullptr) continue;  // it became the home with the log from its own floor on
        const auto seq = std::to_string(ours.seq);
        if (ours.hash != theirs->hash) return fault(place, "differs from its home at " + seq);
        if (!is_same(ours.entry, theirs->entry, home.servers.contains(server)))
            return fault(place, "has another entry at " + seq);
    }
    const auto* end = home.at(held.seq);
    const auto hash = end != nullptr ? end->hash : held.seq == 0 ? std::string() : held.hash;
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
    const auto* entry = log.at(seq);
    if (entry == nullptr || entry->sender != user.str()) return false;
    // Who made a channel has joined it thereby.
    return deed == Deed::leave ? entry->type == "member.leave"
                               : entry->type == "member.join" || entry->type == "channel.create";
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
    for (const auto& entry : log.entries) {
        if (entry.origin == origin && entry.txn == txn) found.push_back(entry.seq);
    }
    return found;
}

void Truth::check_told(const Person& person, const Told& told)
{
    const auto& wish = told.wish;
    const auto what =
        person.user().str() + "'s " + std::string(name_of(wish.deed)) + " " + wish.txn.str();
    if (wish.channel && is_in_doubt(*wish.channel)) return;
    const auto* log = wish.channel ? whole_log(*wish.channel) : nullptr;
    if (log == nullptr) {
        const bool may_be_lost = wish.channel && has_lost(protocol::creator_of(*wish.channel));
        if (told.posted && !may_be_lost) fault(what, "was taken for a channel that isn't there");
        return;
    }
    const auto origin = protocol::server_of(person.user()).str();
    if (is_excused(*wish.channel, origin)) return;
    if (wish.deed == Deed::move) return check_moved(what, told, *log);
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
    // A home that took the channel over from somewhere on names the beginning of what it holds.
    if (repeats && submission->second.first == home_log(*wish.channel)->floor) return;
    fault(what, "was taken and is nowhere");
}

// [SUC-2] What is told of as moved has moved there; what waits has an end in time, which its
// asker isn't told.
void Truth::check_moved(const std::string& what, const Told& told, const Log& log)
{
    if (!told.posted || told.posted->state != federation::DeliveryState::accepted) return;
    const auto* entry = log.at(told.posted->seq);
    const auto home = protocol::server_of(*told.wish.other).str();
    if (entry == nullptr || entry->type != "channel.move" ||
        entry->entry.content.value_or("").find('"' + home + '"') == std::string::npos)
        fault(what, "was told to have moved it, and it hasn't moved there");
}

void Truth::check_place(const std::string& what, const Told& told, const Log& log, std::int64_t seq)
{
    const auto& posted = *told.posted;
    const auto& entry = *log.at(seq);
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
                                  has_been_shown_out(*whole_log(channel), person.user().str());
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
        const auto* log = whole_log(*told.wish.channel);
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
