// doctor: looks at all that keeps a server from working, from here, and says what to do. Changes
// nothing. What the facts mean is health.cpp's business.
#include <iostream>

#include <arpa/inet.h>
#include <netdb.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "daemon/check.hpp"
#include "daemon/check_database.hpp"
#include "daemon/ctl/asking.hpp"
#include "daemon/ctl/health.hpp"
#include "daemon/ctl/status.hpp"
#include "daemon/ctl/text.hpp"
#include "federation/discovery/document_fetch.hpp"
#include "net/http_client.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

using Findings = std::vector<Finding>;
using Kind = Finding::Kind;

constexpr std::chrono::milliseconds time_to_fetch{20'000};

std::vector<std::string> addresses_of(const std::string& host)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    std::vector<std::string> addresses;
    if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return addresses;
    for (const auto* each = found; each != nullptr; each = each->ai_next) {
        char text[NI_MAXHOST];
        if (::getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof text, nullptr, 0,
                          NI_NUMERICHOST) == 0)
            addresses.emplace_back(text);
    }
    ::freeaddrinfo(found);
    return addresses;
}

void look_at_names(const Config& config, Findings& findings)
{
    std::vector<std::string> hosts{config.server.name.str()};
    const auto api = protocol::parse_https_origin(config.federation.api);
    if (api && api->host != hosts.front()) hosts.push_back(api->host);
    for (const auto& host : hosts) {
        const bool given = config.federation.resolve.contains(host);
        findings.push_back(
            judge_addresses(host, given ? std::vector<std::string>{} : addresses_of(host), given));
    }
}

boost::asio::awaitable<void> fetch_into(net::HttpClient& http, const Config& config,
                                        std::optional<Result<protocol::ServerDocument>>& found)
{
    auto document = co_await federation::fetch_document(http, config.server.name,
                                                        config.name_rules(), time_to_fetch);
    found.emplace(std::move(document));
    http.close_idle();
}

// As another server does it: by the name, over HTTPS, with the same rules for addresses.
Result<protocol::ServerDocument> fetch_own_document(const Config& config)
{
    boost::asio::io_context io{1};
    net::ClientOptions options;
    options.guard = net::AddressGuard(config.federation.allow_networks);
    if (!is_missing_credential(config.federation.ca_file))
        options.ca_file = config.federation.ca_file;
    for (const auto& [name, where] : config.federation.resolve)
        options.resolve[name] = boost::asio::ip::tcp::endpoint(where.address, where.port);
    net::HttpClient http(io.get_executor(), std::move(options));
    std::optional<Result<protocol::ServerDocument>> found;
    boost::asio::co_spawn(io, fetch_into(http, config, found), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
    while (!found && io.run_one() > 0) {
    }
    if (!found) return fail(Code::unavailable, "the fetch was stopped");
    return std::move(*found);
}

void look_at_installation(const Config& config, const Settings& settings, bool runs,
                          Findings& findings)
{
    const protocol::SystemClock clock;
    const auto report = check_installation(config, settings.config, clock);
    for (const auto& text : report.errors)
        findings.push_back({"installation", Kind::fault, text, "as it says"});
    for (const auto& text : report.warnings)
        findings.push_back({"installation", Kind::warning, text, "as it says"});
    if (report.errors.empty() && report.warnings.empty())
        findings.push_back({"installation", Kind::fine, "as ententd check sees it", ""});
    if (runs || !report.errors.empty()) return;
    const auto faults = check_database(config);
    for (const auto& text : faults)
        findings.push_back({"database", Kind::fault, text, "see docs/operate/trouble.md"});
    if (faults.empty()) findings.push_back({"database", Kind::fine, "it is fit to start with", ""});
}

void look_at_daemon(const WholeStatus& whole, Findings& findings)
{
    const auto& status = whole.status;
    const auto now = status.value("now", protocol::Millis{0});
    if (status.value("ready", false)) {
        findings.push_back({"daemon", Kind::fine, "it is ready", ""});
    } else {
        findings.push_back({"daemon", Kind::fault, "it isn't ready: " + status.value("why", ""),
                            "docs/operate/trouble.md says what each means"});
    }
    const auto& writes = status.at("writes");
    findings.push_back(judge_writes(writes.contains("microseconds")
                                        ? std::optional(writes.value("microseconds", 0L))
                                        : std::nullopt));
    if (status.contains("storage") && status.at("storage").contains("free")) {
        const auto& storage = status.at("storage");
        findings.push_back(judge_disk(storage.value("free", std::uintmax_t{0}),
                                      storage.value("disk", std::uintmax_t{0})));
    }
    for (const auto& certificate : status.at("certificates"))
        findings.push_back(judge_certificate(certificate.value("listener", ""),
                                             certificate.value("not_after", now), now));
    if (!status.value("federates", true)) return;
    findings.push_back(judge_peers(whole.peers, now));
    findings.push_back(judge_reach(whole.peers.known,
                                   status.value("last_called", protocol::Millis{0}),
                                   status.value("started", now), now));
}

int show(const Settings& settings, const Findings& findings)
{
    int exit_code = exit_done;
    auto shown = json::array();
    std::vector<Row> rows{{"WHAT", "HOW", "FOUND"}};
    for (const auto& finding : findings) {
        if (finding.kind == Kind::fault) exit_code = exit_failed;
        const std::string kind(to_text(finding.kind));
        json each{{"subject", finding.subject}, {"kind", kind}, {"found", finding.found}};
        if (!finding.remedy.empty()) each["remedy"] = finding.remedy;
        shown.push_back(std::move(each));
        rows.push_back({finding.subject, kind, finding.found});
        if (!finding.remedy.empty()) rows.push_back({"", "", "→ " + finding.remedy});
    }
    if (settings.json) {
        show_json({{"findings", shown}});
    } else {
        print_table(std::cout, rows);
    }
    return exit_code;
}

int run_doctor(const Settings& settings)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    Findings findings;
    std::string key;
    std::optional<WholeStatus> whole;
    auto daemon = Daemon::connect(*config);
    if (daemon) {
        if (auto server = daemon->get("/control/v1/server")) key = server->value("key", "");
        if (auto told = whole_status(*daemon)) whole = std::move(*told);
    }
    look_at_installation(*config, settings, daemon.has_value(), findings);
    findings.push_back(judge_clock(kernel_clock()));
    if (whole) {
        look_at_daemon(*whole, findings);
    } else {
        findings.push_back({"daemon", Kind::fault,
                            daemon ? "it doesn't say how it is" : daemon.error().detail,
                            "systemctl status ententd; journalctl -u ententd says why it ended"});
    }
    if (config->federation.enabled) {
        look_at_names(*config, findings);
        findings.push_back(judge_document(*config, fetch_own_document(*config), key));
    }
    return show(settings, findings);
}

}  // namespace

void add_doctor_verb(Verbs& verbs)
{
    verbs.add("doctor", "Looks for what is wrong, and says what to do; 1 where a fault is found",
              run_doctor);
}

}  // namespace entente::daemon::ctl
