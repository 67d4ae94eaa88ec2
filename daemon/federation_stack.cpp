#include "daemon/federation_stack.hpp"

#include "federation/log/evidence.hpp"
#include "federation/log/invitation_events.hpp"
#include "storage/device_store.hpp"
#include "storage/incoming_store.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::daemon {

namespace {

trust::Tier tier(const std::string& name)
{
    return trust::tier_from(name).value_or(trust::Tier::guest);
}

trust::TierConfig tier_config(const Config& config)
{
    trust::TierConfig tiers;
    tiers.mode = trust::mode_from(config.trust.mode).value_or(trust::Mode::closed);
    if (!config.federation.enabled) tiers.mode = trust::Mode::closed;
    for (const auto& [name, text] : config.trust.peers)
        tiers.servers[protocol::ServerName::trusted(name)] = tier(text);
    tiers.table = config.trust.table;
    tiers.conduct = config.trust.conduct;
    return tiers;
}

trust::BudgetOptions budget_options(const Config& config)
{
    return {.unproven_per_source = config.limits.requests_per_source};
}

net::ClientOptions client_options(const Config& config, std::size_t connections)
{
    net::ClientOptions options;
    options.idle_connections = connections / 4;
    options.requests_under_way = connections - options.idle_connections;
    options.guard = net::AddressGuard(config.federation.allow_networks);
    options.ca_file = config.federation.ca_file;
    for (const auto& [name, where] : config.federation.resolve)
        options.resolve[name] = boost::asio::ip::tcp::endpoint(where.address, where.port);
    return options;
}

federation::MediaOptions media_options(const Config& config)
{
    federation::MediaOptions options;
    options.folder = config.server.data + "/media";
    options.max_octets = static_cast<std::size_t>(config.limits.media_bytes);
    options.octets_a_day = config.limits.media_bytes_per_user_and_day;
    return options;
}

federation::DiscoveryOptions discovery_options(const Config& config)
{
    federation::DiscoveryOptions options;
    options.names = config.name_rules();
    for (const auto& [name, tier] : config.trust.peers)
        options.kept.insert(protocol::ServerName::trusted(name));
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
      own_http_(parts.http == nullptr
                    ? std::make_unique<net::HttpClient>(
                          parts.tasks.executor(), client_options(parts.config, parts.outgoing))
                    : nullptr),
      http_(parts.http == nullptr ? *own_http_ : *parts.http),
      pins_(parts.stores.commits()),
      discovery_(parts.tasks, http_, ring_, pins_, parts.clock, discovery_options(parts.config),
                 [this](const protocol::ServerName& server, std::string_view what,
                        std::string_view detail) { heard_of_keys(server, what, detail); }),
      tiers_(tier_config(parts.config)),
      conduct_({parts.identity.name, tiers_, parts.stores.commits(), parts.tasks, parts.log,
                parts.clock,
                [this](const std::vector<protocol::ServerName>& servers) {
                    if (parts_.config.federation.enabled) links_.moved(servers);
                }}),
      budgets_(parts.config.trust.table, budget_options(parts.config)),
      gate_({parts.identity, discovery_, parts.stores.window(), parts.pool, parts.stores.commits(),
             tiers_, budgets_, parts.clock, &parts.policies, &figures_}),
      verifier_(parts.identity, discovery_, parts.clock),
      home_(parts.identity, parts.stores.logs(), parts.clock, parts.random, waker(),
            &parts.policies, membership_teller()),
      succession_(succession_parts()),
      waits_({parts.stores.logs(), parts.stores.commits(), notices_, parts.log, parts.clock}),
      follower_(parts.identity, parts.stores.logs(), waits_, parts.clock, follower_events()),
      direct_(parts.identity, parts.stores.logs(), parts.clock, membership_teller(),
              &parts.policies),
      client_(parts.identity, discovery_, http_, parts.clock, parts.random),
      settlement_(settlement_parts()),
      links_(link_parts(), parts.tasks),
      floors_({parts.identity, client_, settlement_, parts.stores.commits(), parts.tasks, parts.log,
               parts.clock}),
      repair_(repair_parts()),
      vouching_(discovery_, parts.stores.commits(), parts.identity.names, parts.log),
      people_({parts.identity, parts.stores.logs(), parts.stores.commits(), parts.tasks,
               parts.clock, parts.random, asker(), nudger(), signaller(), &parts.policies}),
      inbox_({parts.identity, verifier_, home_, follower_, direct_, parts.stores.commits(),
              budgets_, parts.clock, parts.stores.window().refused(), &people_.signals(),
              [this](const protocol::ServerName& server) { return tier_of(server); }, &conduct_,
              &ring_, &parts.stores.accepted(), &parts.policies, &figures_}),
      queries_(parts.identity, parts.stores.commits(), parts.clock),
      directory_({parts.identity.name, parts.identity.names, parts.stores.commits(), parts.clock,
                  [this](protocol::ServerName server, std::string target) {
                      return ask(std::move(server), "GET", std::move(target), "");
                  },
                  &parts.policies}),
      peering_({parts.identity, parts.stores.logs(), parts.stores.commits(), tiers_, parts.log,
                parts.clock, parts.random,
                [this](const protocol::ServerName& server) {
                    if (parts_.config.federation.enabled) links_.urge(server);
                }}),
      devices_(parts.stores.commits()),
      retention_(parts.identity, parts.stores.logs(), parts.stores.commits(), parts.clock),
      channels_({parts.identity,
                 parts.stores.logs(),
                 home_,
                 parts.stores.commits(),
                 parts.stores.index(),
                 notices_,
                 devices_,
                 parts.clock,
                 parts.random,
                 nudger(),
                 {parts.config.limits.unsent_per_user_and_peer,
                  federation::LocalChannelsOptions{}.max_content_octets},
                 parts.config.federation.enabled ? &succession_ : nullptr,
                 &parts.policies}),
      departures_({channels_, parts.stores.commits(), parts.log, parts.clock, parts.identity.name}),
      comparison_({parts.identity, client_, verifier_, parts.stores.commits()}),
      prover_({parts.identity, ring_, parts.stores.commits(), parts.clock}),
      report_passing_({parts.identity, parts.stores.logs(), parts.stores.index(), prover_,
                       parts.stores.commits(), parts.clock, parts.random, waker()}),
      upheld_reports_({parts.identity, ring_, report_passing_, conduct_}),
      people_answers_(parts.identity, parts.stores.commits(), people_.claims(), budgets_,
                      parts.clock, &parts.policies),
      media_({parts.identity, parts.stores.commits(), parts.media_pool, parts.clock, asker(),
              media_options(parts.config),
              [this](const protocol::ServerName& server) {
                  const auto* pin = ring_.find(server);
                  return tiers_.tier_of(server, pin != nullptr && pin->conflict,
                                        parts_.clock.now_ms());
              },
              &parts.policies})
{
    add_direct_handlers();
    discovery_.on_conflict([this](const protocol::ServerName& server, const std::string& shown) {
        found_conflict(server, shown);
    });
    gate_.on_proven([this](const protocol::ServerName& server) { links_.heard_from(server); });
}

void FederationStack::add_direct_handlers()
{
    people_.add_handlers(direct_);
    direct_.handle(
        std::string(federation::peering_type),
        [this](storage::WriteTransaction& transaction, const federation::VerifiedDirect& word,
               const protocol::ServerName& origin) {
            return peering_.take(transaction, word, origin);
        });
    direct_.handle("invite.withdraw",
                   federation::withdrawal_handler(parts_.identity, membership_teller()));
    direct_.handle(
        std::string(federation::move_question_type),
        [this](storage::WriteTransaction& transaction, const federation::VerifiedDirect& question,
               const protocol::ServerName& origin) {
            return succession_.weigh(transaction, question, origin);
        },
        federation::Direct::Repeat::is_asked_again);
}

// [KEY-4] What contradicts the pins may be an impostor's doing as well: for as long as it lasts.
trust::Tier FederationStack::tier_of(const protocol::ServerName& server) const
{
    const auto* pins = ring_.find(server);
    return tiers_.tier_of(server, pins != nullptr && pins->conflict, parts_.clock.now_ms());
}

void FederationStack::heard_of_keys(const protocol::ServerName& server, std::string_view what,
                                    std::string_view detail)
{
    // Each first contact is one: nothing is to be done.
    const auto level = what == "pinned" ? protocol::LogLevel::info : protocol::LogLevel::warning;
    parts_.log.write(level, "discovery", what, {{"server", server.str()}, {"detail", detail}});
    if (what == "key-conflict-ended") conduct_.conflict_ended(server);
}

void FederationStack::found_conflict(const protocol::ServerName& server, const std::string& shown)
{
    const auto* pins = ring_.find(server);
    if (pins == nullptr) return;
    if (const auto proof = trust::Proof::of_conflict(*pins, shown))
        conduct_.noticed(trust::Offence::key_conflict, *proof);
}

federation::SuccessionParts FederationStack::succession_parts()
{
    return {parts_.identity,
            parts_.stores.logs(),
            home_,
            notices_,
            parts_.log,
            parts_.clock,
            parts_.random,
            waker(),
            [this](const protocol::ChannelId& channel) { repair_.free_when_ready(channel); }};
}

federation::SettlementParts FederationStack::settlement_parts()
{
    federation::SettlementParts made{
        parts_.identity,         verifier_, follower_,  parts_.stores.logs(),
        parts_.stores.commits(), notices_,  parts_.log, parts_.clock};
    made.believes = [this](const protocol::ChannelId& channel,
                           const protocol::ServerName& follower) {
        return repair_.believes(channel, follower);
    };
    made.direct_refused = refusals();
    made.move_answered = [this](storage::WriteTransaction& transaction,
                                const storage::DirectRow& row, const protocol::EventResult& result,
                                const std::optional<protocol::Consent>& consent) {
        return succession_.answered(transaction, row, result, consent);
    };
    made.wake = waker();
    return made;
}

federation::LinkParts FederationStack::link_parts()
{
    const auto& waits = parts_.config.federation;
    federation::LinkParts made{parts_.identity,
                               discovery_,
                               client_,
                               settlement_,
                               parts_.stores.commits(),
                               parts_.log,
                               parts_.clock,
                               parts_.random,
                               {std::chrono::milliseconds(waits.retry_first_ms),
                                std::chrono::milliseconds(waits.retry_max_ms)},
                               {}};
    made.is_paused = [this](const protocol::ServerName& peer) { return is_blocked(peer); };
    made.said = [this](const protocol::ServerName& peer, const federation::FollowerWord& word) {
        repair_.said(peer, word);
    };
    return made;
}

federation::RepairParts FederationStack::repair_parts()
{
    return {parts_.identity,
            verifier_,
            home_,
            parts_.stores.logs(),
            parts_.stores.commits(),
            notices_,
            parts_.tasks,
            parts_.log,
            parts_.clock,
            [this](const protocol::ServerName& peer, const protocol::ChannelId& channel) {
                links_.ask(peer, channel);
            },
            [this](protocol::ServerName peer, std::string target) {
                return query(std::move(peer), std::move(target));
            }};
}

// Nobody's refusal counts but the peer's own.
asio::awaitable<Result<std::string>> FederationStack::query(protocol::ServerName peer,
                                                            std::string target)
{
    auto answer = co_await ask(std::move(peer), "GET", std::move(target), "");
    if (!answer) co_return fail(Code::unavailable, answer.error().detail);
    if (answer->status == 200) co_return std::move(answer->body);
    if (!answer->is_signed || !answer->problem)
        co_return fail(Code::unavailable, "status " + std::to_string(answer->status));
    co_return Result<std::string>{tl::unexpect, *answer->problem};
}

federation::Wake FederationStack::nudger()
{
    return [this](const protocol::ServerName& server) {
        if (parts_.config.federation.enabled) links_.nudge(server);
    };
}

federation::Wake FederationStack::waker()
{
    return [this](const protocol::ServerName& server) {
        if (parts_.config.federation.enabled) links_.wake(server);
    };
}

std::function<void(const protocol::UserId&)> FederationStack::membership_teller()
{
    return [this](const protocol::UserId& user) {
        notices_.tell(
            [&](federation::CommitListener& listener) { listener.membership_changed(user); });
    };
}

std::function<void(const protocol::ServerName&, const protocol::LiveSignal&)>
FederationStack::signaller()
{
    return [this](const protocol::ServerName& peer, const protocol::LiveSignal& signal) {
        if (parts_.config.federation.enabled) links_.signal(peer, signal);
    };
}

federation::DirectRefused FederationStack::refusals()
{
    return [this](storage::WriteTransaction& transaction, const storage::DirectRow& row,
                  protocol::Code problem) {
        if (row.type == federation::peering_type)
            return peering_.refused(transaction, row, problem);
        return people_.messages().refused(transaction, row, problem, parts_.clock.now_ms());
    };
}

federation::Ask FederationStack::asker()
{
    return [this](federation::ServerName server, std::string method, std::string target,
                  std::string body) {
        return ask(std::move(server), std::move(method), std::move(target), std::move(body));
    };
}

asio::awaitable<Result<federation::Answer>> FederationStack::ask(federation::ServerName server,
                                                                 std::string method,
                                                                 std::string target,
                                                                 std::string body)
{
    if (!parts_.config.federation.enabled)
        co_return fail(Code::unavailable, "federation is switched off");
    if (is_blocked(server)) co_return refuse(Code::blocked, "that server is blocked here");
    auto answer = co_await client_.send(std::move(server), std::move(method), std::move(target),
                                        std::move(body));
    co_return answer;
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
    events.owes = waker();
    events.lacks_floor = [this](const protocol::ChannelId& channel,
                                const protocol::ServerName& home,
                                std::int64_t floor) { floors_.note(channel, home, floor); };
    events.moved = [this](storage::WriteTransaction& transaction, storage::LiveChannel& channel,
                          const protocol::ServerName& before) {
        return succession_.moved(transaction, channel, before);
    };
    const auto tell_frozen = [this](const protocol::ChannelId& channel, bool frozen) {
        notices_.tell([&](federation::CommitListener& listener) {
            listener.channel_frozen(channel, frozen);
        });
    };
    events.forked = [this, tell_frozen](const protocol::ChannelId& channel,
                                        const protocol::ServerName& home, std::string_view kind) {
        protocol::log_error(parts_.log, "channel_log",
                            kind == federation::fork_evidence
                                ? "a home has signed two histories of a channel; it is frozen "
                                  "here, and the evidence is kept"
                                : "a channel holds an event of a user of this server that it did "
                                  "not seal: its key may be stolen; the channel is frozen here, "
                                  "and the evidence is kept",
                            {{"channel", channel.str()}, {"home", home.str()}});
        tell_frozen(channel, true);
    };
    events.fork_proven = [this](const protocol::ServerName& home, const std::string& root,
                                const protocol::ChannelId& channel, std::int64_t seq) {
        conduct_.forked(ring_, home, root, channel, seq);
    };
    events.thawed = [tell_frozen](const protocol::ChannelId& channel) {
        tell_frozen(channel, false);
    };
    events.under_revoked_key = [this](const protocol::ChannelId& channel,
                                      const protocol::ServerName& home, const protocol::KeyRef& key,
                                      std::int64_t seq) {
        protocol::log_warning(
            parts_.log, "channel_log",
            "a home has logged an event under a key that was revoked before",
            {{"channel", channel.str()}, {"home", home.str()}, {"key", key.str()}, {"seq", seq}});
    };
    return events;
}

asio::awaitable<Result<void>> FederationStack::start()
{
    auto pins = co_await pins_.all();
    if (!pins) co_return fail(pins);
    for (auto& pin : *pins) ring_.load(std::move(pin));
    auto conduct = co_await conduct_.load();
    if (!conduct) co_return conduct;
    auto peerings = co_await peering_.load();
    if (!peerings) co_return peerings;
    parts_.tasks.spawn(keep_house());
    parts_.tasks.spawn(keep_index());
    parts_.tasks.spawn(keep_retention());
    parts_.tasks.spawn(keep_departing());
    people_.start();
    if (!parts_.stores.runtime_problem().empty())
        protocol::log_warning(parts_.log, "storage",
                              "the run-time folder can't be used, so every start may be one "
                              "with older data that was put back; set server.runtime",
                              {{"detail", parts_.stores.runtime_problem()}});
    const bool is_federated = parts_.config.federation.enabled;
    auto repair = co_await repair_.start(is_federated);
    if (!repair) co_return repair;
    parts_.tasks.spawn(repair_.run());
    if (!is_federated) co_return Result<void>{};
    parts_.tasks.spawn(keep_asking());
    parts_.tasks.spawn(keep_vouching());
    auto started = co_await links_.start();
    co_return started;
}

void FederationStack::committed(storage::CommittedRun& run)
{
    auto entries = std::make_shared<federation::ClientEntries>();
    entries->reserve(run.entries.size());
    for (auto& stored : run.entries) {
        auto& entry = stored.entry;
        entries->push_back({stored.seq, entry.at, stored.event_id, std::move(entry.event),
                            std::move(entry.content), entry.deleted_by, entry.expired,
                            entry.marks});
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

}  // namespace entente::daemon
