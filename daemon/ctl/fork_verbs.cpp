// channel evidence, thaw and go-on: what stands still, and the operator's word on it.
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/text.hpp"
#include "daemon/ctl/verbs.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

std::string what_it_shows(const std::string& kind)
{
    return kind == "fork" ? "two histories that the home has signed"
                          : "an event of a user of ours that this server did not seal";
}

int evidence(const Settings& settings, const std::string& channel)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto found = daemon->get("/control/v1/channels/" + channel + "/evidence");
    if (!found) return failed(found.error(), exit_code_of(found.error()));
    if (settings.json) return show_json(*found);
    if (found->at("evidence").empty()) {
        std::cout << "nothing is kept of " << channel << "\n";
        return exit_done;
    }
    std::vector<Row> rows{{"FOUND", "HOME", "ENTRY", "WHAT"}};
    for (const auto& one : found->at("evidence"))
        rows.push_back({time_text(one.value("at", std::int64_t{0})), one.value("home", ""),
                        std::to_string(one.value("seq", std::int64_t{0})),
                        what_it_shows(one.value("kind", ""))});
    print_table(std::cout, rows);
    std::cout << "--json has both histories with what proves them\n";
    return exit_done;
}

// `verb` as the route names it; `done` is said where it was.
int say(const Settings& settings, const std::string& channel, const char* verb, const char* done)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto said = daemon->post("/control/v1/channels/" + channel + "/" + verb);
    if (!said) return failed(said.error(), exit_code_of(said.error()));
    if (settings.json) return show_json(*said);
    std::cout << channel << " " << done << "\n";
    return exit_done;
}

}  // namespace

void add_fork_verbs(Verbs& verbs, CLI::App& channel)
{
    const auto shown = std::make_shared<std::string>();
    add_channel(verbs.add(channel, "evidence", "What was kept when it was frozen",
                          [shown](const Settings& settings) { return evidence(settings, *shown); }),
                *shown);
    const auto thawed = std::make_shared<std::string>();
    add_channel(verbs.add(channel, "thaw", "Ends its freeze: it goes on behind what is held here",
                          [thawed](const Settings& settings) {
                              return say(settings, *thawed, "thaw",
                                         "goes on behind what is held here");
                          }),
                *thawed);
    const auto freed = std::make_shared<std::string>();
    add_channel(
        verbs.add(channel, "go-on", "Waits no longer for followers after older data was put back",
                  [freed](const Settings& settings) {
                      return say(settings, *freed, "go-on",
                                 "goes on without waiting for followers");
                  }),
        *freed);
}

}  // namespace entente::daemon::ctl
