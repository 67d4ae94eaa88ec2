// What a running daemon answers its operator over the control socket: routes under
// /control/v1, each of which asks the rooms below and writes JSON. Decides nothing itself.
// Only the server's own user and root get here, so an error's detail is told, as in the log.
// docs/reference/ententctl.md shows what comes of it.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "api/administration.hpp"
#include "api/policy_desk.hpp"
#include "api/report_desk.hpp"
#include "api/settings.hpp"
#include "api/trust_desk.hpp"
#include "federation/links/peer_links.hpp"
#include "federation/log/follower_log.hpp"
#include "federation/log/log_proof.hpp"
#include "federation/queries/log_comparison.hpp"
#include "federation/queries/repair.hpp"
#include "net/http_server.hpp"
#include "net/router.hpp"
#include "storage/audit_store.hpp"
#include "trust/tiers.hpp"

namespace entente::daemon {

namespace asio = boost::asio;

// What only the place knows where the daemon is put together.
struct DaemonState {
    protocol::Millis started = 0;
    std::function<Result<void>()> ready;
    struct Certificate {
        std::string listener;
        protocol::Millis not_after = 0;
    };
    std::function<std::vector<Certificate>()> certificates;  // those in use
    std::string data, database, window;                      // paths; a database elsewhere: ""
};

struct ControlParts {
    const federation::Identity& identity;
    federation::Discovery& discovery;
    federation::PeerLinks& links;
    federation::LogComparison& comparison;
    federation::LogProver& prover;
    federation::FollowerLog& follower;
    federation::Repair& repair;
    federation::Channels& channels;
    api::Administration& administration;
    api::Settings& settings;
    api::ReportDesk& reports;
    api::PolicyDesk& policies;
    api::TrustDesk& trust;
    storage::GroupCommit& commits;
    const trust::Tiers& tiers;
    const protocol::Clock& clock;
    protocol::Random& random;
    bool federates = true;  // federation.enabled
    DaemonState daemon = {};
};

class Control {
 public:
    explicit Control(ControlParts parts) : parts_(std::move(parts)) {}

    void add_routes(net::Router& router);

 private:
    using Answer = asio::awaitable<net::Response>;
    void add_peer_routes(net::Router& router);
    void add_channel_routes(net::Router& router);
    void add_fork_routes(net::Router& router);
    void add_key_routes(net::Router& router);
    void add_move_routes(net::Router& router);
    void add_audit_routes(net::Router& router);
    void add_user_routes(net::Router& router);
    void add_setting_routes(net::Router& router);
    void add_report_routes(net::Router& router);
    void add_trust_routes(net::Router& router);
    void add_peering_routes(net::Router& router);
    void add_policy_routes(net::Router& router);

    Answer server(const net::Request& request);
    Answer status(const net::Request& request);
    Answer peers(const net::Request& request);
    Answer peer(const net::Request& request);
    Answer peer_channels(const net::Request& request);
    Answer wake(const net::Request& request);
    Answer verify(const net::Request& request);
    Answer accept_keys(const net::Request& request);
    Answer keep_keys(const net::Request& request);
    Answer channels(const net::Request& request);
    Answer channel(const net::Request& request);
    Answer prove(const net::Request& request);
    Answer evidence(const net::Request& request);
    Answer thaw(const net::Request& request);
    Answer go_on(const net::Request& request);
    Answer move(const net::Request& request);
    Answer reports(const net::Request& request);
    Answer report_proof(const net::Request& request);
    Answer close_report(const net::Request& request);
    Answer send_report(const net::Request& request);
    Answer settings(const net::Request& request);
    Answer change_setting(const net::Request& request);
    Answer policies(const net::Request& request);
    Answer show_policy(const net::Request& request);
    Answer put_policy(const net::Request& request);
    Answer check_policy(const net::Request& request);
    Answer policy_versions(const net::Request& request);
    Answer restore_policy(const net::Request& request);
    Answer rehearse(const net::Request& request);
    Answer explain(const net::Request& request);
    Answer users(const net::Request& request);
    Answer user(const net::Request& request);
    Answer judge(const net::Request& request);
    Answer codes(const net::Request& request);
    Answer make_code(const net::Request& request);
    Answer revoke_code(const net::Request& request);
    Answer audit(const net::Request& request);
    Answer audit_ends(const net::Request& request);
    Answer audit_lines(const net::Request& request);

    // An act of the operator's, which is then in the audit log.
    asio::awaitable<Result<void>> note(std::string act, std::string object,
                                       std::string details = "{}");

    [[nodiscard]] net::Response shown_settings() const;
    Answer shown_policy(std::string id);
    Answer peering(const net::Request& request);
    Answer show_trust(const net::Request& request);
    Answer set_trust(const net::Request& request);
    Answer unset_trust(const net::Request& request);
    Answer pardon(const net::Request& request);
    Answer falls(const net::Request& request);
    Answer import_list(const net::Request& request);
    Answer export_list(const net::Request& request);
    asio::awaitable<Result<void>> check_user(protocol::UserId user);

    ControlParts parts_;
};

// The listener of the socket at `path`, for this process's user and root.
[[nodiscard]] net::ListenerOptions control_listener(const std::string& path);

}  // namespace entente::daemon
