// channel move: asks another server to become a channel's home, in an owner's name.
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/verbs.hpp"

namespace entente::daemon::ctl {

namespace {

struct MoveOptions {
    std::string channel, home, owner;
};

int move(const Settings& settings, const MoveOptions& options)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto asked = daemon->post("/control/v1/channels/" + options.channel +
                                    "/move?home=" + options.home + "&as=" + options.owner);
    if (!asked) return failed(asked.error(), exit_code_of(asked.error()));
    if (settings.json) return show_json(*asked);
    std::cout << options.home << " is asked to become the home of " << options.channel
              << "; `channel show` says what comes of it\n";
    return exit_done;
}

}  // namespace

void add_move_verb(Verbs& verbs, CLI::App& channel)
{
    const auto options = std::make_shared<MoveOptions>();
    auto& verb =
        verbs.add(channel, "move", "Moves it to another home, which is asked first",
                  [options](const Settings& settings) { return move(settings, *options); });
    add_channel(verb, options->channel);
    verb.add_option("HOME", options->home, "The server that becomes its home; has members in it")
        ->required();
    verb.add_option("--as", options->owner,
                    "The owner in whose name it moves, a user of this server")
        ->required()
        ->type_name("USER");
}

}  // namespace entente::daemon::ctl
