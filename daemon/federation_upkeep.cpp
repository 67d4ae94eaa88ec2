// What the federation floor does at intervals, as long as the server runs.
#include "daemon/federation_stack.hpp"
#include "storage/device_store.hpp"
#include "storage/incoming_store.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::daemon {

namespace {

constexpr std::chrono::seconds housekeeping_interval{20};
constexpr std::chrono::seconds index_interval{5};
constexpr std::chrono::hours heartbeat_interval{1};  // [LOG-8]
constexpr std::chrono::seconds vouching_interval{20};
constexpr std::chrono::seconds retention_interval{5};
constexpr std::chrono::seconds departing_interval{2};
constexpr int retention_steps = 20;  // of an interval
// A reader's turn of about 10 ms.
constexpr std::size_t events_indexed_at_once = 4'000;
constexpr protocol::Millis rejected_memory_ms = protocol::Millis{30} * 24 * 3600 * 1000;

}  // namespace

bool FederationStack::is_blocked(const protocol::ServerName& server) const
{
    return tiers_.tier_of(server, parts_.clock.now_ms()) == trust::Tier::blocked;
}

// [LOG-8] Who holds less or more than its last answer said is found within an hour.
asio::awaitable<void> FederationStack::keep_asking()
{
    for (;;) {
        const bool go_on = co_await net::sleep_for(heartbeat_interval);
        if (!go_on) co_return;
        auto asked = co_await links_.ask_all();
        if (!asked)
            protocol::log_warning(parts_.log, "links", "followers can't be asked what they hold",
                                  {{"detail", asked.error().detail}});
    }
}

// [LOG-6] As soon as an author's server can be reached its entries are as all others.
asio::awaitable<void> FederationStack::keep_vouching()
{
    for (;;) {
        const bool go_on = co_await net::sleep_for(vouching_interval);
        if (!go_on) co_return;
        auto looked = co_await vouching_.look();
        if (!looked)
            protocol::log_warning(parts_.log, "channel_log", "vouched keys can't be looked up",
                                  {{"detail", looked.error().detail}});
    }
}

// Adds to the index by event id what it lacks: all of it where it was lost, what could not
// be written while the disk was full. In steps, so that other readers get their turns.
asio::awaitable<void> FederationStack::keep_index()
{
    auto& index = parts_.stores.index();
    for (;;) {
        const bool was_complete = index.is_complete();
        if (!was_complete) protocol::log_info(parts_.log, "storage", "indexing events");
        while (!index.is_complete()) {
            auto step = [&index](storage::Connection& db) -> Result<bool> {
                return index.catch_up(db, events_indexed_at_once);
            };
            auto caught_up = co_await parts_.stores.commits().read(std::move(step));
            if (caught_up) continue;
            protocol::log_warning(parts_.log, "storage", "events can't be indexed",
                                  {{"detail", caught_up.error().detail}});
            break;
        }
        if (!was_complete && index.is_complete())
            protocol::log_info(parts_.log, "storage", "all events are indexed");
        const bool go_on = co_await net::sleep_for(index_interval);
        if (!go_on) co_return;
    }
}

// What devices have said, then contents whose time is over: so many steps, then others first.
asio::awaitable<Result<void>> FederationStack::end_retentions()
{
    auto flushed = co_await devices_.flush();
    if (!flushed) co_return fail(flushed);
    for (int steps = 0; steps < retention_steps; ++steps) {
        auto more = co_await retention_.step();
        if (!more) co_return fail(more);
        if (!*more) break;
    }
    co_return Result<void>{};
}

asio::awaitable<void> FederationStack::keep_retention()
{
    while (co_await net::sleep_for(retention_interval)) {
        auto done = co_await end_retentions();
        if (!done)
            protocol::log_warning(parts_.log, "storage", "contents could not be erased in time",
                                  {{"detail", done.error().detail}});
    }
}

// Who was deleted leaves; also who still was leaving when the server stopped.
asio::awaitable<void> FederationStack::keep_departing()
{
    while (co_await net::sleep_for(departing_interval)) {
        auto done = co_await departures_.step();
        if (!done)
            protocol::log_warning(parts_.log, "storage", "who was deleted can't be looked up",
                                  {{"detail", done.error().detail}});
    }
}

// Forgets what has served its time: nonces, taken direct events, told rejections. Tells what
// has waited too long.
asio::awaitable<void> FederationStack::keep_house()
{
    for (;;) {
        const bool go_on = co_await net::sleep_for(housekeeping_interval);
        if (!go_on) co_return;
        auto swept = co_await gate_.sweep();
        if (!swept)
            protocol::log_error(parts_.log, "gate", "the replay window can't be swept",
                                {{"detail", swept.error().detail}});
        const auto now = parts_.clock.now_ms();
        auto job = [now](storage::WriteTransaction& transaction) -> Result<void> {
            auto direct =
                storage::forget_direct_before(transaction.db(), now - federation::direct_memory_ms);
            if (!direct) return direct;
            auto claims = storage::forget_claim_answers_before(transaction.db(),
                                                               now - storage::claim_memory_ms);
            if (!claims) return claims;
            return storage::drop_over_before(transaction.db(), now - rejected_memory_ms);
        };
        auto forgotten = co_await parts_.stores.commits().write(std::move(job));
        if (!forgotten)
            protocol::log_warning(parts_.log, "storage", "old rows could not be dropped",
                                  {{"detail", forgotten.error().detail}});
        auto told = co_await waits_.tell();
        if (!told)
            protocol::log_warning(parts_.log, "storage", "what waits too long can't be told",
                                  {{"detail", told.error().detail}});
    }
}

}  // namespace entente::daemon
