#include "daemon/options.hpp"

#include <CLI/CLI.hpp>

namespace entente::daemon {

namespace {

constexpr const char* default_config = "/etc/ententd/ententd.toml";

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
        return tl::unexpected(app.exit(ended));
    }
}

}  // namespace

tl::expected<DaemonOptions, int> parse_daemon_options(int argc, const char* const* argv)
{
    DaemonOptions options;
    CLI::App app("ententd: a homeserver that federates", "ententd");
    app.footer(
        "SIGTERM stops it gracefully, SIGHUP makes it read its certificates and keys again.\n"
        "ENTENTE_<SECTION>_<KEY> in the environment goes before the file.");
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

tl::expected<ControlOptions, int> parse_control_options(int argc, const char* const* argv)
{
    ControlOptions options;
    CLI::App app("ententctl: sets a server up and keeps its keys", "ententctl");
    add_config(app, options.config);
    auto* const setup = app.add_subcommand(
        "setup", "Makes the signing key, the recovery key and the administrator, once");
    setup->add_option("--admin", options.admin, "The administrator's name")
        ->type_name("NAME")
        ->capture_default_str();
    setup
        ->add_option(
            "--secrets-file", options.secrets_file,
            "A new 0600 file for the password and the recovery secret, in place of the terminal")
        ->type_name("FILE");
    auto* const certificate = app.add_subcommand(
        "certificate", "Makes self-signed certificates for listeners that have none");
    certificate->add_option("--days", options.days, "How long they are valid")
        ->check(CLI::Range(1, 3650))
        ->capture_default_str();
    setup->fallthrough();
    certificate->fallthrough();
    add_identity_command(app, options.identity);
    app.require_subcommand(1);
    const auto parsed = parse(app, argc, argv);
    if (!parsed) return tl::unexpected(parsed.error());
    if (certificate->parsed()) options.action = ControlOptions::Action::certificate;
    if (options.identity.action != IdentityOptions::Action::none)
        options.action = ControlOptions::Action::identity;
    return options;
}

}  // namespace entente::daemon
