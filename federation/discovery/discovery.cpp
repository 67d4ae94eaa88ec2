#include "federation/discovery/discovery.hpp"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "federation/discovery/discovery_turn.hpp"
#include "federation/discovery/document_fetch.hpp"
#include "net/source_key.hpp"

namespace entente::federation {

namespace {

constexpr Millis minute_ms = 60'000;

// A request needs none of them, and they may be many.
trust::PinnedServer without_statements(const trust::PinnedServer& held)
{
    return {held.server, held.api,     held.keys,     held.recovery,
            held.limits, held.max_age, held.conflict, held.pinned_at};
}

std::int64_t whole_seconds(Millis time)
{
    return std::max<std::int64_t>(1, (time + 999) / 1000);
}

}  // namespace

// A fetch that is under way. Whoever waits for it holds it; `done` never expires, it is
// cancelled at the end.
struct Discovery::Flight {
    explicit Flight(const asio::any_io_executor& executor)
        : done(executor, asio::steady_timer::time_point::max())
    {
    }
    asio::steady_timer done;
    std::optional<Result<void>> outcome;
    Place place = Place::own;
};

// Ends a flight however its coroutine goes, even if it never starts: nobody waits for ever.
class Discovery::Landing {
 public:
    Landing(Discovery& discovery, ServerName server, std::shared_ptr<Flight> flight)
        : discovery_(&discovery), server_(std::move(server)), flight_(std::move(flight))
    {
    }
    Landing(Landing&& other) noexcept
        : discovery_(std::exchange(other.discovery_, nullptr)),
          server_(std::move(other.server_)),
          flight_(std::move(other.flight_))
    {
    }
    Landing& operator=(Landing&&) = delete;
    ~Landing()
    {
        if (discovery_ == nullptr) return;
        if (!flight_->outcome) flight_->outcome = fail(Code::unavailable, "the fetch was stopped");
        discovery_->flights_.erase(server_);
        flight_->done.cancel();
    }
    [[nodiscard]] const ServerName& server() const { return server_; }
    [[nodiscard]] Place place() const { return flight_->place; }
    void settle(Result<void> outcome) { flight_->outcome = std::move(outcome); }

 private:
    Discovery* discovery_;
    ServerName server_;
    std::shared_ptr<Flight> flight_;
};

Discovery::Discovery(net::TaskGroup& tasks, net::Fetcher& http, trust::KeyRing& ring,
                     storage::PinStore& pins, const protocol::Clock& clock,
                     DiscoveryOptions options, Notice notice)
    : tasks_(tasks),
      http_(http),
      ring_(ring),
      pins_(pins),
      clock_(clock),
      options_(options),
      notice_(std::move(notice)),
      by_source_(options.max_remembered, options.refetches_per_source, minute_ms),
      first_by_source_(options.max_remembered, options.first_fetches_per_source, minute_ms)
{
}

Discovery::~Discovery() = default;

asio::awaitable<Result<trust::PinnedServer>> Discovery::peer(ServerName server)
{
    auto now = clock_.now_ms();
    note_use(server);
    const auto* held = ring_.find(server);
    if (held != nullptr && is_fresh(server, now)) co_return without_statements(*held);

    Result<void> fetched = recent_failure(server, now);
    if (fetched) fetched = co_await fetch_own(server);

    // Beyond max_age, as long as fetching fails, the pin goes on [DISC-4].
    held = ring_.find(server);
    if (held != nullptr) co_return without_statements(*held);
    if (!fetched) co_return fail(fetched);
    co_return fail(Code::unavailable, "discovery: " + server.str() + " was not pinned");
}

asio::awaitable<Result<PublicKey>> Discovery::request_key(KeyRef ref, asio::ip::address source)
{
    note_use(ref.server);
    auto key = ring_of(ref.server).request_key(ref, clock_.now_ms());
    if (key || !is_worth_a_fetch(ref, key.error().code)) co_return key;
    std::optional<std::string> charged = net::source_key(source);
    auto fetched = co_await refetch(ref.server, std::move(charged));
    key = ring_of(ref.server).request_key(ref, clock_.now_ms());
    co_return or_unavailable(std::move(key), fetched);
}

asio::awaitable<Result<PublicKey>> Discovery::answer_key(KeyRef ref)
{
    auto key = ring_.request_key(ref, clock_.now_ms());
    if (key || !is_worth_a_fetch(ref, key.error().code)) co_return key;
    auto fetched = co_await refetch(ref.server, std::nullopt);
    key = ring_.request_key(ref, clock_.now_ms());
    co_return or_unavailable(std::move(key), fetched);
}

asio::awaitable<Result<PublicKey>> Discovery::seal_key(KeyRef ref, Millis root_at)
{
    auto key = ring_.seal_key(ref, root_at, clock_.now_ms());
    if (key || !is_worth_a_fetch(ref, key.error().code)) co_return key;
    auto fetched = co_await refetch(ref.server, std::nullopt);
    key = ring_.seal_key(ref, root_at, clock_.now_ms());
    co_return or_unavailable(std::move(key), fetched);
}

asio::awaitable<Result<trust::PinnedKey>> Discovery::log_key(KeyRef ref)
{
    const auto* key = ring_.find_key(ref);
    if (key != nullptr) co_return *key;
    auto fetched = co_await refetch(ref.server, std::nullopt);
    key = ring_.find_key(ref);
    if (key != nullptr) co_return *key;
    auto missing = ring_.request_key(ref, clock_.now_ms());
    auto reason = or_unavailable(std::move(missing), fetched);
    if (reason) co_return fail(Code::internal, "discovery: a key that is and isn't pinned");
    co_return fail(reason);
}

void Discovery::heard_from(const ServerName& server)
{
    auto found = index_.find(server);
    if (found == index_.end()) return;
    found->second->failure_s = 0;
    found->second->retry_at = 0;
}

Discovery::Figures Discovery::figures() const
{
    auto figures = figures_;
    figures.remembered = order_.size();
    figures.under_way = flights_.size();
    figures.unproven = unproven_.size();
    return figures;
}

// A new key, a conflict that ended, or the recovery key's word for what lost.
bool Discovery::is_worth_a_fetch(const KeyRef& ref, Code code) const
{
    if (code == Code::unknown_key || code == Code::key_conflict) return true;
    const auto* key = ring_.find_key(ref);
    return key != nullptr && key->status == trust::KeyStatus::lost;
}

// "unknown" is said only by who has looked [KEY-5]; a conflict stays a conflict.
Result<PublicKey> Discovery::or_unavailable(Result<PublicKey> key, const Result<void>& fetched)
{
    if (key || fetched || key.error().code != Code::unknown_key) return key;
    const auto& error = fetched.error();
    auto wait = error.retry_after > 0 ? error.retry_after : 10;
    return retry_later(Code::key_unavailable, error.detail, wait);
}

// A fetch for a key id that isn't known, whatever the caches say [KEY-5]. What a stranger
// can start is charged to the address it came from, and bounded for the server he names.
asio::awaitable<Result<void>> Discovery::refetch(ServerName server,
                                                 std::optional<std::string> source)
{
    if (!flights_.contains(server)) {
        auto now = clock_.now_ms();
        // Without a request that may yet prove itself there is no hurry.
        if (!source) {
            auto failed = recent_failure(server, now);
            if (!failed) co_return failed;
        }
        auto allowed = charge_refetch(server, source, now);
        if (!allowed) co_return allowed;
    }
    if (!source) {
        auto fetched = co_await fetch_own(std::move(server));
        co_return fetched;
    }
    auto fetched = co_await fetch_shared(std::move(server), Place::inbound);
    co_return fetched;
}

Result<void> Discovery::charge_refetch(const ServerName& server,
                                       const std::optional<std::string>& source, Millis now)
{
    // An unknown key of a server that is known is rare; a first contact is not, and many
    // servers may share an address.
    auto& table = is_known(server) ? by_source_ : first_by_source_;
    if (source) {
        auto& bucket = table.of(*source, now);
        if (!bucket.take(1, now)) {
            return retry_later(Code::unavailable, "discovery: too many fetches for " + *source,
                               bucket.seconds_until(1, now));
        }
    }
    auto allowed = charge_server(server, now);
    if (!allowed && source) table.of(*source, now).give_back(1);
    return allowed;
}

// In any minute, not on average: a bucket would let through almost twice as many.
Result<void> Discovery::charge_server(const ServerName& server, Millis now)
{
    auto& refetched = memory(server).refetched;
    std::erase_if(refetched, [&](Millis at) { return at > now || now - at >= minute_ms; });
    if (std::ssize(refetched) >= options_.refetches_per_server) {
        auto wait = refetched.empty() ? minute_ms : refetched.front() + minute_ms - now;
        return retry_later(Code::unavailable, "discovery: too many fetches of " + server.str(),
                           whole_seconds(wait));
    }
    refetched.push_back(now);
    return {};
}

asio::awaitable<Result<void>> Discovery::fetch_shared(ServerName server, Place place)
{
    std::shared_ptr<Flight> flight;
    auto under_way = flights_.find(server);
    if (under_way != flights_.end()) {
        flight = under_way->second;
    } else {
        const auto is_alike = [&](const auto& one) { return one.second->place == place; };
        const auto taken = std::ranges::count_if(flights_, is_alike);
        if (std::cmp_greater_equal(taken, options_.max_under_way)) {
            co_return retry_later(Code::unavailable, "discovery: too many fetches under way", 1);
        }
        flight = std::make_shared<Flight>(tasks_.executor());
        flight->place = place;
        flights_.emplace(server, flight);
        tasks_.spawn(fly(Landing{*this, server, flight}));
    }
    if (!flight->outcome) {
        auto wait = flight->done.async_wait(asio::as_tuple(asio::use_awaitable));
        co_await std::move(wait);
    }
    if (!flight->outcome) co_return fail(Code::unavailable, "discovery: the wait was stopped");
    co_return *flight->outcome;
}

// Runs in the task group, not in the first waiter: that one may be cancelled while others
// still wait.
asio::awaitable<void> Discovery::fly(Landing landing)
{
    ++figures_.fetches;
    auto done = co_await fetch_and_pin(landing.server(), landing.place());
    if (!done) {
        ++figures_.failures;
        remember_failure(landing.server(), done.error());
    }
    landing.settle(std::move(done));
}

asio::awaitable<Result<void>> Discovery::fetch_and_pin(ServerName server, Place place)
{
    auto document = co_await fetch_document(http_, server, options_.names, options_.fetch_time);
    if (!document) co_return fail(document);
    auto pinned = co_await pin(std::move(*document), place);
    if (pinned) remember_success(server);
    co_return pinned;
}

void Discovery::remember_success(const ServerName& server)
{
    auto& known = memory(server);
    known.fetched_at = clock_.now_ms();
    const auto* held = ring_of(server).find(server);
    if (held == nullptr) return;
    known.max_age = std::clamp(held->max_age, options_.min_age_s, options_.max_age_s);
    known.failure_s = 0;
    known.retry_at = 0;
}

asio::awaitable<Result<void>> Discovery::pin(protocol::ServerDocument document, Place place)
{
    if (document.keys.empty()) {
        co_return fail(Code::malformed, "discovery: " + document.server.str() + " has no key");
    }
    const auto turn = co_await turn_to_pin(document.server);
    if (place == Place::inbound && ring_.find(document.server) == nullptr) {
        hold_unproven(document);
        co_return Result<void>{};
    }
    auto judgement = ring_.judge(document, clock_.now_ms());
    auto held = co_await hold(std::move(judgement), std::move(document.text));
    co_return held;
}

asio::awaitable<Result<void>> Discovery::hear_statements(ServerName server,
                                                         std::vector<std::string> statements)
{
    if (statements.empty()) co_return Result<void>{};
    const auto turn = co_await turn_to_pin(server);
    auto judgement = ring_.judge(server, statements, clock_.now_ms());
    if (!judgement) co_return Result<void>{};
    std::string shown;
    for (const auto& statement : statements) shown += statement + "\n";
    auto held = co_await hold(std::move(*judgement), std::move(shown));
    co_return held;
}

std::vector<std::string> Discovery::statements_of(const ServerName& server) const
{
    std::vector<std::string> texts;
    const auto* pins = ring_.find(server);
    if (pins == nullptr) return texts;
    for (const auto& held : pins->statements) texts.push_back(held.statement.text);
    return texts;
}

asio::awaitable<Discovery::Turn> Discovery::turn_to_pin(ServerName server)
{
    for (;;) {
        const auto taken = pinning_.find(server);
        if (taken == pinning_.end()) break;
        const auto timer = taken->second;
        auto wait = timer->async_wait(asio::as_tuple(asio::use_awaitable));
        co_await std::move(wait);
    }
    auto timer = std::make_shared<asio::steady_timer>(tasks_.executor(),
                                                      asio::steady_timer::time_point::max());
    pinning_.emplace(server, std::move(timer));
    Turn turn(*this, std::move(server));
    co_return turn;
}

// Durable before it is acted on: a server that forgot a pin in a crash would take the next
// document for a first contact. Requires the turn.
asio::awaitable<Result<void>> Discovery::hold(trust::KeyRing::Judgement judgement,
                                              std::string shown)
{
    const auto server = judgement.server.server;
    const auto* held = ring_.find(server);
    const bool was_in_conflict = held != nullptr && held->conflict;
    const bool is_first = held == nullptr;
    const bool is_new = held == nullptr || *held != judgement.server;
    const auto statements = held == nullptr ? 0 : held->statements.size();
    if (is_new) {
        auto stored = co_await pins_.put(judgement.server);
        if (!stored) {
            tell(server, "pin-not-stored", stored.error().detail);
            co_return stored;
        }
    }
    const bool is_in_conflict = judgement.server.conflict;
    const bool has_spoken = judgement.server.statements.size() > statements;
    if (judgement.verdict == trust::PinVerdict::pinned)
        tell(server, "pinned", judgement.server.api);
    else if (has_spoken)
        tell(server, "key-statements", "its keys were rotated or revoked");
    ring_.load(std::move(judgement.server));
    unproven_.drop(server);
    unproven_names_.drop(server);
    if (is_in_conflict != was_in_conflict) {
        tell(server, was_in_conflict ? "key-conflict-ended" : "key-conflict",
             "its document against the pinned keys");
        if (is_in_conflict && conflict_) conflict_(server, shown);
    }
    note_use(server);
    if (is_first) {
        unrelated_.use(server);
        co_await make_room();
    }
    co_return Result<void>{};
}

void Discovery::tell(const ServerName& server, std::string_view what, std::string_view detail) const
{
    if (notice_) notice_(server, what, detail);
}

Discovery::Memory& Discovery::memory(const ServerName& server)
{
    auto found = index_.find(server);
    if (found != index_.end()) {
        order_.splice(order_.begin(), order_, found->second);
        return order_.front();
    }
    if (order_.size() >= std::max<std::size_t>(1, options_.max_remembered)) {
        index_.erase(order_.back().server);
        order_.pop_back();
    }
    order_.emplace_front();
    order_.front().server = server;
    index_.emplace(server, order_.begin());
    return order_.front();
}

bool Discovery::is_fresh(const ServerName& server, Millis now) const
{
    auto found = index_.find(server);
    if (found == index_.end() || found->second->fetched_at == 0) return false;
    auto age = now - found->second->fetched_at;
    return age >= 0 && age < found->second->max_age * 1000;
}

Result<void> Discovery::recent_failure(const ServerName& server, Millis now) const
{
    auto found = index_.find(server);
    if (found == index_.end() || now >= found->second->retry_at) return {};
    auto error = found->second->failure;
    error.retry_after = whole_seconds(found->second->retry_at - now);
    return tl::unexpected<Error>{std::move(error)};
}

// A fetch for an unknown key goes past the memory of a failure; its own failing must not
// lengthen that, or a stranger could keep us from a server that was away for a moment.
void Discovery::remember_failure(const ServerName& server, const Error& error)
{
    auto now = clock_.now_ms();
    auto& known = memory(server);
    if (now < known.retry_at) return;
    known.failure_s = known.failure_s == 0 ? options_.first_failure_s
                                           : std::min(known.failure_s * 2, options_.max_failure_s);
    known.retry_at = now + known.failure_s * 1000;
    known.failure = error;
}

}  // namespace entente::federation
