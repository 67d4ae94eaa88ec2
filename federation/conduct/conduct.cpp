#include "federation/conduct/conduct.hpp"

#include <algorithm>
#include <memory>
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
// Entries of an import written or dropped in one job.
constexpr std::size_t entries_a_job = 500;

// Whose word it is that a job carries out, where and when.
struct Word {
    Mandate by;
    ServerName self;
    protocol::Millis now = 0;

    [[nodiscard]] Result<void> note(WriteTransaction& transaction, std::string act,
                                    std::string object, std::string details = "{}") const
    {
        auto noted = storage::append_audit(
            transaction.db(), self, now,
            {by.actor, std::move(act), std::move(object), std::move(details)});
        if (!noted) return fail(noted);
        return {};
    }
};

std::string details_of(const TierEntry& entry)
{
    std::string text = R"({"tier":")" + std::string(trust::to_text(entry.tier)) + '"';
    if (!entry.comment.empty()) text += R"(,"comment":)" + protocol::json_string(entry.comment);
    return text + "}";
}

// A few of these happen to an honest server: a program's fault; or it was put back from an older
// backup, and a client's retry, which is written anew, is then another event under a txn that it
// has forgotten.
bool is_fault(Offence offence)
{
    return offence == Offence::malformed || offence == Offence::unentitled ||
           offence == Offence::equivocation;
}

template <class T>
std::vector<T> batch_of(const std::vector<T>& all, std::size_t at)
{
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(at);
    const auto size = std::min(entries_a_job, all.size() - at);
    return {first, first + static_cast<std::ptrdiff_t>(size)};
}

// What an import finds of its list: whom it doesn't name any more.
struct PlanImport {
    std::string list;
    std::shared_ptr<const std::unordered_set<ServerName>> named;
    bool replaces = false;

    Result<std::vector<ServerName>> operator()(storage::Connection& db) const
    {
        auto listed = storage::servers_listed(db, list);
        if (!listed) return fail(listed);
        const auto held = storage::count_listed(db);
        if (!held) return fail(held);
        const auto before = listed->size();
        std::erase_if(*listed, [&](const ServerName& server) { return named->contains(server); });
        const auto kept = before - listed->size();
        if (!replaces) listed->clear();
        const auto count = static_cast<std::size_t>(*held) - listed->size() + named->size() - kept;
        if (count > trust::max_entries)
            return refuse(Code::too_large, "there would be more than 200,000 entries");
        return listed;
    }
};

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

// More than there is room for must not keep the server from starting: what comes last counts for
// nothing, and is told.
asio::awaitable<Result<void>> Conduct::load_entries(Source source)
{
    std::string after;
    std::int64_t left_out = 0;
    for (;;) {
        auto job = [source, after](storage::Connection& db) {
            return storage::tiers_said(db, source, after, entries_a_page);
        };
        auto said = co_await parts_.commits.read(std::move(job));
        if (!said) co_return fail(said);
        for (const auto& [server, tier] : *said) {
            if (!parts_.tiers.put(source, server, tier)) ++left_out;
        }
        if (said->size() < entries_a_page) break;
        after = said->back().first.str();
    }
    if (left_out > 0)
        protocol::log_warning(parts_.log, "trust",
                              "entries of servers have no room and don't count",
                              {{"entries", left_out}});
    co_return Result<void>{};
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
        // One that was found while this was written counts as the same.
        if (!trust::is_fallen(standing, fall->at)) ++standing.falls;
        standing.fallen_until = std::max(standing.fallen_until, fall->until);
    }
    parts_.tiers.hold(server, standing);
    if (fall) tell(*fall);
}

void Conduct::forked(const trust::KeyRing& ring, const ServerName& home, const std::string& root,
                     const protocol::ChannelId& channel, std::int64_t seq)
{
    const auto jws = protocol::parse_jws(root, {.allow_test_names = true});
    if (!jws || jws->key.server != home) return;
    auto proof = trust::Proof::of_signature(ring, jws->key, jws->signature, jws->signing_input, "");
    if (!proof) return;
    proof->note_place(channel, seq);
    noticed(Offence::fork, *proof);
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

void Conduct::hold(Source source, const Said& said)
{
    std::vector<ServerName> moved;
    const auto is_blocked = [&](const ServerName& server) {
        return parts_.tiers.tier_of(server, parts_.clock.now_ms()) == trust::Tier::blocked;
    };
    for (const auto& [server, tier] : said) {
        const bool was_blocked = is_blocked(server);
        if (!tier) {
            parts_.tiers.drop(source, server);
        } else if (!parts_.tiers.put(source, server, *tier)) {
            protocol::log_warning(parts_.log, "trust", "an entry of a server has no room",
                                  {{"server", server.str()}});
        }
        if (is_blocked(server) != was_blocked) moved.push_back(server);
    }
    if (parts_.moved && !moved.empty()) parts_.moved(std::move(moved));
}

asio::awaitable<Result<void>> Conduct::put(Mandate by, Source source, TierEntry entry)
{
    if (!parts_.tiers.entry(source, entry.server) &&
        parts_.tiers.entries_of(source).size() >= trust::max_entries)
        co_return refuse(Code::too_large, "there are as many entries as there may be");
    std::vector<TierEntry> one;
    one.push_back(std::move(entry));
    auto done = co_await store(std::move(by), source, std::move(one));
    co_return done;
}

asio::awaitable<Result<void>> Conduct::store(Mandate by, Source source,
                                             std::vector<TierEntry> entries)
{
    Word word{std::move(by), parts_.self, parts_.clock.now_ms()};
    auto job = [source, entries = std::move(entries),
                word = std::move(word)](WriteTransaction& transaction) -> Result<Said> {
        if (auto may = word.by.check(transaction.db()); !may) return fail(may);
        Said said;
        for (const auto& entry : entries) {
            auto put = storage::put_tier_entry(transaction.db(), source, entry);
            if (put && source == Source::administrator)
                put = word.note(transaction, "trust.set", entry.server.str(), details_of(entry));
            if (!put) return fail(put);
            auto tier = storage::tier_said(transaction.db(), source, entry.server);
            if (!tier) return fail(tier);
            said.emplace_back(entry.server, *tier);
        }
        return said;
    };
    auto stored = co_await parts_.commits.write(std::move(job));
    if (!stored) co_return fail(stored);
    hold(source, *stored);
    co_return Result<void>{};
}

asio::awaitable<Result<bool>> Conduct::drop(Mandate by, Source source, ServerName server)
{
    Word word{std::move(by), parts_.self, parts_.clock.now_ms()};
    auto job = [source, server,
                word = std::move(word)](WriteTransaction& transaction) -> Result<bool> {
        if (auto may = word.by.check(transaction.db()); !may) return fail(may);
        auto dropped = storage::drop_tier_entry(transaction.db(), source, server);
        if (!dropped || !*dropped || source != Source::administrator) return dropped;
        auto noted = word.note(transaction, "trust.unset", server.str());
        if (!noted) return fail(noted);
        return dropped;
    };
    auto dropped = co_await parts_.commits.write(std::move(job));
    if (!dropped || !*dropped) co_return dropped;
    Said gone;
    gone.emplace_back(server, std::nullopt);
    hold(source, gone);
    co_return dropped;
}

asio::awaitable<Result<void>> Conduct::drop_of(std::string list, std::vector<ServerName> leaving)
{
    auto job = [list = std::move(list),
                leaving = std::move(leaving)](WriteTransaction& transaction) -> Result<Said> {
        Said said;
        for (const auto& server : leaving) {
            auto dropped = storage::drop_listed(transaction.db(), server, list);
            if (!dropped) return fail(dropped);
            // Another list may name it.
            auto tier = storage::tier_said(transaction.db(), Source::list, server);
            if (!tier) return fail(tier);
            said.emplace_back(server, *tier);
        }
        return said;
    };
    auto dropped = co_await parts_.commits.write(std::move(job));
    if (!dropped) co_return fail(dropped);
    hold(Source::list, *dropped);
    co_return Result<void>{};
}

asio::awaitable<Result<bool>> Conduct::pardon(Mandate by, ServerName server)
{
    Word word{std::move(by), parts_.self, parts_.clock.now_ms()};
    auto job = [server, word = std::move(word)](WriteTransaction& transaction) -> Result<bool> {
        if (auto may = word.by.check(transaction.db()); !may) return fail(may);
        auto pardoned = storage::pardon(transaction.db(), server);
        if (!pardoned || !*pardoned) return pardoned;
        auto noted = word.note(transaction, "trust.pardon", server.str());
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

asio::awaitable<Result<void>> Conduct::note_import(Mandate by, std::string act, std::string list,
                                                   std::string details)
{
    Word word{std::move(by), parts_.self, parts_.clock.now_ms()};
    auto job = [act = std::move(act), list = std::move(list), details = std::move(details),
                word = std::move(word)](WriteTransaction& transaction) -> Result<void> {
        if (auto may = word.by.check(transaction.db()); !may) return may;
        return word.note(transaction, act, list, details);
    };
    auto noted = co_await parts_.commits.write(std::move(job));
    co_return noted;
}

asio::awaitable<Result<std::size_t>> Conduct::import(Mandate by, ListImport wish)
{
    // Two at once could each find the room that is there for one.
    if (is_importing_) co_return refuse(Code::unavailable, "another list is being imported");
    struct Ending {
        bool& is_importing;
        ~Ending() { is_importing = false; }
    };
    is_importing_ = true;
    const Ending ending{is_importing_};
    auto done = co_await import_alone(std::move(by), std::move(wish));
    co_return done;
}

// In steps, so that other writers get their turns. What is old goes before what is new comes: there
// are never more than there may be. Whom the old and the new list name is never free in between.
asio::awaitable<Result<std::size_t>> Conduct::import_alone(Mandate by, ListImport wish)
{
    const auto count = wish.entries.size();
    auto named = std::make_shared<std::unordered_set<ServerName>>();
    for (auto& entry : wish.entries) {
        entry.origin = wish.list;
        named->insert(entry.server);
    }
    PlanImport plan{wish.list, std::move(named), wish.replaces};
    auto leaving = co_await parts_.commits.read(std::move(plan));
    if (!leaving) co_return fail(leaving);
    const auto details = [&](std::size_t dropped) {
        return R"({"entries":)" + std::to_string(count) + R"(,"dropped":)" +
               std::to_string(dropped) + "}";
    };
    // He was asked at the beginning: half a list would be nobody's wish.
    const Mandate begun{by.actor};
    const std::string replaces = wish.replaces ? R"({"replace":true})" : R"({"replace":false})";
    auto done = co_await note_import(std::move(by), "trust.import", wish.list, replaces);
    if (!done) co_return fail(done);
    for (std::size_t at = 0; at < leaving->size(); at += entries_a_job) {
        done = co_await drop_of(wish.list, batch_of(*leaving, at));
        if (!done) co_return fail(done);
    }
    for (std::size_t at = 0; at < count; at += entries_a_job) {
        done = co_await store(begun, Source::list, batch_of(wish.entries, at));
        if (!done) co_return fail(done);
    }
    done = co_await note_import(begun, "trust.imported", wish.list, details(leaving->size()));
    if (!done) co_return fail(done);
    co_return leaving->size();
}

}  // namespace entente::federation
