#include "daemon/federation_stack.hpp"

#include "federation/well_known.hpp"
#include "storage/incoming_store.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::daemon {

namespace {

constexpr std::chrono::seconds housekeeping_interval{20};
constexpr std::chrono::seconds index_interval{5};
// A reader's turn of about 10 ms.
constexpr std::size_t events_indexed_at_once = 4'000;
constexpr protocol::Millis rejected_memory_ms = protocol::Millis{30} * 24 * 3600 * 1000;

trust::Tier tier(const std::string& name)
{
    return trust::tier_from(name).value_or(trust::Tier::guest);
}

trust::TierTable tier_table(const TrustConfig& config)
{
    trust::TierTable table;
    const auto set = [&](trust::Tier of, const TierBudget& budget) {
        auto& row = table.rows.at(static_cast<std::size_t>(of));
        row.events = budget.events;
        row.bytes = budget.bytes;
        row.requests = std::max(row.requests, budget.events);
    };
    set(trust::Tier::quarantined, config.quarantined);
    set(trust::Tier::guest, config.guest);
    set(trust::Tier::known, config.known);
    set(trust::Tier::trusted, config.trusted);
    return table;
}

trust::TierConfig tier_config(const Config& config)
{
    trust::TierConfig tiers;
    if (config.trust.default_tier == "quarantined") tiers.mode = trust::Mode::reviewed;
    if (config.trust.default_tier == "blocked") tiers.mode = trust::Mode::allowlist;
    if (!config.federation.enabled) tiers.mode = trust::Mode::closed;
    for (const auto& [name, text] : config.trust.peers)
        tiers.servers[protocol::ServerName::trusted(name)] = tier(text);
    tiers.table = tier_table(config.trust);
    return tiers;
}

trust::BudgetOptions budget_options(const Config& config)
{
    trust::BudgetOptions options;
    options.unproven_per_source = config.limits.requests_per_source;
    return options;
}

net::ClientOptions client_options(const Config& config)
{
    net::ClientOptions options;
    options.guard = net::AddressGuard(config.federation.allow_networks);
    options.ca_file = config.federation.ca_file;
    for (const auto& [name, where] : config.federation.resolve)
        options.resolve[name] = boost::asio::ip::tcp::endpoint(where.address, where.port);
    return options;
}

federation::DiscoveryOptions discovery_options(const Config& config)
{
    federation::DiscoveryOptions options;
    options.names = config.name_rules();
    options.first_failure_s =
        std::max<std::int64_t>(config.federation.discovery_retry_first_ms / 1000, 1);
    options.max_failure_s =
        std::max<std::int64_t>(config.federation.discovery_retry_max_ms / 1000, 1);
    return options;
}

}  // namespace

federation::Identity federation_identity(const Config& config, const Identity& keys)
{
    federation::Identity identity{.name = config.server.name,
                                  .key = keys.current,
                                  .recovery = keys.recovery,
                                  .from = keys.from,
                                  .api = config.federation.api,
                                  .contact = config.server.contact,
                                  .limits = {},
                                  .names = config.name_rules(),
                                  .old_keys = keys.old_keys,
                                  .statements = keys.statements,
                                  .features = {}};
    identity.limits.bytes = static_cast<std::size_t>(config.limits.transaction_bytes);
    identity.limits.items = static_cast<std::size_t>(config.limits.transaction_items);
    return identity;
}

FederationStack::FederationStack(Parts parts)
    : parts_(parts),
      own_http_(parts.http == nullptr ? std::make_unique<net::HttpClient>(
                                            parts.tasks.executor(), client_options(parts.config))
                                      : nullptr),
      http_(parts.http == nullptr ? *own_http_ : *parts.http),
      pins_(parts.stores.commits()),
      discovery_(parts.tasks, http_, ring_, pins_, parts.clock, discovery_options(parts.config),
                 [&log = parts.log](const protocol::ServerName& server, std::string_view what,
                                    std::string_view detail) {
                     protocol::log_warning(log, "discovery", what,
                                           {{"server", server.str()}, {"detail", detail}});
                 }),
      tiers_(tier_config(parts.config)),
      budgets_(tier_table(parts.config.trust), budget_options(parts.config)),
      gate_({parts.identity, discovery_, parts.stores.window(), parts.pool, tiers_, budgets_,
             parts.clock}),
      verifier_(parts.identity, discovery_, parts.clock),
      home_(parts.identity, parts.stores.logs(), parts.clock, parts.random, waker()),
      waits_({parts.stores.logs(), parts.stores.commits(), notices_, parts.log, parts.clock}),
      follower_(parts.identity, parts.stores.logs(), waits_, follower_events()),
      direct_(parts.identity, parts.stores.logs(), parts.clock,
              [this](const protocol::UserId& user) {
                  notices_.tell([&](federation::CommitListener& listener) {
                      listener.membership_changed(user);
                  });
              }),
      client_(parts.identity, discovery_, http_, parts.clock, parts.random),
      settlement_({parts.identity, verifier_, follower_, parts.stores.logs(),
                   parts.stores.commits(), notices_, parts.log, parts.clock}),
      links_({parts.identity,
              discovery_,
              client_,
              settlement_,
              parts.stores.commits(),
              parts.log,
              parts.clock,
              parts.random,
              {std::chrono::milliseconds(parts.config.federation.retry_first_ms),
               std::chrono::milliseconds(parts.config.federation.retry_max_ms)},
              {}},
             parts.tasks),
      inbox_({parts.identity, verifier_, home_, follower_, direct_, parts.stores.commits(),
              budgets_, parts.clock}),
      queries_(parts.identity, parts.stores.commits(), parts.clock),
      channels_({parts.identity,
                 parts.stores.logs(),
                 home_,
                 parts.stores.commits(),
                 parts.stores.index(),
                 notices_,
                 parts.clock,
                 parts.random,
                 waker(),
                 {parts.config.limits.unsent_per_user_and_peer,
                  federation::LocalChannelsOptions{}.max_content_octets}})
{
    gate_.on_proven([this](const protocol::ServerName& server) { links_.heard_from(server); });
}

federation::Wake FederationStack::waker()
{
    return [this](const protocol::ServerName& server) {
        if (parts_.config.federation.enabled) links_.wake(server);
    };
}

federation::FollowerEvents FederationStack::follower_events()
{
    federation::FollowerEvents events;
    events.acknowledged = [this](const protocol::ChannelId& channel,
                                 const protocol::ServerName& server, std::int64_t seq) {
        notices_.tell([&](federation::CommitListener& listener) {
            listener.delivered_to(channel, server, seq);
        });
    };
    events.forked = [this](const protocol::ChannelId& channel, const protocol::ServerName& home) {
        protocol::log_error(parts_.log, "channel_log",
                            "a home has signed two histories of a channel; it is frozen here",
                            {{"channel", channel.str()}, {"home", home.str()}});
    };
    return events;
}

asio::awaitable<Result<void>> FederationStack::start()
{
    auto pins = co_await pins_.all();
    if (!pins) co_return fail(pins);
    for (auto& pin : *pins) ring_.load(std::move(pin));
    parts_.tasks.spawn(keep_house());
    parts_.tasks.spawn(keep_index());
    if (!parts_.config.federation.enabled) co_return Result<void>{};
    auto started = co_await links_.start();
    co_return started;
}

void FederationStack::add_routes(net::Router& router)
{
    federation::add_well_known(router, parts_.identity);
    if (!parts_.config.federation.enabled) return;
    const auto receive = [this](const net::Request& request, const federation::Admitted& admitted) {
        return inbox_.receive(request, admitted);
    };
    const auto snapshot = [this](const net::Request& request,
                                 const federation::Admitted& admitted) {
        return queries_.snapshot(request, admitted);
    };
    const auto log = [this](const net::Request& request, const federation::Admitted& admitted) {
        return queries_.log(request, admitted);
    };
    const auto inbox_octets = parts_.identity.limits.bytes;
    router.add({"POST", "/federation/v1/inbox", inbox_octets, gate_.guard(receive, false)});
    router.add({"GET", "/federation/v1/channels/{channel}", 0, gate_.guard(snapshot, true)});
    router.add({"GET", "/federation/v1/channels/{channel}/log", 0, gate_.guard(log, true)});
}

void FederationStack::committed(storage::CommittedRun& run)
{
    auto entries = std::make_shared<federation::ClientEntries>();
    entries->reserve(run.entries.size());
    for (auto& stored : run.entries) {
        auto& entry = stored.entry;
        entries->push_back({stored.seq, entry.at, stored.event_id, std::move(entry.event),
                            std::move(entry.content), entry.deleted_by, entry.expired});
    }
    run.entries.clear();
    const std::shared_ptr<const federation::ClientEntries> shared = std::move(entries);
    notices_.tell([&](federation::CommitListener& listener) {
        for (const auto& user : run.users) {
            const auto id = protocol::UserId::trusted(user);
            if (protocol::server_of(id) == parts_.identity.name) listener.membership_changed(id);
        }
        listener.entries_committed(run.channel, shared);
    });
    if (parts_.config.federation.enabled) links_.committed(run);
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
            return storage::drop_rejected_before(transaction.db(), now - rejected_memory_ms);
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
