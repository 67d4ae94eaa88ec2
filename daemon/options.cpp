#include "daemon/options.hpp"

#include <CLI/CLI.hpp>

namespace entente::daemon {

namespace {

void add_config(CLI::App& app, std::string& config)
{
    config = default_config;
    app.add_option("--config", config, "The configuration file")
        ->type_name("FILE")
        ->capture_default_str();
}

// Where parsing ends the program, with which code.
tl::expected<void, int> parse(CLI::App& app, int argc, const char* const* argv)
{
    app.set_version_flag("--version", "entente " ENTENTE_VERSION);
    try {
        app.parse(argc, argv);
        return {};
    } catch (const CLI::ParseError& ended) {
        // The library has a code of its own for each kind of fault.
        return tl::unexpected(app.exit(ended) == 0 ? 0 : exit_bad_usage);
    }
}

}  // namespace

tl::expected<DaemonOptions, int> parse_daemon_options(int argc, const char* const* argv)
{
    DaemonOptions options;
    CLI::App app("ententd: a homeserver that federates", "ententd");
    app.footer(
        "SIGTERM stops it gracefully, SIGHUP makes it read its certificates and keys again.\n"
        "ENTENTE_<SECTION>_<KEY> in the environment goes before the file.\n"
        "Exit code: 0 stopped, or nothing is wrong; 1 check has found faults; 64 usage; 70 it "
        "could not\nbegin or its disk has failed; 78 the configuration or the installation is at "
        "fault.");
    add_config(app, options.config);
    auto* const check =
        app.add_subcommand("check", "Says what is wrong with a configuration, and the remedy");
    check->fallthrough();
    app.require_subcommand(0, 1);
    const auto parsed = parse(app, argc, argv);
    if (!parsed) return tl::unexpected(parsed.error());
    if (check->parsed()) options.action = DaemonOptions::Action::check;
    return options;
}

}  // namespace entente::daemon
