#include "daemon/ctl/verbs.hpp"

#include <iostream>

#include <CLI/CLI.hpp>

#include "daemon/options.hpp"

namespace entente::daemon::ctl {

namespace {

void add_all(Verbs& verbs)
{
    add_setup_verbs(verbs);
}

}  // namespace

Verbs::Verbs(CLI::App& app, Settings& settings) : app_(app)
{
    settings.config = default_config;
    app.add_option("--config", settings.config, "The configuration file")
        ->type_name("FILE")
        ->capture_default_str();
    app.require_subcommand(1);
}

CLI::App& Verbs::group(const std::string& name, const std::string& help)
{
    auto* const made = app_.add_subcommand(name, help);
    made->fallthrough();
    made->require_subcommand(1);
    return *made;
}

CLI::App& Verbs::add(const std::string& name, const std::string& help, RunVerb run)
{
    return add(app_, name, help, std::move(run));
}

CLI::App& Verbs::add(CLI::App& group, const std::string& name, const std::string& help, RunVerb run)
{
    auto* const made = group.add_subcommand(name, help);
    made->fallthrough();
    const auto prefix = &group == &app_ ? std::string() : group.get_name() + " ";
    verbs_.push_back({made, prefix + name, std::move(run)});
    return *made;
}

tl::expected<Chosen, int> parse(int argc, const char* const* argv)
{
    CLI::App app("ententctl: sets a server up", "ententctl");
    app.set_version_flag("--version", "entente " ENTENTE_VERSION);
    Settings settings;
    Verbs verbs(app, settings);
    add_all(verbs);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& ended) {
        return tl::unexpected(app.exit(ended) == 0 ? exit_done : exit_usage);
    }
    for (const auto& verb : verbs.list()) {
        if (verb.app->parsed()) return Chosen{verb.name, settings, verb.run};
    }
    return tl::unexpected(exit_usage);
}

std::optional<Config> configuration(const Settings& settings)
{
    auto config = load_config(settings.config, process_environment());
    if (config) return std::move(*config);
    for (const auto& problem : config.error()) std::cerr << "ententctl: " << problem.str() << "\n";
    return std::nullopt;
}

int failed(const Error& error, int exit_code)
{
    std::cerr << "ententctl: " << error.detail << "\n";
    return exit_code;
}

}  // namespace entente::daemon::ctl
