// The federation floor put together for one daemon: what is made of what, in the order in
// which it must live. Holds no logic of its own but the timers.
#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "daemon/config.hpp"
#include "daemon/key_folder.hpp"
#include "daemon/stores.hpp"
#include "federation/channels/departures.hpp"
#include "federation/channels/device_cursors.hpp"
#include "federation/channels/local_channels.hpp"
#include "federation/conduct/conduct.hpp"
#include "federation/conduct/peering.hpp"
#include "federation/conduct/report_passing.hpp"
#include "federation/conduct/upheld_reports.hpp"
#include "federation/discovery/vouching.hpp"
#include "federation/gate/gate.hpp"
#include "federation/identity.hpp"
#include "federation/inbox/inbox.hpp"
#include "federation/links/lacked_floors.hpp"
#include "federation/links/peer_links.hpp"
#include "federation/log/log_proof.hpp"
#include "federation/log/retention.hpp"
#include "federation/notices.hpp"
#include "federation/people/directory.hpp"
#include "federation/people/local_people.hpp"
#include "federation/people/media.hpp"
#include "federation/people/people_answers.hpp"
#include "federation/queries/log_comparison.hpp"
#include "federation/queries/queries.hpp"
#include "federation/queries/repair.hpp"
#include "net/http_client.hpp"
#include "net/router.hpp"
#include "net/task_group.hpp"
#include "protocol/log.hpp"
#include "trust/policy/enforcer.hpp"

namespace entente::daemon {

namespace asio = boost::asio;

[[nodiscard]] federation::Identity federation_identity(const Config& config, const Identity& keys);

class FederationStack {
 public:
    struct Parts {
        const Config& config;
        const federation::Identity& identity;
        Stores& stores;
        net::TaskGroup& tasks;
        asio::any_io_executor pool;  // for what blocks
        asio::any_io_executor media_pool;
        protocol::Log& log;
        const protocol::Clock& clock;
        protocol::Random& random;
        std::size_t outgoing;  // connections that may be open to other servers
        trust::policy::Enforcer& policies;
        net::Fetcher* http = nullptr;  // in place of HTTPS; outlives the stack
    };
    explicit FederationStack(Parts parts);

    // Loads the pins, starts the timers, wakes the links that are owed something.
    asio::awaitable<Result<void>> start();
    // Discovery documents, inbox and queries.
    void add_routes(net::Router& router);
    // From the store's commits, on the I/O thread.
    void committed(storage::CommittedRun& run);

    [[nodiscard]] federation::Channels& channels() { return channels_; }
    [[nodiscard]] federation::Directory& directory() { return directory_; }
    [[nodiscard]] federation::People& people() { return people_; }
    [[nodiscard]] federation::Media& media() { return media_; }
    [[nodiscard]] federation::PeerLinks& links() { return links_; }
    [[nodiscard]] federation::Repair& repair() { return repair_; }
    [[nodiscard]] federation::Succession& succession() { return succession_; }
    [[nodiscard]] federation::FollowerLog& follower() { return follower_; }
    [[nodiscard]] federation::Discovery& discovery() { return discovery_; }
    [[nodiscard]] federation::LogComparison& comparison() { return comparison_; }
    [[nodiscard]] federation::LogProver& prover() { return prover_; }
    [[nodiscard]] federation::ReportPassing& report_passing() { return report_passing_; }
    [[nodiscard]] federation::UpheldReports& upheld_reports() { return upheld_reports_; }
    [[nodiscard]] const trust::Tiers& tiers() const { return tiers_; }
    [[nodiscard]] federation::Conduct& conduct() { return conduct_; }
    [[nodiscard]] federation::Peering& peering() { return peering_; }
    [[nodiscard]] const federation::Figures& figures() const { return figures_; }

 private:
    [[nodiscard]] federation::FollowerEvents follower_events();
    // As the gate has it of who asks; on the I/O thread.
    [[nodiscard]] trust::Tier tier_of(const protocol::ServerName& server) const;
    void heard_of_keys(const protocol::ServerName& server, std::string_view what,
                       std::string_view detail);
    void found_conflict(const protocol::ServerName& server, const std::string& shown);
    [[nodiscard]] bool is_blocked(const protocol::ServerName& server) const;
    [[nodiscard]] federation::Wake waker();
    [[nodiscard]] federation::Wake nudger();
    [[nodiscard]] federation::Ask asker();
    asio::awaitable<Result<federation::Answer>> ask(federation::ServerName server,
                                                    std::string method, std::string target,
                                                    std::string body);
    [[nodiscard]] federation::DirectRefused refusals();
    [[nodiscard]] std::function<void(const protocol::UserId&)> membership_teller();
    [[nodiscard]] std::function<void(const protocol::ServerName&, const protocol::LiveSignal&)>
    signaller();
    void add_people_routes(net::Router& router);
    asio::awaitable<void> keep_house();
    asio::awaitable<void> keep_index();
    asio::awaitable<void> keep_asking();
    asio::awaitable<void> keep_vouching();
    asio::awaitable<Result<std::string>> query(protocol::ServerName peer, std::string target);
    [[nodiscard]] federation::SettlementParts settlement_parts();
    [[nodiscard]] federation::LinkParts link_parts();
    [[nodiscard]] federation::RepairParts repair_parts();
    [[nodiscard]] federation::SuccessionParts succession_parts();
    void add_direct_handlers();
    asio::awaitable<void> keep_retention();
    asio::awaitable<void> keep_departing();
    asio::awaitable<Result<void>> end_retentions();

    Parts parts_;
    federation::Notices notices_;
    std::unique_ptr<net::HttpClient> own_http_;
    net::Fetcher& http_;
    trust::KeyRing ring_;
    storage::PinStore pins_;
    federation::Discovery discovery_;
    trust::Tiers tiers_;
    federation::Conduct conduct_;
    trust::Budgets budgets_;
    federation::Figures figures_;
    federation::Gate gate_;
    federation::Verifier verifier_;
    federation::HomeLog home_;
    federation::Succession succession_;
    federation::LongWaits waits_;
    federation::FollowerLog follower_;
    federation::Direct direct_;
    federation::SignedClient client_;
    federation::Settlement settlement_;
    federation::PeerLinks links_;
    federation::LackedFloors floors_;
    federation::Repair repair_;
    federation::Vouching vouching_;
    federation::LocalPeople people_;
    federation::Inbox inbox_;
    federation::Queries queries_;
    federation::Directory directory_;
    federation::Peering peering_;
    federation::DeviceCursors devices_;
    federation::Retention retention_;
    federation::LocalChannels channels_;
    federation::Departures departures_;
    federation::LogComparison comparison_;
    federation::LogProver prover_;
    federation::LocalReportPassing report_passing_;
    federation::LocalUpheldReports upheld_reports_;
    federation::PeopleAnswers people_answers_;
    federation::Media media_;
};

}  // namespace entente::daemon
