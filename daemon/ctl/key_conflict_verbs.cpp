// peer accept-keys and keep-keys: the operator's word on a server that shows other keys than
// those that are pinned.
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/verbs.hpp"

namespace entente::daemon::ctl {

namespace {

struct AcceptOptions {
    std::string server, recovery;
};

// `done` is said where there was something to settle.
int settle(const Settings& settings, const std::string& server, const std::string& verb,
           const char* done)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto said = daemon->post("/control/v1/peers/" + server + "/" + verb);
    if (!said) return failed(said.error(), exit_code_of(said.error()));
    if (settings.json) return show_json(*said);
    const bool agrees = said->value("result", "") == "agrees";
    std::cout << (agrees ? "the document of " + server + " agrees with the keys that are pinned"
                         : server + done)
              << "\n";
    return exit_done;
}

int accept(const Settings& settings, const AcceptOptions& options)
{
    auto verb = std::string("accept-keys");
    if (!options.recovery.empty()) verb += "?recovery=" + options.recovery;
    return settle(settings, options.server, verb,
                  " is known by the keys that it shows; others of before sign nothing any more");
}

}  // namespace

void add_key_conflict_verbs(Verbs& verbs, CLI::App& peer)
{
    const auto options = std::make_shared<AcceptOptions>();
    auto& verb = verbs.add(
        peer, "accept-keys", "Ends its key conflict: pins what it shows, in place of what was",
        [options](const Settings& settings) { return accept(settings, *options); });
    add_server(verb, options->server);
    verb.add_option("--recovery", options->recovery,
                    "Its recovery key's id, as its administrator says; without it nothing is "
                    "accepted, and what it shows is told")
        ->type_name("KID");
    const auto kept = std::make_shared<std::string>();
    add_server(verbs.add(peer, "keep-keys",
                         "Ends its key conflict: keeps to the pinned keys, the others aren't its",
                         [kept](const Settings& settings) {
                             return settle(settings, *kept, "keep-keys",
                                           " is known by the keys that are pinned, and no others");
                         }),
               *kept);
}

}  // namespace entente::daemon::ctl
