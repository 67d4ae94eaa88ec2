// peer verify: the daemon compares one channel after the other; this shows what it finds.
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/text.hpp"
#include "daemon/ctl/verbs.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

struct VerifyOptions {
    std::string server;
    std::string channel;  // empty: all
    bool all = false;
};

// Of one channel: a log of ten million entries, each of the peer's fetched.
constexpr std::chrono::milliseconds verify_time{4 * 3'600'000};

std::string entry_text(const json& entry)
{
    return "hash " + harmless(entry.value("hash", "")) + ", event " +
           harmless(entry.value("event", ""));
}

std::string range_text(const json& compared)
{
    const auto after = compared.value("after", std::int64_t{0});
    const auto through = compared.value("through", std::int64_t{0});
    if (through <= after) return "no entry";
    return "entries " + std::to_string(after + 1) + " to " + std::to_string(through);
}

void print_damage(const json& compared)
{
    if (!compared.contains("damage")) return;
    const auto& damage = compared.at("damage");
    const auto first = damage.value("first", std::int64_t{0});
    const auto last = damage.value("last", std::int64_t{0});
    std::cout << "    this server's own copy is damaged at "
              << (first == last ? "entry " + std::to_string(first)
                                : "one of the entries " + std::to_string(first) + " to " +
                                      std::to_string(last))
              << ": " << damage.value("what", "") << "\n";
}

void print_difference(const json& compared, const std::string& server)
{
    const auto& difference = compared.at("difference");
    std::cout << "    first difference: entry " << difference.value("seq", std::int64_t{0}) << "\n"
              << "    here:  " << entry_text(difference.at("here")) << "\n";
    if (!difference.contains("there")) {
        std::cout << "    " << server << " doesn't show the entry\n";
        return;
    }
    const bool is_signed = difference.value("signed", false);
    std::cout << "    there: " << entry_text(difference.at("there")) << "\n"
              << (is_signed ? "    there it stands under a checkpoint signed by " +
                                  compared.value("home", "") + "\n"
                            : "    there no checkpoint of " + compared.value("home", "") +
                                  " proves it\n");
}

void print_compared(const json& compared, const std::string& server)
{
    const auto result = compared.value("result", "");
    const auto channel = compared.value("channel", "");
    const auto here = compared.value("here", std::int64_t{0});
    const auto there = compared.value("there", std::int64_t{0});
    std::cout << result << "  " << channel;
    if (result == "same") {
        std::cout << "  " << range_text(compared);
        if (here != there) std::cout << "; here up to " << here << ", there up to " << there;
        const auto home = compared.value("home", "");
        if (home != server && home != compared.value("self", ""))
            std::cout << "; both follow " << home;
    }
    if (compared.contains("why")) std::cout << "  " << harmless(compared.value("why", ""));
    std::cout << "\n";
    if (compared.contains("difference")) print_difference(compared, server);
    print_damage(compared);
    std::cout << std::flush;
}

Result<std::vector<std::string>> channels_to_compare(Daemon& daemon, const VerifyOptions& options)
{
    std::vector<std::string> names;
    if (!options.channel.empty()) {
        names.push_back(options.channel);
        return names;
    }
    const auto found =
        daemon.get_all("/control/v1/peers/" + options.server + "/channels", "channels", "channel");
    if (!found) return fail(found);
    for (const auto& channel : found->at("channels")) names.push_back(channel.value("channel", ""));
    return names;
}

// The worst of them.
struct Tally {
    std::int64_t same = 0;
    std::int64_t different = 0;
    std::int64_t open = 0;

    void take(const std::string& result)
    {
        if (result == "same") {
            ++same;
        } else if (result == "incomparable") {
            ++open;
        } else {
            ++different;
        }
    }
    [[nodiscard]] std::string text() const
    {
        if (different > 0) return "differs";
        return open > 0 ? "incomparable" : "same";
    }
    [[nodiscard]] int exit_code() const
    {
        if (different > 0) return exit_failed;
        return open > 0 ? exit_unasked : exit_done;
    }
};

int verify(const Settings& settings, const VerifyOptions& options)
{
    const auto config = configuration(settings);
    if (!config) return exit_unasked;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_unasked);
    const auto names = channels_to_compare(*daemon, options);
    if (!names) return failed(names.error(), exit_unasked);
    Tally tally;
    json all{{"server", options.server}, {"channels", json::array()}};
    for (const auto& name : *names) {
        auto compared = daemon->post("/control/v1/peers/" + options.server + "/channels/" + name +
                                         "/verify?all=" + (options.all ? "true" : "false"),
                                     verify_time);
        if (!compared) return failed(compared.error(), exit_unasked);
        (*compared)["self"] = config->server.name.str();
        tally.take(compared->value("result", ""));
        if (!settings.json) print_compared(*compared, options.server);
        all["channels"].push_back(std::move(*compared));
    }
    if (settings.json) {
        all["result"] = tally.text();
        show_json(all);
    } else if (names->empty()) {
        std::cout << "no channel is shared with " << options.server << "\n";
    } else {
        std::cout << tally.same << " the same, " << tally.different << " different, " << tally.open
                  << " not compared\n";
    }
    return tally.exit_code();
}

}  // namespace

void add_verify_verb(Verbs& verbs, CLI::App& peer)
{
    const auto options = std::make_shared<VerifyOptions>();
    auto& made = verbs.add(
        peer, "verify",
        "Compares the logs of all shared channels with it, and names the first entry that differs",
        [options](const Settings& settings) { return verify(settings, *options); });
    add_server(made, options->server);
    add_channel_option(made, options->channel);
    made.add_flag("--all", options->all,
                  "Has every entry of the other's copy sent, and computes it anew as well");
    made.footer("Exit code: 0 the same, 1 different or damaged, 2 usage, 3 not all compared.");
}

}  // namespace entente::daemon::ctl
