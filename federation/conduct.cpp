#include "federation/conduct.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "protocol/json_rules.hpp"
#include "protocol/jws.hpp"
#include "storage/audit_store.hpp"

namespace entente::federation {

namespace {

using storage::TierEntry;
using storage::WriteTransaction;
using trust::Offence;
using trust::Source;

// Entries read at once.
constexpr std::size_t entries_a_page = 10'000;
// Entries of an import written in one job.
constexpr std::size_t entries_a_job = 500;

// In the job that does it.
Result<void> note(WriteTransaction& transaction, const ServerName& self, protocol::Millis now,
                  std::string act, const ServerName& server, std::string details = "{}")
{
    auto noted = storage::append_audit(
        transaction.db(), self, now,
        {storage::audit_operator, std::move(act), server.str(), std::move(details)});
    if (!noted) return fail(noted);
    return {};
}

std::string details_of(const TierEntry& entry)
{
    std::string text = R"({"tier":")" + std::string(trust::to_text(entry.tier)) + '"';
    if (!entry.comment.empty()) text += R"(,"comment":)" + protocol::json_string(entry.comment);
    return text + "}";
}

bool is_fault(Offence offence)
{
    return offence == Offence::malformed || offence == Offence::unentitled;
}

}  // namespace

Conduct::Conduct(ConductParts parts)
    : parts_(std::move(parts)),
      faults_(max_faulty_servers, parts_.tiers.conduct().daily_faults, protocol::day_ms)
{
}

asio::awaitable<Result<void>> Conduct::load()
{
    auto job = [events = figures().known_events](storage::Connection& db) {
        return storage::standings(db, events, trust::max_standings);
    };
    auto standings = co_await parts_.commits.read(std::move(job));
    if (!standings) co_return fail(standings);
    for (const auto& [server, standing] : *standings) parts_.tiers.hold(server, standing);
    for (const auto source : {Source::administrator, Source::list}) {
        auto loaded = co_await load_entries(source);
        if (!loaded) co_return loaded;
    }
    co_return Result<void>{};
}

asio::awaitable<Result<void>> Conduct::load_entries(Source source)
{
    std::string after;
    for (;;) {
        auto job = [source, after](storage::Connection& db) {
            return storage::tier_entries(db, source, after, entries_a_page);
        };
        auto entries = co_await parts_.commits.read(std::move(job));
        if (!entries) co_return fail(entries);
        for (const auto& entry : *entries) {
            auto put = parts_.tiers.put(source, entry.server, entry.tier);
            if (!put) co_return put;
        }
        if (entries->size() < entries_a_page) co_return Result<void>{};
        after = entries->back().server.str();
    }
}

void Conduct::noticed(Offence offence, const trust::Proof& proof)
{
    const auto now = parts_.clock.now_ms();
    const auto& server = proof.server();
    if (is_fault(offence) && faults_.of(server.str(), now).take(1, now)) return;
    auto standing = parts_.tiers.standing_of(server);
    auto fall = trust::fall_of(standing, offence, proof, figures(), now);
    if (!fall) return;
    parts_.tiers.hold(server, standing);
    tell(*fall);
    parts_.tasks.spawn(keep(std::move(*fall)));
}

void Conduct::tell(const trust::Fall& fall)
{
    const auto tier = parts_.tiers.tier_of(fall.server, parts_.clock.now_ms());
    protocol::log_warning(parts_.log, "trust", "a server has fallen; its evidence is kept",
                          {{"server", fall.server.str()},
                           {"offence", trust::to_text(fall.offence)},
                           {"until", fall.until},
                           {"tier", trust::to_text(tier)}});
}

void Conduct::upheld(const ServerName& server, protocol::Millis at,
                     const std::optional<trust::Fall>& fall)
{
    auto standing = parts_.tiers.standing_of(server);
    standing.last_upheld = at;
    if (fall) {
        ++standing.falls;
        standing.fallen_until = std::max(standing.fallen_until, fall->until);
    }
    parts_.tiers.hold(server, standing);
    if (fall) tell(*fall);
}

void Conduct::forked(const trust::KeyRing& ring, const ServerName& home, const std::string& root)
{
    const auto jws = protocol::parse_jws(root, {.allow_test_names = true});
    if (!jws || jws->key.server != home) return;
    const auto proof =
        trust::Proof::of_signature(ring, jws->key, jws->signature, jws->signing_input, "");
    if (proof) noticed(Offence::fork, *proof);
}

// What couldn't be stored counts until the next start, and is told.
asio::awaitable<void> Conduct::keep(trust::Fall fall)
{
    const auto server = fall.server;
    auto job = [fall = std::move(fall)](WriteTransaction& transaction) {
        return storage::put_fall(transaction.db(), fall);
    };
    auto kept = co_await parts_.commits.write(std::move(job));
    if (!kept)
        protocol::log_warning(parts_.log, "trust", "a fall could not be kept",
                              {{"server", server.str()}, {"detail", kept.error().detail}});
}

// Falls are this class's own: a row that was read before the last one is older in them.
void Conduct::counted(const ServerName& server, const trust::ServerStanding& standing)
{
    auto held = parts_.tiers.standing_of(server);
    held.first_contact = standing.first_contact;
    held.accepted = standing.accepted;
    held.last_upheld = standing.last_upheld;
    parts_.tiers.hold(server, held);
}

void Conduct::conflict_ended(const ServerName& server)
{
    if (parts_.tiers.standing_of(server).falls > 0) parts_.tasks.spawn(forget_conflicts(server));
}

asio::awaitable<void> Conduct::forget_conflicts(ServerName server)
{
    auto job = [server](WriteTransaction& transaction) {
        return storage::pardon_all_of(transaction.db(), server, Offence::key_conflict);
    };
    auto done = co_await parts_.commits.write(std::move(job));
    if (!done) {
        protocol::log_warning(parts_.log, "trust", "a fall could not be taken back",
                              {{"server", server.str()}, {"detail", done.error().detail}});
        co_return;
    }
    if (!*done) co_return;
    auto standing = parts_.tiers.standing_of(server);
    trust::forget_falls(standing);
    parts_.tiers.hold(server, standing);
}

void Conduct::told_moved(const ServerName& server)
{
    if (parts_.moved) parts_.moved(server);
}

asio::awaitable<Result<void>> Conduct::put(Source source, TierEntry entry)
{
    std::vector<TierEntry> one;
    one.push_back(std::move(entry));
    if (auto room = check_room(source, one, 0); !room) co_return room;
    auto done = co_await store(source, std::move(one));
    co_return done;
}

Result<void> Conduct::check_room(Source source, const std::vector<TierEntry>& entries,
                                 std::size_t leaving) const
{
    const auto held = parts_.tiers.entries_of(source).size();
    const auto added =
        static_cast<std::size_t>(std::ranges::count_if(entries, [&](const TierEntry& entry) {
            return !parts_.tiers.entry(source, entry.server);
        }));
    if (held - leaving + added <= trust::max_entries) return {};
    return refuse(Code::too_large, "there would be more than 200,000 entries");
}

asio::awaitable<Result<void>> Conduct::store(Source source, std::vector<TierEntry> entries)
{
    auto job = [source, entries, self = parts_.self,
                now = parts_.clock.now_ms()](WriteTransaction& transaction) -> Result<void> {
        for (const auto& entry : entries) {
            auto put = storage::put_tier_entry(transaction.db(), source, entry);
            if (put && source == Source::administrator)
                put = note(transaction, self, now, "trust.set", entry.server, details_of(entry));
            if (!put) return put;
        }
        return {};
    };
    auto stored = co_await parts_.commits.write(std::move(job));
    if (!stored) co_return stored;
    for (const auto& entry : entries) {
        auto put = parts_.tiers.put(source, entry.server, entry.tier);
        if (!put) co_return put;
        told_moved(entry.server);
    }
    co_return stored;
}

asio::awaitable<Result<bool>> Conduct::drop(Source source, ServerName server)
{
    auto job = [source, server, self = parts_.self,
                now = parts_.clock.now_ms()](WriteTransaction& transaction) -> Result<bool> {
        auto dropped = storage::drop_tier_entry(transaction.db(), source, server);
        if (!dropped || !*dropped || source != Source::administrator) return dropped;
        auto noted = note(transaction, self, now, "trust.unset", server);
        if (!noted) return fail(noted);
        return dropped;
    };
    auto dropped = co_await parts_.commits.write(std::move(job));
    if (!dropped || !*dropped) co_return dropped;
    parts_.tiers.drop(source, server);
    told_moved(server);
    co_return dropped;
}

asio::awaitable<Result<bool>> Conduct::pardon(ServerName server)
{
    auto job = [server, self = parts_.self,
                now = parts_.clock.now_ms()](WriteTransaction& transaction) -> Result<bool> {
        auto pardoned = storage::pardon(transaction.db(), server);
        if (!pardoned || !*pardoned) return pardoned;
        auto noted = note(transaction, self, now, "trust.pardon", server);
        if (!noted) return fail(noted);
        return pardoned;
    };
    auto done = co_await parts_.commits.write(std::move(job));
    if (!done || !*done) co_return done;
    auto standing = parts_.tiers.standing_of(server);
    trust::pardon(standing);
    parts_.tiers.hold(server, standing);
    co_return done;
}

// In steps, so that other writers get their turns. What is new comes before what is old goes: an
// import that is cut off leaves nobody free whom either list names.
asio::awaitable<Result<void>> Conduct::import(std::vector<TierEntry> entries, bool replace)
{
    std::vector<ServerName> leaving;
    if (replace) {
        std::unordered_set<ServerName> named;
        for (const auto& entry : entries) named.insert(entry.server);
        for (const auto& [server, tier] : parts_.tiers.entries_of(Source::list)) {
            if (!named.contains(server)) leaving.push_back(server);
        }
    }
    auto room = check_room(Source::list, entries, leaving.size());
    if (!room) co_return room;
    for (std::size_t at = 0; at < entries.size(); at += entries_a_job) {
        const auto first = entries.begin() + static_cast<std::ptrdiff_t>(at);
        const auto last =
            first + static_cast<std::ptrdiff_t>(std::min(entries_a_job, entries.size() - at));
        auto stored = co_await store(Source::list, std::vector<TierEntry>(first, last));
        if (!stored) co_return stored;
    }
    for (auto& server : leaving) {
        auto dropped = co_await drop(Source::list, std::move(server));
        if (!dropped) co_return fail(dropped);
    }
    co_return Result<void>{};
}

}  // namespace entente::federation
