// trust show, set, unset, pardon, falls and list: which tier other servers are in and why, and
// the operator's word on it.
#include <filesystem>
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/asking.hpp"
#include "daemon/ctl/files.hpp"
#include "daemon/ctl/text.hpp"
#include "daemon/ctl/verbs.hpp"
#include "trust/server_list.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

struct SetOptions {
    std::string server, tier, comment;
};
struct ListOptions {
    std::string file, name;
    bool replace = false;
};

constexpr const char* trust_path = "/control/v1/trust/servers/";

std::string tier_fault(const std::string& text)
{
    return trust::tier_from(text)
               ? ""
               : text + " is none of blocked, quarantined, guest, known, trusted";
}

// What `reason` says, in words.
std::string reason_text(const std::string& reason)
{
    if (reason == "closed")
        return "this server federates with nobody (trust.mode is closed, or federation.enabled "
               "false)";
    if (reason == "key-conflict") return "its document contradicts the pinned keys";
    if (reason == "administrator") return "set here";
    if (reason == "configuration") return "by trust.peers in the configuration";
    if (reason == "peering") return "by a peering";
    if (reason == "list") return "by a list that was imported";
    if (reason == "fallen") return "it has fallen";
    if (reason == "earned") return "earned";
    return "as at first contact";
}

void print_verdict(const json& told)
{
    std::cout << told.value("server", "") << " is " << told.value("tier", "") << ": "
              << reason_text(told.value("reason", ""))
              << (told.contains("above") ? ", for " + told.value("above", "") : "") << "\n";
}

// Asks with POST, and says what the server is now.
int post_verdict(const Settings& settings, const std::string& target)
{
    const auto asked = ask_daemon(settings, [&](Daemon& daemon) { return daemon.post(target); });
    if (!asked.answer) return asked.exit_code;
    if (settings.json) return show_json(*asked.answer);
    print_verdict(*asked.answer);
    return exit_done;
}

int show_trust(const Settings& settings, const std::string& server)
{
    const auto asked =
        ask_daemon(settings, [&](Daemon& daemon) { return daemon.get(trust_path + server); });
    const auto& told = asked.answer;
    if (!told) return asked.exit_code;
    if (settings.json) return show_json(*told);
    print_verdict(*told);
    std::vector<Row> rows{{"mode", told->value("mode", "")}};
    const auto add_entry = [&rows](const std::string& what, const json& entry) {
        const auto comment = harmless(entry.value("comment", ""));
        rows.push_back({what, entry.value("tier", "") + " since " +
                                  time_text(entry.value("at", std::int64_t{0})) +
                                  (comment.empty() ? "" : ": " + comment)});
    };
    if (told->contains("administrator")) add_entry("administrator", told->at("administrator"));
    for (const auto& listed : told->value("lists", json::array()))
        add_entry("list " + listed.value("list", ""), listed);
    if (told->contains("peering")) {
        const auto& peering = told->at("peering");
        const bool ours = peering.value("ours", false), theirs = peering.value("theirs", false);
        rows.push_back({"peering", ours && theirs ? "agreed"
                                   : ours         ? "proposed by us"
                                                  : "proposed by them"});
    }
    if (told->contains("configuration"))
        rows.push_back({"configuration", told->at("configuration").value("tier", "")});
    const auto& standing = told->at("standing");
    rows.push_back(
        {"accepted events", std::to_string(standing.value("accepted", std::int64_t{0}))});
    if (standing.contains("first_contact"))
        rows.push_back({"the first", time_text(standing.value("first_contact", std::int64_t{0}))});
    rows.push_back({"falls", std::to_string(standing.value("falls", std::int64_t{0}))});
    if (standing.contains("fallen_until"))
        rows.push_back(
            {"the last until", time_text(standing.value("fallen_until", std::int64_t{0}))});
    if (standing.contains("last_upheld"))
        rows.push_back(
            {"report upheld", time_text(standing.value("last_upheld", std::int64_t{0}))});
    print_table(std::cout, rows);
    return exit_done;
}

int show_falls(const Settings& settings, const std::string& server)
{
    // The newest 100: each may come with 64 KiB of evidence.
    const auto asked = ask_daemon(settings, [&](Daemon& daemon) {
        return daemon.get("/control/v1/trust/falls" + (server.empty() ? "" : "?server=" + server));
    });
    const auto& told = asked.answer;
    if (!told) return asked.exit_code;
    if (settings.json) return show_json(*told);
    std::vector<Row> rows{{"SERVER", "OFFENCE", "AT", "UNTIL"}};
    for (const auto& fall : told->at("falls"))
        rows.push_back({fall.value("server", ""), fall.value("offence", ""),
                        time_text(fall.value("at", std::int64_t{0})),
                        time_text(fall.value("until", std::int64_t{0}))});
    print_table(std::cout, rows);
    return exit_done;
}

int import_list(const Settings& settings, const ListOptions& options)
{
    const auto name =
        options.name.empty() ? std::filesystem::path(options.file).stem().string() : options.name;
    if (!trust::is_list_name(name))
        return failed(Error{
            Code::malformed, "name the list with --name: 1 to 64 of A-Z a-z 0-9 . _ -", {}, 0});
    auto text = read_file(options.file, trust::max_list_octets);
    if (!text) return failed(text.error());
    if (text->size() > trust::max_list_octets)
        return failed(Error{Code::too_large, options.file + " is over 8 MiB", {}, 0});
    const auto target =
        "/control/v1/trust/list?name=" + name + "&replace=" + (options.replace ? "true" : "false");
    const auto asked = ask_daemon(
        settings, [&](Daemon& daemon) { return daemon.post_text(target, std::move(*text)); });
    const auto& told = asked.answer;
    if (!told) return asked.exit_code;
    if (settings.json) return show_json(*told);
    const auto number = [&](const char* name) {
        return std::to_string(told->value(name, std::int64_t{0}));
    };
    std::cout << name << ": " << number("imported") << " servers, " << number("dropped")
              << " dropped, " << number("ignored") << " lines that say nothing, "
              << number("bad_lines") << " bad lines\n";
    for (const auto& bad : told->at("bad"))
        std::cout << options.file << ":" << bad.value("line", std::int64_t{0}) << ": "
                  << bad.value("why", "") << "\n";
    return exit_done;
}

int export_list(const Settings& settings, const std::string& file)
{
    const auto asked = ask_daemon(
        settings, [](Daemon& daemon) { return daemon.get_text("/control/v1/trust/list"); });
    if (!asked.answer) return asked.exit_code;
    auto written = write_new_file(file, *asked.answer);
    if (!written) return failed(written.error());
    if (settings.json) return show_json({{"file", file}});
    return exit_done;
}

void add_list_verbs(Verbs& verbs, CLI::App& trust)
{
    auto& list =
        verbs.group(trust, "list", "Lists of servers as CSV, as ActivityPub servers share them");
    const auto options = std::make_shared<ListOptions>();
    auto& import =
        verbs.add(list, "import", "Takes a list's entries: silence quarantines, suspend blocks",
                  [options](const Settings& settings) { return import_list(settings, *options); });
    import.add_option("FILE", options->file, "The CSV")->required();
    import
        .add_option("--name", options->name,
                    "The list's name; else the file's, without folder and extension")
        ->type_name("LIST");
    import.add_flag("--replace", options->replace,
                    "Entries of that list that the file doesn't name go");
    const auto file = std::make_shared<std::string>();
    verbs
        .add(list, "export", "Writes whom this server blocks or quarantines by anybody's word",
             [file](const Settings& settings) { return export_list(settings, *file); })
        .add_option("FILE", *file, "A new 0600 file")
        ->required();
}

}  // namespace

void add_trust_verbs(Verbs& verbs)
{
    auto& trust = verbs.group("trust", "How far other servers are trusted, and why");
    const auto with_server = [&](const char* name, const char* help, auto run) {
        const auto server = std::make_shared<std::string>();
        add_server(
            verbs.add(trust, name, help,
                      [server, run](const Settings& settings) { return run(settings, *server); }),
            *server);
    };
    with_server("show", "Its tier, why, and its standing", show_trust);
    const auto options = std::make_shared<SetOptions>();
    auto& set = verbs.add(
        trust, "set", "Puts it into a tier, whatever it does", [options](const Settings& settings) {
            return post_verdict(settings, trust_path + options->server +
                                              "/set?tier=" + options->tier +
                                              "&comment=" + query_text(options->comment));
        });
    add_server(set, options->server);
    set.add_option("TIER", options->tier, "blocked, quarantined, guest, known or trusted")
        ->required()
        ->check(tier_fault);
    set.add_option("--comment", options->comment, "Why, up to 512 octets")->type_name("TEXT");
    with_server("unset", "Takes back what was set",
                [](const Settings& settings, const std::string& server) {
                    return post_verdict(settings, trust_path + server + "/unset");
                });
    with_server("pardon", "Takes back its falls",
                [](const Settings& settings, const std::string& server) {
                    return post_verdict(settings, trust_path + server + "/pardon");
                });
    const auto of = std::make_shared<std::string>();
    verbs
        .add(trust, "falls", "The newest 100 falls; with --json the evidence of each",
             [of](const Settings& settings) { return show_falls(settings, *of); })
        .add_option("SERVER", *of, "Only its own")
        ->check([](const std::string& text) {
            return protocol::parse_server_name(text, {true}) ? "" : text + " is no server's name";
        });
    add_list_verbs(verbs, trust);
    add_decision_verbs(verbs, trust);
}

}  // namespace entente::daemon::ctl
