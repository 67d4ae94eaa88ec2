// peer list, show and wake: other servers as the running daemon sees them. peer verify is in
// verify_verb.cpp, what is said on key conflicts in key_conflict_verbs.cpp.
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/text.hpp"
#include "daemon/ctl/verbs.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

std::string link_text(const json& peer, std::int64_t now)
{
    const auto& link = peer.at("link");
    const auto state = link.value("state", "");
    if (!link.contains("next_try")) return state;
    return "tries again in " + duration(link.value("next_try", now) - now);
}

std::string ago(const json& object, const char* name, std::int64_t now)
{
    return object.contains(name) ? duration(now - object.value(name, now)) + " ago" : "-";
}

std::string owed_text(const json& owed)
{
    std::string text;
    const auto add = [&](const char* name, const char* one, const char* more) {
        const auto count = owed.value(name, std::int64_t{0});
        if (count <= 0) return;
        text +=
            (text.empty() ? "" : ", ") + std::to_string(count) + " " + (count == 1 ? one : more);
    };
    add("entries", "entry", "entries");
    add("submissions", "submission", "submissions");
    add("direct", "direct", "direct");
    return text.empty() ? "nothing" : text;
}

std::string notes_of(const json& peer)
{
    std::string text;
    if (peer.value("key_conflict", false)) text = "key conflict";
    if (const auto& link = peer.at("link"); link.contains("problem"))
        text += (text.empty() ? "" : "; ") + harmless(link.at("problem").value("code", ""));
    return text;
}

int list_peers(const Settings& settings)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto found = daemon->get_all("/control/v1/peers", "peers", "server");
    if (!found) return failed(found.error(), exit_code_of(found.error()));
    if (settings.json) return show_json(*found);
    const auto now = found->value("now", std::int64_t{0});
    std::vector<Row> rows{{"SERVER", "TIER", "LINK", "OWED", "OLDEST", "HEARD", "NOTE"}};
    for (const auto& peer : found->at("peers")) {
        const auto& owed = peer.at("owed");
        rows.push_back({peer.value("server", ""), peer.value("tier", ""), link_text(peer, now),
                        owed_text(owed), ago(owed, "oldest_at", now), ago(peer, "last_heard", now),
                        notes_of(peer)});
    }
    print_table(std::cout, rows);
    return exit_done;
}

void print_peer(const json& peer)
{
    const auto now = peer.value("now", std::int64_t{0});
    const auto& owed = peer.at("owed");
    std::vector<Row> rows{{peer.value("server", ""), ""}};
    rows.push_back({"tier", peer.value("tier", "")});
    rows.push_back({"link", link_text(peer, now)});
    if (const auto& link = peer.at("link"); link.contains("problem")) {
        const auto& problem = link.at("problem");
        rows.push_back({"last problem",
                        harmless(problem.value("code", "") + ": " + problem.value("detail", ""))});
        rows.push_back({"failures", std::to_string(link.value("failures", 0)) + " in a row"});
    }
    rows.push_back(
        {"owed", owed_text(owed) + (owed.contains("oldest_at")
                                        ? ", the oldest from " + ago(owed, "oldest_at", now)
                                        : "")});
    rows.push_back({"heard", ago(peer, "last_heard", now)});
    if (!peer.value("pinned", false)) {
        rows.push_back({"keys", "none is pinned"});
        print_table(std::cout, rows);
        return;
    }
    rows.push_back({"api", harmless(peer.value("api", ""))});
    rows.push_back({"pinned", time_text(peer.value("pinned_at", std::int64_t{0}))});
    rows.push_back({"recovery key", peer.value("recovery", "")});
    if (peer.value("key_conflict", false))
        rows.push_back({"KEY CONFLICT", "its server document contradicts the pinned keys"});
    for (const auto& key : peer.at("keys"))
        rows.push_back({"key", key.value("kid", "") + " " + key.value("status", "")});
    for (const auto& key : peer.value("refused", json::array()))
        rows.push_back({"refused", key.get<std::string>()});
    print_table(std::cout, rows);
}

void print_channels(const json& channels)
{
    std::vector<Row> rows{{"CHANNEL", "HOME", "HERE", "THERE", "NOTE"}};
    for (const auto& channel : channels.at("channels")) {
        std::string note = channel.value("frozen", false) ? "frozen" : "";
        if (channel.contains("stalled"))
            note += (note.empty() ? "" : "; ") + std::string("stands still: ") +
                    channel.at("stalled").value("problem", "");
        const bool has_cursor = channel.contains("cursor");
        rows.push_back(
            {channel.value("channel", ""), channel.value("home", ""),
             std::to_string(channel.value("seq", std::int64_t{0})),
             has_cursor ? std::to_string(channel.at("cursor").value("seq", std::int64_t{0})) : "-",
             note});
    }
    if (rows.size() == 1) return;
    std::cout << "\n";
    print_table(std::cout, rows);
}

int show_peer(const Settings& settings, const std::string& server)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    auto peer = daemon->get("/control/v1/peers/" + server);
    if (!peer) return failed(peer.error(), exit_code_of(peer.error()));
    const auto channels =
        daemon->get_all("/control/v1/peers/" + server + "/channels", "channels", "channel");
    if (!channels) return failed(channels.error(), exit_code_of(channels.error()));
    if (settings.json) {
        (*peer)["channels"] = channels->at("channels");
        return show_json(*peer);
    }
    print_peer(*peer);
    print_channels(*channels);
    return exit_done;
}

int wake(const Settings& settings, const std::string& server)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto woken = daemon->post("/control/v1/peers/" + server + "/wake");
    if (!woken) return failed(woken.error(), exit_code_of(woken.error()));
    if (settings.json) return show_json(*woken);
    std::cout << server << " is tried now; it is owed " << owed_text(woken->at("owed")) << "\n";
    return exit_done;
}

int settle_peering(const Settings& settings, const std::string& server, const std::string& wish)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto told = daemon->post("/control/v1/peers/" + server + "/peering/" + wish);
    if (!told) return failed(told.error(), exit_code_of(told.error()));
    if (settings.json) return show_json(*told);
    if (told->value("mutual", false)) {
        std::cout << server << " is trusted: both want the peering\n";
    } else if (told->value("ours", false)) {
        std::cout << "proposed; it counts once the administrator of " << server << " accepts\n";
    } else {
        std::cout << "there is no peering with " << server << " any more\n";
    }
    return exit_done;
}

void add_peering_verbs(Verbs& verbs, CLI::App& peer)
{
    const auto add = [&](const std::string& wish, const std::string& help) {
        const auto server = std::make_shared<std::string>();
        add_server(verbs.add(peer, wish, help,
                             [server, wish](const Settings& settings) {
                                 return settle_peering(settings, *server, wish);
                             }),
                   *server);
    };
    add("propose", "Proposes that both servers trust each other");
    add("accept", "Accepts what the other administrator has proposed");
    add("end", "Ends a peering, or a proposal");
}

}  // namespace

void add_peer_verbs(Verbs& verbs)
{
    auto& peer = verbs.group("peer", "Other servers, as the running ententd sees them");
    verbs.add(peer, "list", "What each is owed, how its link stands, when it was last heard",
              list_peers);

    const auto shown = std::make_shared<std::string>();
    add_server(verbs.add(peer, "show", "Its keys, its link and the channels shared with it",
                         [shown](const Settings& settings) { return show_peer(settings, *shown); }),
               *shown);
    const auto woken = std::make_shared<std::string>();
    add_server(verbs.add(peer, "wake", "Tries it at once, whatever was waited for",
                         [woken](const Settings& settings) { return wake(settings, *woken); }),
               *woken);
    add_peering_verbs(verbs, peer);
    add_key_conflict_verbs(verbs, peer);
    add_verify_verb(verbs, peer);
}

}  // namespace entente::daemon::ctl
