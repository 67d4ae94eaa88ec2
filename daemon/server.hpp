// One running daemon: the only place where the rooms are put together. Starts listeners
// once everything behind them is ready, ends them in the reverse order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "api/api.hpp"
#include "api/metrics.hpp"
#include "daemon/commit_meter.hpp"
#include "daemon/control/control.hpp"
#include "daemon/disk_room.hpp"
#include "daemon/federation_stack.hpp"
#include "daemon/lag_meter.hpp"
#include "daemon/supervisor.hpp"
#include "net/http_server.hpp"
#include "net/tls.hpp"

namespace entente::daemon {

class Server {
 public:
    // `stop` is called when the daemon can't go on: a disk that can't be trusted, a bug.
    Server(boost::asio::io_context& io, Config config, Identity keys, StoragePlatform platform,
           protocol::Log& log, Supervisor& supervisor, std::function<void()> stop);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // The detail of an error is a sentence for the operator.
    [[nodiscard]] Result<void> open();
    asio::awaitable<Result<void>> start();
    // Requests under way finish, 10 s at most; at once where the disk has failed.
    asio::awaitable<void> stop();
    // Certificates and keys are read again; what fails keeps the old ones and is logged. New
    // keys sign as soon as it is durable that they are in use, and the end waits for that.
    asio::awaitable<void> reload();
    [[nodiscard]] bool has_failed() const { return failed_; }

 private:
    [[nodiscard]] Result<void> add_listener(const ListenerConfig& listener, int passed,
                                            std::size_t connections);
    [[nodiscard]] Result<void> add_listeners(std::size_t connections);
    // Says to the supervisor that this program lives, as long as its writer answers.
    asio::awaitable<void> show_life();
    [[nodiscard]] std::size_t connections_of_a_listener(std::size_t descriptors);
    void add_control();
    [[nodiscard]] DaemonState state();
    void add_figures();
    void add_storage_figures();
    void add_federation_figures();
    void add_lag_figures();
    void add_certificate_figures();
    asio::awaitable<void> stop_listener(net::HttpServer& server,
                                        std::shared_ptr<net::Wakeup> stopped);
    asio::awaitable<Result<void>> remember(Identity keys);
    asio::awaitable<void> reload_keys();
    void fail_for_good(const Error& error);
    [[nodiscard]] Result<void> readiness() const;

    boost::asio::io_context& io_;
    Config config_;
    federation::Identity identity_;
    std::optional<Identity> keys_at_start_;
    StoragePlatform platform_;
    protocol::Log& log_;
    Supervisor& supervisor_;
    std::function<void()> stop_;
    protocol::SystemClock clock_;
    protocol::SystemRandom random_;
    boost::asio::thread_pool pool_{2};
    boost::asio::thread_pool media_pool_{2};  // a slow upload holds up no request of a peer
    net::TaskGroup tasks_;
    DiskRoom room_;
    CommitMeter commit_meter_;
    LagMeter lag_meter_;
    api::Metrics metrics_;
    trust::policy::Enforcer policies_;
    std::unique_ptr<Stores> stores_;
    std::unique_ptr<FederationStack> federation_;
    std::unique_ptr<api::Api> api_;
    std::unique_ptr<Control> control_;
    // By the addresses of their listeners.
    std::vector<std::pair<std::string, std::shared_ptr<net::TlsServerContext>>> certificates_;
    std::vector<std::unique_ptr<net::HttpServer>> servers_;  // the control socket's last
    std::size_t listening_ = 0;
    bool failed_ = false;
    bool is_ready_ = false;
};

}  // namespace entente::daemon
