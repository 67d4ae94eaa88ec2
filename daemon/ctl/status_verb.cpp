// status: the running daemon on one screen. What it counts of peers it asks page by page, as
// peer list does.
#include <iostream>

#include <nlohmann/json.hpp>

#include "daemon/ctl/asking.hpp"
#include "daemon/ctl/health.hpp"
#include "daemon/ctl/status.hpp"
#include "daemon/ctl/text.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

PeerSums sums_of(const json& peers)
{
    PeerSums sums;
    for (const auto& peer : peers) {
        const auto& owed = peer.at("owed");
        const auto& link = peer.at("link");
        ++sums.known;
        const auto entries = owed.value("entries", std::int64_t{0});
        const auto submissions = owed.value("submissions", std::int64_t{0});
        const auto direct = owed.value("direct", std::int64_t{0});
        if (entries + submissions + direct > 0) ++sums.behind;
        if (link.value("failures", 0) > 0) ++sums.failing;
        if (link.contains("problem") && link.at("problem").value("code", "") == "clock-skew")
            ++sums.skewed;
        sums.entries += entries;
        sums.submissions += submissions;
        sums.direct += direct;
        const auto oldest = owed.value("oldest_at", protocol::Millis{0});
        if (oldest == 0 || (sums.oldest_at > 0 && oldest >= sums.oldest_at)) continue;
        sums.oldest_at = oldest;
        sums.worst = peer.value("server", "");
        sums.worst_entries = entries;
    }
    return sums;
}

json json_of(const PeerSums& sums)
{
    json shown{
        {"known", sums.known},
        {"behind", sums.behind},
        {"failing", sums.failing},
        {"owed",
         {{"entries", sums.entries}, {"submissions", sums.submissions}, {"direct", sums.direct}}}};
    if (sums.oldest_at > 0) {
        shown["worst"] = {
            {"server", sums.worst}, {"entries", sums.worst_entries}, {"oldest_at", sums.oldest_at}};
    }
    return shown;
}

std::string peers_text(const PeerSums& sums, protocol::Millis now)
{
    auto text = std::to_string(sums.known) + " known, " + std::to_string(sums.behind) +
                " behind, " + std::to_string(sums.failing) + " failing";
    if (sums.oldest_at > 0)
        text += "; the worst is " + sums.worst + ": " + std::to_string(sums.worst_entries) +
                " entries, the oldest from " + duration(now - sums.oldest_at) + " ago";
    return text;
}

std::string storage_text(const json& storage)
{
    std::string text;
    const auto add = [&](const char* name, const char* shown) {
        if (!storage.contains(name)) return;
        text += (text.empty() ? "" : ", ") + std::string(shown) + " " +
                octets_text(storage.value(name, std::uintmax_t{0}));
    };
    add("database", "database");
    add("write_ahead_log", "write-ahead log");
    add("window", "replay window");
    add("free", "free on the disk");
    return text;
}

std::string clock_text(const std::optional<ClockState>& clock)
{
    if (!clock) return "unknown";
    return clock->is_synchronised ? "synchronised" : "set by nobody";
}

void print(const json& status, const PeerSums& sums)
{
    const auto now = status.value("now", protocol::Millis{0});
    const bool ready = status.value("ready", false);
    std::vector<Row> rows{
        {status.value("server", ""), ready ? "ready" : "NOT READY: " + status.value("why", "")}};
    rows.push_back({"version", status.value("version", "") + ", up " +
                                   duration(now - status.value("started", now))});
    rows.push_back({"peers", peers_text(sums, now)});
    const auto& writes = status.at("writes");
    rows.push_back({"queues", std::to_string(sums.entries) + " entries, " +
                                  std::to_string(sums.submissions) + " submissions, " +
                                  std::to_string(sums.direct) + " direct events to send"});
    rows.push_back(
        {"writes",
         std::to_string(writes.value("queued", 0)) + " wait, " +
             (writes.contains("microseconds")
                  ? "one takes " + std::to_string(writes.value("microseconds", 0) / 1000) + " ms"
                  : "they are refused")});
    if (status.contains("storage")) rows.push_back({"storage", storage_text(status.at("storage"))});
    for (const auto& certificate : status.at("certificates")) {
        const auto left = certificate.value("not_after", now) - now;
        rows.push_back({"certificate", certificate.value("listener", "") + ": " +
                                           (left > 0 ? duration(left) : "has run out")});
    }
    rows.push_back({"clock", clock_text(kernel_clock())});
    rows.push_back({"reached", status.contains("last_called")
                                   ? "by another server " +
                                         duration(now - status.value("last_called", now)) + " ago"
                                   : "by no other server since the start"});
    print_table(std::cout, rows);
}

int show_status(const Settings& settings)
{
    const auto asked = ask_daemon(settings, [](Daemon& daemon) { return whole_status(daemon); });
    if (!asked.answer) return asked.exit_code;
    auto status = asked.answer->status;
    const auto& peers = asked.answer->peers;
    const int exit_code = status.value("ready", false) ? exit_done : exit_failed;
    if (!settings.json) {
        print(status, peers);
        return exit_code;
    }
    status["peers"] = json_of(peers);
    if (const auto clock = kernel_clock()) {
        status["clock"] = {{"synchronised", clock->is_synchronised},
                           {"most_wrong_us", clock->most_wrong_us}};
    }
    show_json(status);
    return exit_code;
}

}  // namespace

Result<WholeStatus> whole_status(Daemon& daemon)
{
    auto status = daemon.get("/control/v1/status");
    if (!status) return fail(status);
    auto peers = daemon.get_all("/control/v1/peers", "peers", "server");
    if (!peers) return fail(peers);
    return WholeStatus{std::move(*status), sums_of(peers->at("peers"))};
}

void add_status_verb(Verbs& verbs)
{
    verbs.add("status", "The running ententd on one screen; 1 where it isn't ready", show_status);
}

}  // namespace entente::daemon::ctl
