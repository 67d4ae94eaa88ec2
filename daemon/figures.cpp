// Everything that /metrics shows, by its name: docs/reference/metrics.md says the same, and a test
// compares them. Labels are constants of ours, so that their number is too.
#include "daemon/server.hpp"
#include "protocol/problem.hpp"

namespace entente::daemon {

namespace {

double seconds_of(protocol::Millis time)
{
    return static_cast<double>(time) / 1000;
}

std::string code_label(std::size_t code)
{
    return "code=\"" + std::string(protocol::code_name(static_cast<Code>(code))) + "\"";
}

}  // namespace

void Server::add_figures()
{
    add_storage_figures();
    add_federation_figures();
    add_lag_figures();
    metrics_.ask("entente_ready", "1 where requests can be served.", "gauge", "",
                 [this] { return readiness() ? 1.0 : 0.0; });
    metrics_.ask("entente_start_time_seconds", "When this process began, in seconds since 1970.",
                 "gauge", "", [started = clock_.now_ms()] { return seconds_of(started); });
}

void Server::add_storage_figures()
{
    const auto figures = [this] { return stores_->commits().figures(); };
    metrics_.ask("entente_commits_total", "Durable commits.", "counter", "",
                 [figures] { return static_cast<double>(figures().commits); });
    metrics_.ask("entente_commit_jobs_total", "Writes that shared them.", "counter", "",
                 [figures] { return static_cast<double>(figures().jobs); });
    metrics_.ask("entente_commit_queue", "Writes waiting for a commit.", "gauge", "",
                 [figures] { return static_cast<double>(figures().queued); });
    metrics_.ask("entente_read_queue", "Reads waiting for a reader.", "gauge", "",
                 [figures] { return static_cast<double>(figures().queued_reads); });
    metrics_.show("entente_commit_seconds", "Time from a commit's last write until it is durable.",
                  "", commit_meter_.seconds());
    metrics_.show("entente_commit_batch", "Writes that share a commit.", "", commit_meter_.batch());
    const auto octets = [this](const char* file, std::uint64_t LagMeter::Figures::* which) {
        metrics_.ask("entente_storage_octets", "Sizes on the disk.", "gauge",
                     std::string("file=\"") + file + "\"",
                     [this, which] { return static_cast<double>(lag_meter_.figures().*which); });
    };
    octets("database", &LagMeter::Figures::database);
    octets("write-ahead-log", &LagMeter::Figures::write_ahead_log);
    octets("window", &LagMeter::Figures::window);
    const auto window = [this](const char* name, const char* help,
                               std::uint64_t LagMeter::Figures::* which) {
        metrics_.ask(name, help, "gauge", "",
                     [this, which] { return static_cast<double>(lag_meter_.figures().*which); });
    };
    window("entente_window_files", "Files of RocksDB, which holds the replay window.",
           &LagMeter::Figures::window_files);
    window("entente_window_keys", "Nonces, places of events, refused items there, roughly.",
           &LagMeter::Figures::window_keys);
    window("entente_window_unwritten_octets", "What is in RocksDB's memory and in its log alone.",
           &LagMeter::Figures::window_unwritten);
    window("entente_window_compaction_octets", "What RocksDB has yet to rewrite.",
           &LagMeter::Figures::window_pending);
    metrics_.ask("entente_disk_free_octets", "What is free where the data is.", "gauge", "",
                 [this] { return static_cast<double>(lag_meter_.figures().free); });
}

void Server::add_federation_figures()
{
    const auto& figures = federation_->figures();
    metrics_.show("entente_gate_seconds",
                  "Time from the head of another server's request to the decision on it.", "",
                  figures.gate);
    const auto* inbox = "Time that a transaction spends in a stage of the inbox.";
    metrics_.show("entente_inbox_seconds", inbox, "stage=\"read\"", figures.read);
    metrics_.show("entente_inbox_seconds", inbox, "stage=\"verify\"", figures.verify);
    metrics_.show("entente_inbox_seconds", inbox, "stage=\"commit\"", figures.commit);
    for (std::size_t code = 0; code < federation::count_of_codes; ++code) {
        metrics_.show("entente_gate_refused_total",
                      "Requests of other servers that were refused, by problem code.",
                      code_label(code), figures.gate_refused[code]);
        metrics_.show("entente_inbox_refused_total",
                      "Events of other servers that were refused or put off, by problem code.",
                      code_label(code), figures.items_refused[code]);
    }
    for (std::size_t verdict = 0; verdict < federation::count_of_verdicts; ++verdict) {
        const auto text = protocol::to_text(static_cast<protocol::ItemStatus>(verdict));
        metrics_.show("entente_inbox_events_total", "Events of other servers, by verdict.",
                      "verdict=\"" + std::string(text) + "\"", figures.items[verdict]);
    }
    const auto fetched = [this] { return federation_->discovery().figures(); };
    metrics_.ask("entente_discovery_fetches_total", "Server documents fetched.", "counter", "",
                 [fetched] { return static_cast<double>(fetched().fetches); });
    metrics_.ask("entente_discovery_failures_total", "Fetches of server documents that failed.",
                 "counter", "", [fetched] { return static_cast<double>(fetched().failures); });
}

void Server::add_lag_figures()
{
    metrics_.ask("entente_peer_links", "Links to servers that are owed something, by state.",
                 "gauge", "state=\"working\"", [this] {
                     const auto& links = federation_->links();
                     return static_cast<double>(links.running() - links.waiting());
                 });
    metrics_.ask("entente_peer_links", "Links to servers that are owed something, by state.",
                 "gauge", "state=\"waiting\"",
                 [this] { return static_cast<double>(federation_->links().waiting()); });
    metrics_.ask("entente_peers_behind", "Servers that are owed something.", "gauge", "",
                 [this] { return static_cast<double>(lag_meter_.figures().servers); });
    const auto owed = [this](const char* what, std::int64_t LagMeter::Figures::* which) {
        metrics_.ask("entente_owed", "What other servers haven't been sent yet.", "gauge",
                     std::string("what=\"") + what + "\"",
                     [this, which] { return static_cast<double>(lag_meter_.figures().*which); });
    };
    owed("entries", &LagMeter::Figures::entries);
    owed("submissions", &LagMeter::Figures::submissions);
    owed("direct", &LagMeter::Figures::direct);
    metrics_.ask("entente_owed_oldest_seconds", "Age of the oldest of that; 0: there is none.",
                 "gauge", "", [this] {
                     const auto oldest = lag_meter_.figures().oldest_at;
                     return oldest == 0 ? 0.0 : seconds_of(clock_.now_ms() - oldest);
                 });
    metrics_.ask("entente_last_called_seconds",
                 "When another server last proved itself here, in seconds since 1970; 0: not yet.",
                 "gauge", "", [this] { return seconds_of(federation_->links().last_called()); });
}

// Of the listeners that there are.
void Server::add_certificate_figures()
{
    for (const auto& [listener, certificate] : certificates_)
        metrics_.ask("entente_certificate_expiry_seconds",
                     "When a listener's certificate runs out, in seconds since 1970.", "gauge",
                     "listener=\"" + listener + "\"",
                     [certificate] { return seconds_of(certificate->not_after()); });
}

}  // namespace entente::daemon
