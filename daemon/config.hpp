// The configuration as the rest of the daemon sees it, and how it comes to be: defaults,
// then the TOML file, then the environment (ENTENTE_<SECTION>_<KEY>). Every fault is
// reported, not the first alone, each with its line and what to do. Touches no file but
// the one it reads; whether named files exist and are safe is check.hpp's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "net/address_guard.hpp"
#include "protocol/log.hpp"
#include "protocol/names.hpp"
#include "trust/conduct_figures.hpp"
#include "trust/tier_table.hpp"

namespace entente::daemon {

struct SocketAddress {
    boost::asio::ip::address address;
    std::uint16_t port = 0;
    friend bool operator==(const SocketAddress&, const SocketAddress&) = default;
};
// "127.0.0.1:8448" or "[::1]:8448".
[[nodiscard]] Result<SocketAddress> parse_socket_address(std::string_view text);

struct ServerConfig {
    protocol::ServerName name;
    std::string data = "/var/lib/ententd";  // database, replay window
    std::string keys;                       // folder; "<data>/keys" unless set
    std::string runtime = "/run/ententd";   // folder; what no backup of `data` may hold [LOG-5]
    std::string contact;
    std::string control;  // a Unix socket for ententctl; "<data>/control.sock" unless set
};

struct ListenerConfig {
    SocketAddress address;
    std::string socket;            // a name of one that is handed over, in place of binding
    std::string certificate, key;  // PEM files; both empty: plain
    bool federation = false, client = false, metrics = false;
    std::vector<net::Network> trusted_proxies;
    // Where each stands in the file; 0: nowhere.
    int line = 0, address_line = 0, certificate_line = 0, key_line = 0;

    [[nodiscard]] bool is_plain() const { return certificate.empty(); }
};

struct FederationConfig {
    bool enabled = true;
    std::string api;  // https origin; "https://<name>" unless set
    bool allow_test_names = false;
    std::vector<net::Network> allow_networks;
    std::map<std::string, SocketAddress> resolve;  // server or API host name → where it is
    std::string ca_file;                           // trusted beside the system's
    std::int64_t retry_first_ms = 1'000, retry_max_ms = 3'600'000;  // section 9, 5xx
    std::int64_t discovery_retry_first_ms = 10'000, discovery_retry_max_ms = 3'600'000;  // [DISC-4]
};

struct TrustConfig {
    std::string mode = "open";                 // trust::Mode
    std::map<std::string, std::string> peers;  // server → tier, an administrator's word
    trust::TierTable table;
    trust::ConductFigures conduct;
};

struct StorageConfig {
    std::string url;  // "sqlite:<path>"; "sqlite:<data>/entente.sqlite" unless set
    std::int64_t readers = 2;

    [[nodiscard]] std::string sqlite_path() const;
};

struct LimitsConfig {
    std::int64_t connections = 20'000;            // of a listener
    std::int64_t connections_per_source = 1'000;  // IPv4 address or IPv6 /64
    std::int64_t requests_per_source = 6'000;     // a minute, before any signature check
    std::int64_t requests_per_user = 20'000;      // a second, messages included
    std::int64_t transaction_bytes = 4'194'304;   // of the inbox, announced to peers
    std::int64_t transaction_items = 1'000;
    std::int64_t unsent_per_user_and_peer = 1'000;  // [RETRY-3]
    std::int64_t media_bytes = 10'485'760;
    std::int64_t media_bytes_per_user_and_day = 104'857'600;
};

enum class RegistrationMode : std::uint8_t { open, invite, closed };
enum class LogFormat : std::uint8_t { text, json };

struct LogConfig {
    LogFormat format = LogFormat::text;
    protocol::LogLevel level = protocol::LogLevel::info;
    std::map<std::string, protocol::LogLevel> components;
};

struct Config {
    ServerConfig server;
    std::vector<ListenerConfig> listeners;
    FederationConfig federation;
    TrustConfig trust;
    StorageConfig storage;
    RegistrationMode registration = RegistrationMode::closed;
    LimitsConfig limits;
    LogConfig log;
    std::map<std::string, std::string> written;  // for changed_keys(): what isn't left out

    [[nodiscard]] protocol::NameRules name_rules() const { return {federation.allow_test_names}; }
};

// "file.toml:12", or "ENTENTE_LOG_LEVEL (environment)"; `text` is "what is wrong; what to do".
struct ConfigProblem {
    std::string where;
    std::string text;
    [[nodiscard]] std::string str() const { return where + ": " + text; }
};
using ConfigProblems = std::vector<ConfigProblem>;

// A path "credential:NAME" is the file NAME in the folder that systemd gives the service's
// secrets in; where there is no such folder, as for ententctl, the path stays as it is written.
[[nodiscard]] bool is_missing_credential(const std::string& path);

// Names and values; CREDENTIALS_DIRECTORY says where the service's secrets are, others without the
// ENTENTE_ prefix, and those of a single word behind it, mean nothing here.
using Environment = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Environment process_environment();

inline constexpr std::size_t max_config_octets = 1 << 20;

// At least one problem where it failed, in the order of the file.
[[nodiscard]] tl::expected<Config, ConfigProblems> load_config(const std::string& file,
                                                               const Environment& environment);
// The same over a text; `file` only names it. Never reads a file.
[[nodiscard]] tl::expected<Config, ConfigProblems> parse_config(std::string_view toml,
                                                                const std::string& file,
                                                                const Environment& environment);

// Each key there is as "section.key" ("listener.address", "trust.budgets.guest.events"),
// in the order of the reference; for the test that compares the documentation.
struct KeyDescription {
    std::string name;
    std::string fallback;     // its default as the reference writes it
    std::string environment;  // "" for a listener's
};
[[nodiscard]] std::vector<KeyDescription> describe_keys();

}  // namespace entente::daemon
