// The client API of one daemon: what its routes share, and the way from a request to a
// caller and from a result to an answer. The routes themselves stand in routes_*.cpp,
// one file per group. For the I/O executor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "api/administration.hpp"
#include "api/live_hub.hpp"
#include "api/passwords.hpp"
#include "api/policy_desk.hpp"
#include "api/rates.hpp"
#include "api/report_desk.hpp"
#include "api/sessions.hpp"
#include "api/settings.hpp"
#include "api/trust_desk.hpp"
#include "federation/channels.hpp"
#include "federation/people.hpp"
#include "federation/people/media.hpp"
#include "net/router.hpp"
#include "net/task_group.hpp"
#include "protocol/clock.hpp"
#include "protocol/log.hpp"
#include "protocol/names.hpp"
#include "protocol/shared_room.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation {
class Directory;
}

namespace entente::api {

// What settings.hpp can change while the server runs has its defaults here.
struct ApiOptions {
    protocol::ServerName server;
    protocol::NameRules names;
    Registration registration = Registration::closed;
    // Before authentication, per IPv4 address or IPv6 /64; failed authentications cost too.
    Rate address{0.5, 30};
    // After it, per user: each request, and each message of an array of posts.
    Rate user{20'000, 20'000};
    std::int64_t channels_a_day = 1'000;  // that a user may create
    // Per user: each key claimed, each look-up of a user of another server. They are charged
    // to this whole server over there.
    Rate people{5, 300};
    std::int64_t reports_a_day = 100;  // of a user
    std::string contact;               // of who runs the server; may be empty
    bool federates = true;             // federation.enabled
};

// What the API stands on; all of it lives longer than the API.
struct ApiParts {
    asio::any_io_executor io;
    net::TaskGroup& tasks;
    storage::GroupCommit& commit;
    federation::Channels& channels;
    federation::Directory& directory;
    federation::People& people;
    federation::Media& media;
    federation::ReportPassing& report_passing;
    federation::UpheldReports& upheld_reports;
    trust::policy::Enforcer& policies;
    const trust::Tiers& tiers;
    federation::Conduct& conduct;
    federation::Peering& peering;
    // Whether a server's keys are disputed [KEY-4].
    std::function<bool(const protocol::ServerName& server)> in_conflict;
    const protocol::Clock& clock;
    protocol::Random& random;
    protocol::Log& log;
};

class Api {
 public:
    // Listens to `parts.channels` and `parts.people` from here on.
    Api(ApiParts parts, ApiOptions options);
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

    // Loads what is set and the token key, before which requests that need one are `unavailable`,
    // and starts to sweep old sessions.
    asio::awaitable<Result<void>> start();
    // Every route under /api/v1. The API lives longer than the router.
    void add_routes(net::Router& router);

    [[nodiscard]] const ApiParts& parts() const { return parts_; }
    [[nodiscard]] const ApiOptions& options() const { return options_; }
    [[nodiscard]] federation::Channels& channels() const { return parts_.channels; }
    [[nodiscard]] federation::Directory& directory() const { return parts_.directory; }
    [[nodiscard]] federation::People& people() const { return parts_.people; }
    [[nodiscard]] federation::Media& media() const { return parts_.media; }
    [[nodiscard]] protocol::Millis now() const { return parts_.clock.now_ms(); }
    [[nodiscard]] Sessions& sessions() { return sessions_; }
    [[nodiscard]] PasswordPool& passwords() { return passwords_; }
    [[nodiscard]] Administration& administration() { return administration_; }
    [[nodiscard]] ReportDesk& reports() { return reports_; }
    [[nodiscard]] PolicyDesk& policies() { return policies_; }
    [[nodiscard]] TrustDesk& trust() { return trust_; }
    [[nodiscard]] Settings& settings() { return settings_; }
    [[nodiscard]] const Settings& settings() const { return settings_; }
    [[nodiscard]] LiveHub& hub() { return hub_; }
    // What all sockets share for posts that wait (intake.hpp).
    [[nodiscard]] protocol::SharedRoom& post_room() { return post_room_; }
    [[nodiscard]] Rates& address_rates() { return address_rates_; }
    [[nodiscard]] Rates& user_rates() { return user_rates_; }
    [[nodiscard]] Rates& people_rates() { return people_rates_; }
    [[nodiscard]] DailyCount& report_counts() { return report_counts_; }
    [[nodiscard]] DailyCount& channel_counts() { return channel_counts_; }

 private:
    [[nodiscard]] SettingValues default_settings() const;
    void take_settings(const SettingValues& values);

    ApiParts parts_;
    ApiOptions options_;
    Sessions sessions_;
    PasswordPool passwords_;
    Administration administration_;
    LiveHub hub_;
    protocol::SharedRoom post_room_;
    Rates address_rates_;
    Rates user_rates_;
    Rates people_rates_;
    DailyCount channel_counts_;
    DailyCount report_counts_;
    ReportDesk reports_;
    PolicyDesk policies_;
    TrustDesk trust_;
    Settings settings_;
};

// A route for anyone: charged to the address before it runs.
using OpenRoute = asio::awaitable<Result<net::Response>> (*)(Api&, const net::Request&);
// A route for who shows a valid access token: charged to the user.
using CallerRoute = asio::awaitable<Result<net::Response>> (*)(Api&, Caller, const net::Request&);
[[nodiscard]] net::Handler open_route(Api& api, OpenRoute route);
[[nodiscard]] net::Handler caller_route(Api& api, CallerRoute route);
// The problem document for `error`; logs what is our own fault.
[[nodiscard]] net::Response refusal(Api& api, const net::Request& request, const Error& error);

// The groups; each adds its routes.
void add_admin_audit_routes(net::Router& router, Api& api);
void add_admin_policy_routes(net::Router& router, Api& api);
void add_admin_trust_routes(net::Router& router, Api& api);
void add_admin_user_routes(net::Router& router, Api& api);
void add_auth_routes(net::Router& router, Api& api);
void add_channel_routes(net::Router& router, Api& api);
void add_directory_routes(net::Router& router, Api& api);
void add_moderation_routes(net::Router& router, Api& api);
void add_move_routes(net::Router& router, Api& api);
void add_device_routes(net::Router& router, Api& api);
void add_user_routes(net::Router& router, Api& api);
void add_media_routes(net::Router& router, Api& api);
void add_report_routes(net::Router& router, Api& api);
void add_request_routes(net::Router& router, Api& api);
void add_message_routes(net::Router& router, Api& api);
void add_settings_routes(net::Router& router, Api& api);
void add_realtime_routes(net::Router& router, Api& api);

}  // namespace entente::api
