#include "daemon/server.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <unistd.h>

#include "api/system.hpp"
#include "daemon/descriptors.hpp"
#include "daemon/key_memory.hpp"

namespace entente::daemon {

namespace {

constexpr std::chrono::milliseconds grace{10'000};
// Those who wait for the disk have had their answer.
constexpr std::chrono::milliseconds grace_after_failure{200};

constexpr const char* disk_remedy =
    "all that was acknowledged is stored; look for the disk's errors (dmesg, smartctl), mend or "
    "replace it, then start again";
constexpr const char* fault_remedy = "start again, and report it with this line";

api::Registration registration(RegistrationMode mode)
{
    switch (mode) {
        case RegistrationMode::open: return api::Registration::open;
        case RegistrationMode::invite: return api::Registration::invite;
        case RegistrationMode::closed: break;
    }
    return api::Registration::closed;
}

std::string what(std::exception_ptr bug)
{
    try {
        std::rethrow_exception(std::move(bug));
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "an unknown exception";
    }
}

// Administrators read the log: what they shall be told stands there as a warning.
void tell(protocol::Log& log, const trust::policy::Told& told)
{
    const auto level =
        told.for_administrators ? protocol::LogLevel::warning : protocol::LogLevel::info;
    log.write(level, "trust", "a policy rule has this told",
              {{"action", trust::policy::row_of(told.action).name},
               {"outcome", trust::policy::to_text(told.outcome)},
               {"rule", told.rule},
               {"subject", told.subject},
               {"resource", told.resource},
               {"tags", told.tags}});
}

}  // namespace

Server::Server(boost::asio::io_context& io, Config config, Identity keys, StoragePlatform platform,
               protocol::Log& log, Supervisor& supervisor, std::function<void()> stop)
    : io_(io),
      config_(std::move(config)),
      identity_(federation_identity(config_, keys)),
      keys_at_start_(std::move(keys)),
      platform_(std::move(platform)),
      log_(log),
      supervisor_(supervisor),
      stop_(std::move(stop)),
      tasks_(io.get_executor(),
             [&log](std::exception_ptr bug) {
                 protocol::log_error(log, "daemon", "a task ended by an exception",
                                     {{"what", what(std::move(bug))}});
             }),
      room_(log, tasks_, clock_, config_.server.data),
      lag_meter_(config_.server.name, config_.server.data, config_.storage.sqlite_path(),
                 config_.server.data + "/window"),
      policies_(trust::policy::shipped_alone(), clock_,
                [&log](const trust::policy::Told& told) { tell(log, told); })
{
}

Server::~Server() = default;

Result<void> Server::open()
{
    const auto readers = static_cast<std::size_t>(config_.storage.readers);
    const auto shares = share_descriptors(raise_descriptor_limit(), readers);
    if (!shares) return fail(shares);
    Stores::Hooks hooks;
    hooks.committed = [this](storage::CommittedRun& run) {
        if (federation_) federation_->committed(run);
    };
    hooks.counted = [this](const protocol::ServerName& server,
                           const trust::ServerStanding& standing) {
        if (federation_) federation_->conduct().counted(server, standing);
    };
    hooks.meter = &commit_meter_;
    hooks.fatal = [this](const Error& error) { fail_for_good(error); };
    hooks.disk_full = [this](bool is_full) { room_.told(is_full, stores_->commits()); };
    auto stores =
        Stores::open(config_, platform_, io_.get_executor(), clock_.now_s(), std::move(hooks));
    if (!stores) return fail(stores);
    stores_ = std::move(*stores);

    federation_ = std::make_unique<FederationStack>(FederationStack::Parts{
        config_, identity_, *stores_, tasks_, pool_.get_executor(), media_pool_.get_executor(),
        log_, clock_, random_, shares->outgoing, policies_});
    api::ApiOptions options;
    options.server = config_.server.name;
    options.names = config_.name_rules();
    options.registration = registration(config_.registration);
    options.contact = config_.server.contact;
    options.federates = config_.federation.enabled;
    const auto per_user = static_cast<double>(config_.limits.requests_per_user);
    options.user = {per_user, per_user};
    const auto in_conflict = [this](const protocol::ServerName& server) {
        const auto* pin = federation_->discovery().ring().find(server);
        return pin != nullptr && pin->conflict;
    };
    api_ = std::make_unique<api::Api>(
        api::ApiParts{io_.get_executor(), tasks_, stores_->commits(), federation_->channels(),
                      federation_->directory(), federation_->people(), federation_->media(),
                      federation_->report_passing(), federation_->upheld_reports(), policies_,
                      federation_->tiers(), federation_->conduct(), federation_->peering(),
                      in_conflict, clock_, random_, log_},
        options);
    add_figures();
    auto added = add_listeners(connections_of_a_listener(shares->connections));
    if (!added) return added;
    add_certificate_figures();
    add_control();
    return {};
}

Result<void> Server::add_listeners(std::size_t connections)
{
    auto passed = take_passed_sockets(process_variable);
    if (!passed) return fail(passed);
    for (const auto& listener : config_.listeners) {
        const auto socket = socket_for(listener, *passed);
        if (!socket) return fail(socket);
        if (auto added = add_listener(listener, *socket, connections); !added) return added;
    }
    for (const auto& socket : *passed) {
        protocol::log_warning(log_, "daemon", "no listener names a socket that was handed over",
                              {{"socket", socket.name}, {"address", text_of(socket.address)}});
        ::close(socket.descriptor);
    }
    return {};
}

DaemonState Server::state()
{
    DaemonState state;
    state.started = clock_.now_ms();
    state.ready = [this] { return readiness(); };
    state.certificates = [this] {
        std::vector<DaemonState::Certificate> shown;
        for (const auto& [listener, certificate] : certificates_)
            shown.push_back({listener, certificate->not_after()});
        return shown;
    };
    state.data = config_.server.data;
    state.database = config_.storage.sqlite_path();
    state.window = config_.server.data + "/window";
    return state;
}

void Server::add_control()
{
    control_ = std::make_unique<Control>(ControlParts{
        identity_, federation_->discovery(), federation_->links(), federation_->comparison(),
        federation_->prover(), federation_->follower(), federation_->repair(),
        federation_->channels(), api_->administration(), api_->settings(), api_->reports(),
        api_->policies(), api_->trust(), stores_->commits(), federation_->tiers(), clock_, random_,
        config_.federation.enabled, state()});
    auto router = std::make_shared<net::Router>();
    control_->add_routes(*router);
    servers_.push_back(std::make_unique<net::HttpServer>(
        tasks_, control_listener(config_.server.control), std::move(router), clock_));
}

std::size_t Server::connections_of_a_listener(std::size_t descriptors)
{
    const auto wanted = static_cast<std::size_t>(config_.limits.connections);
    const auto possible =
        descriptors / std::max<std::size_t>(config_.listeners.size(), std::size_t{1});
    if (possible >= wanted) return wanted;
    protocol::log_warning(log_, "daemon",
                          "fewer connections than limits.connections: the system grants too few "
                          "file descriptors (ulimit -n, LimitNOFILE)",
                          {{"connections", possible}, {"wanted", wanted}});
    return possible;
}

// Nothing is acknowledged once the disk has failed to keep what it said it kept.
void Server::fail_for_good(const Error& error)
{
    if (std::exchange(failed_, true)) return;
    if (error.code == Code::internal) {
        protocol::log_error(log_, "daemon", "a fault of this program; stopping",
                            {{"detail", error.detail}, {"remedy", fault_remedy}});
    } else {
        protocol::log_error(
            log_, "storage", "the disk can't be trusted; stopping",
            {{"detail", error.detail}, {"data", config_.server.data}, {"remedy", disk_remedy}});
    }
    stop_();
}

Result<void> Server::add_listener(const ListenerConfig& listener, int passed,
                                  std::size_t connections)
{
    net::ListenerOptions options;
    options.passed = passed;
    options.address =
        boost::asio::ip::tcp::endpoint(listener.address.address, listener.address.port);
    options.trusted_proxies = listener.trusted_proxies;
    options.limits.connections = connections;
    options.limits.connections_per_source =
        static_cast<std::size_t>(config_.limits.connections_per_source);
    if (!listener.is_plain()) {
        auto tls = net::TlsServerContext::load(listener.certificate, listener.key);
        if (!tls) return fail(tls);
        options.tls = *tls;
        certificates_.emplace_back(text_of(listener.address), std::move(*tls));
    }
    auto router = std::make_shared<net::Router>();
    api::add_health_routes(*router, [this] { return readiness(); }, clock_);
    if (listener.federation) federation_->add_routes(*router);
    if (listener.client) api_->add_routes(*router);
    if (listener.metrics) api::add_metrics_route(*router, metrics_);
    auto server =
        std::make_unique<net::HttpServer>(tasks_, std::move(options), std::move(router), clock_);
    server->on_request_done(api::request_observer(metrics_, text_of(listener.address)));
    servers_.push_back(std::move(server));
    return {};
}

Result<void> Server::readiness() const
{
    if (failed_) return refuse(Code::unavailable, "the disk has failed");
    if (!is_ready_) return refuse(Code::unavailable, "starting or stopping");
    return room_.check();
}

asio::awaitable<Result<void>> Server::start()
{
    auto newest = co_await remember(std::move(*keys_at_start_));
    keys_at_start_.reset();
    if (!newest) co_return fail(newest);
    auto api = co_await api_->start();
    if (!api) co_return fail(api);
    auto federation = co_await federation_->start();
    if (!federation) co_return fail(federation);
    for (std::size_t i = 0; i < servers_.size(); ++i) {
        auto started = servers_[i]->start();
        if (!started) co_return fail(started);
        if (i == config_.listeners.size()) {
            protocol::log_info(log_, "daemon", "listening", {{"control", config_.server.control}});
            continue;
        }
        protocol::log_info(log_, "daemon", "listening",
                           {{"address", text_of(config_.listeners[i].address)},
                            {"tls", !config_.listeners[i].is_plain()}});
    }
    is_ready_ = true;
    tasks_.spawn(lag_meter_.keep_measuring(stores_->commits(), stores_->window()));
    if (supervisor_.is_there()) tasks_.spawn(show_life());
    co_return Result<void>{};
}

namespace {

constexpr std::chrono::seconds usual_sign_of_life{20};

struct Nothing {
    Result<void> operator()(storage::WriteTransaction& /*transaction*/) const { return {}; }
};

}  // namespace

// From this loop and through the writer: where either is stuck for ever, nothing is said any
// more. That the writer refuses is an answer, a full disk no reason to be started again.
asio::awaitable<void> Server::show_life()
{
    const auto patience = supervisor_.patience();
    const auto interval = std::chrono::duration_cast<std::chrono::milliseconds>(
        patience ? *patience / 3 : usual_sign_of_life);
    std::string said;
    do {
        const Nothing nothing;
        const auto answered = co_await stores_->commits().write(nothing);
        (void)answered;
        supervisor_.alive();
        const auto ready = readiness();
        auto status = ready ? "serving " + config_.server.name.str() : ready.error().detail;
        if (status != said) supervisor_.status(status);
        said = std::move(status);
    } while (co_await net::sleep_for(interval));
}

asio::awaitable<void> Server::stop_listener(net::HttpServer& server,
                                            std::shared_ptr<net::Wakeup> stopped)
{
    struct Ending {
        std::size_t& listening;
        net::Wakeup& stopped;
        ~Ending()
        {
            --listening;
            stopped.notify();
        }
    };
    const Ending ending{listening_, *stopped};
    co_await server.stop(failed_ ? grace_after_failure : grace);
}

asio::awaitable<void> Server::stop()
{
    is_ready_ = false;
    // All at once: none goes on accepting while another waits for its last request.
    listening_ = servers_.size();
    auto stopped = std::make_shared<net::Wakeup>(io_.get_executor());
    for (auto& server : servers_) tasks_.spawn(stop_listener(*server, stopped));
    while (listening_ > 0) co_await stopped->wait();
    co_await tasks_.stop();
    for (auto* pool : {&pool_, &media_pool_}) {
        pool->stop();
        pool->join();
    }
    stores_->commits().stop();
}

namespace {

struct Remember {
    Identity keys;
    protocol::Millis now = 0;
    Result<void> operator()(storage::WriteTransaction& transaction)
    {
        auto& db = transaction.db();
        auto change = key_change(db, keys);
        if (!change) return fail(change);
        if (auto done = remember_newest(db, keys); !done || !*change) return done;
        auto noted = storage::append_audit(db, keys.server, now, **change);
        if (!noted) return fail(noted);
        return {};
    }
};

}  // namespace

// Before they sign anything: an older copy of the key folder has to show later [LOG-10].
asio::awaitable<Result<void>> Server::remember(Identity keys)
{
    Remember job{std::move(keys), clock_.now_ms()};
    auto remembered = co_await stores_->commits().write(std::move(job));
    co_return remembered;
}

asio::awaitable<void> Server::reload_keys()
{
    auto keys = KeyFolder(config_.server.keys).load(config_.server.name, config_.name_rules());
    Result<void> newest;
    if (keys) newest = co_await remember(*keys);
    if (!keys || !newest) {
        const auto& detail = keys ? newest.error().detail : keys.error().detail;
        protocol::log_error(log_, "daemon", "the keys could not be reloaded; the old ones stay",
                            {{"detail", detail}});
        co_return;
    }
    const bool is_new = identity_.key.id() != keys->current.id();
    auto identity = federation_identity(config_, *keys);
    identity_.key = std::move(identity.key);
    identity_.from = identity.from;
    identity_.recovery = identity.recovery;
    identity_.old_keys = std::move(identity.old_keys);
    identity_.statements = std::move(identity.statements);
    protocol::log_info(log_, "daemon", is_new ? "a new key signs from now on" : "keys reloaded",
                       {{"key", identity_.key.id().str()}});
}

asio::awaitable<void> Server::reload()
{
    co_await reload_keys();
    for (auto& [listener, certificate] : certificates_) {
        auto reloaded = certificate->reload();
        if (reloaded) {
            protocol::log_info(log_, "daemon", "certificate reloaded", {{"listener", listener}});
        } else {
            protocol::log_error(log_, "daemon",
                                "a certificate could not be reloaded; the old one stays",
                                {{"listener", listener}, {"detail", reloaded.error().detail}});
        }
    }
}

}  // namespace entente::daemon
