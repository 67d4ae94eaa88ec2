// channel list, show and prove.
#include <charconv>
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/files.hpp"
#include "daemon/ctl/text.hpp"
#include "daemon/ctl/verbs.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

struct ProveOptions {
    std::string channel;
    std::int64_t seq = 0;
    bool with_content = false;
    std::string out;  // empty: standard output
};

std::string state_text(const json& channel)
{
    if (channel.value("frozen", false)) return "frozen";
    if (channel.contains("stalled"))
        return "stands still: " + channel.at("stalled").value("problem", "");
    return "";
}

std::string move_text(const json& move)
{
    const auto to = "to " + move.value("home", "") + " in the name of " + move.value("as", "");
    if (move.contains("problem")) return to + ": refused, " + move.value("problem", "");
    if (move.contains("seq"))
        return to + ": done by entry " + std::to_string(move.value("seq", std::int64_t{0}));
    return to + ": it is asked";
}

int list_channels(const Settings& settings)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto found = daemon->get_all("/control/v1/channels", "channels", "channel");
    if (!found) return failed(found.error(), exit_code_of(found.error()));
    if (settings.json) return show_json(*found);
    std::vector<Row> rows{{"CHANNEL", "HOME", "KIND", "ENTRIES", "NAME", "NOTE"}};
    for (const auto& channel : found->at("channels")) {
        rows.push_back({channel.value("channel", ""), channel.value("home", ""),
                        channel.value("kind", ""),
                        std::to_string(channel.value("seq", std::int64_t{0})),
                        harmless(channel.value("name", "")), state_text(channel)});
    }
    print_table(std::cout, rows);
    return exit_done;
}

int show_channel(const Settings& settings, const std::string& name)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto channel = daemon->get("/control/v1/channels/" + name);
    if (!channel) return failed(channel.error(), exit_code_of(channel.error()));
    if (settings.json) return show_json(*channel);
    const auto number = [&](const char* member) {
        return std::to_string(channel->value(member, std::int64_t{0}));
    };
    std::vector<Row> rows{{channel->value("channel", ""), ""},
                          {"name", harmless(channel->value("name", ""))},
                          {"kind", channel->value("kind", "")},
                          {"home", channel->value("home", "")},
                          {"epoch", number("epoch")},
                          {"newest entry", number("seq")},
                          {"its time", time_text(channel->value("at", std::int64_t{0}))},
                          {"its hash", channel->value("hash", "")},
                          {"held from", "behind entry " + number("floor")},
                          {"members", number("members")}};
    if (const auto state = state_text(*channel); !state.empty()) rows.push_back({"state", state});
    if (channel->contains("move")) rows.push_back({"move", move_text(channel->at("move"))});
    for (const auto& follower : channel->at("followers"))
        rows.push_back({"follower", follower.value("server", "") + " has up to " +
                                        std::to_string(follower.value("seq", std::int64_t{0}))});
    print_table(std::cout, rows);
    return exit_done;
}

int prove(const Settings& settings, const ProveOptions& options)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto proof = daemon->get_text(
        "/control/v1/channels/" + options.channel + "/entries/" + std::to_string(options.seq) +
        "/proof?content=" + (options.with_content ? "true" : "false"));
    if (!proof) return failed(proof.error(), exit_code_of(proof.error()));
    if (options.out.empty()) {
        std::cout << *proof << "\n";
        return exit_done;
    }
    if (auto written = write_new_file(options.out, *proof); !written)
        return failed(written.error());
    if (settings.json)
        return show_json(
            {{"channel", options.channel}, {"seq", options.seq}, {"file", options.out}});
    std::cerr << "the proof of entry " << options.seq << " is in " << options.out
              << "; ententctl verify-proof reads it\n";
    return exit_done;
}

// CLI11's own check would name its bounds in 300 digits.
std::string sequence_fault(const std::string& text)
{
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    const bool is_one = read.ec == std::errc{} && read.ptr == end && number > 0;
    return is_one ? "" : text + " is no entry's number: a number from 1";
}

}  // namespace

void add_channel_verbs(Verbs& verbs)
{
    auto& channel = verbs.group("channel", "Channels that the running ententd holds");
    verbs.add(channel, "list", "All of them", list_channels);

    const auto shown = std::make_shared<std::string>();
    add_channel(
        verbs.add(channel, "show", "One of them, and how far its followers have it",
                  [shown](const Settings& settings) { return show_channel(settings, *shown); }),
        *shown);

    const auto options = std::make_shared<ProveOptions>();
    auto& proving =
        verbs.add(channel, "prove", "Proves one entry to whoever knows the servers' keys",
                  [options](const Settings& settings) { return prove(settings, *options); });
    add_channel(proving, options->channel);
    proving.add_option("SEQ", options->seq, "The entry's number")
        ->required()
        ->check(sequence_fault);
    proving.add_option("--out", options->out, "A new 0600 file, in place of standard output")
        ->type_name("FILE");
    proving.add_flag("--with-content", options->with_content,
                     "With what was written, and not only its hash");
    add_fork_verbs(verbs, channel);
    add_move_verb(verbs, channel);
}

}  // namespace entente::daemon::ctl
