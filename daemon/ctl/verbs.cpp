#include "daemon/ctl/verbs.hpp"

#include <iostream>
#include <memory>
#include <set>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/options.hpp"
#include "daemon/suggestion.hpp"

namespace entente::daemon::ctl {

namespace {

// Which names there may be is the daemon's business.
constexpr protocol::NameRules any_name{true};

// What is wrong with a name, "" where nothing is.
std::string server_fault(const std::string& text)
{
    return protocol::parse_server_name(text, any_name) ? "" : text + " is no server's name";
}

std::string channel_fault(const std::string& text)
{
    return protocol::parse_channel_id(text, any_name) ? "" : text + " is no channel's id";
}

// Of each verb's help, too, what may stand before or behind any verb.
class VerbFormatter final : public CLI::Formatter {
 public:
    std::string make_footer(const CLI::App* app) const override
    {
        const bool is_verb = app->get_parent() != nullptr;
        return (is_verb ? std::string(common_options) : std::string()) +
               CLI::Formatter::make_footer(app);
    }

 private:
    static constexpr const char* common_options =
        "Before or behind every verb:\n"
        "  --config FILE               The configuration file\n"
        "  --json                      For programs: one JSON document\n";
};

// The group whose verb is missing, and what stands in its place; CLI11 says neither.
struct Missing {
    const CLI::App* group;
    std::string word;  // empty: nothing
};

Missing missing_verb(const CLI::App& app)
{
    const auto* group = &app;
    while (!group->get_subcommands().empty()) group = group->get_subcommands().front();
    for (const auto& word : app.remaining(true))
        if (!word.starts_with('-')) return {group, word};
    return {group, {}};
}

int say_missing_verb(const CLI::App& app)
{
    const auto [group, word] = missing_verb(app);
    const auto path = group == &app ? app.get_name() : app.get_name() + " " + group->get_name();
    std::set<std::string> known;
    for (const auto* verb : group->get_subcommands([](const CLI::App*) { return true; }))
        known.insert(verb->get_name());
    const auto advice = path + " --help lists what there is";
    if (word.empty())
        std::cerr << "ententctl: a verb is missing behind " << path << "; " << advice << "\n";
    else
        std::cerr << "ententctl: there is no verb " << word << " behind " << path
                  << suggest(word, known, advice) << "\n";
    return exit_usage;
}

void add_all(Verbs& verbs)
{
    add_setup_verbs(verbs);
    add_status_verb(verbs);
    add_doctor_verb(verbs);
    add_identity_verbs(verbs);
    add_peer_verbs(verbs);
    add_channel_verbs(verbs);
    add_audit_verbs(verbs);
    add_proof_verbs(verbs);
    add_user_verbs(verbs);
    add_report_verbs(verbs);
    add_setting_verbs(verbs);
    add_trust_verbs(verbs);
    add_policy_verbs(verbs);
}

}  // namespace

Verbs::Verbs(CLI::App& app, Settings& settings) : app_(app)
{
    settings.config = default_config;
    app.add_option("--config", settings.config, "The configuration file")
        ->type_name("FILE")
        ->capture_default_str();
    app.add_flag("--json", settings.json, "For programs: one JSON document");
    app.require_subcommand(1);
}

CLI::App& Verbs::group(const std::string& name, const std::string& help)
{
    return group(app_, name, help);
}

CLI::App& Verbs::group(CLI::App& within, const std::string& name, const std::string& help)
{
    auto* const made = within.add_subcommand(name, help);
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
    auto words = name;
    for (const auto* app = &group; app != &app_; app = app->get_parent())
        words.insert(0, app->get_name() + " ");
    verbs_.push_back({made, std::move(words), std::move(run)});
    return *made;
}

tl::expected<Chosen, int> parse(int argc, const char* const* argv)
{
    CLI::App app("ententctl: sets a server up, and asks a running one", "ententctl");
    app.footer(
        "Exit code: 0 done, 1 refused or not so, 2 usage, 3 the daemon or a peer can't be asked.");
    app.set_version_flag("--version", "entente " ENTENTE_VERSION);
    app.formatter(std::make_shared<VerbFormatter>());
    Settings settings;
    Verbs verbs(app, settings);
    add_all(verbs);
    try {
        app.parse(argc, argv);
    } catch (const CLI::RequiredError& ended) {
        // Or an argument of a verb, which has no verbs below it.
        if (missing_verb(app).group->get_require_subcommand_min() > 0)
            return tl::unexpected(say_missing_verb(app));
        app.exit(ended);
        return tl::unexpected(exit_usage);
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

int show_json(const nlohmann::json& document)
{
    std::cout << document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    return exit_done;
}

void add_server(CLI::App& verb, std::string& server)
{
    verb.add_option("SERVER", server, "Its name")->required()->check(server_fault);
}

void add_channel(CLI::App& verb, std::string& channel)
{
    verb.add_option("CHANNEL", channel, "Its id")->required()->check(channel_fault);
}

void add_channel_option(CLI::App& verb, std::string& channel)
{
    verb.add_option("--channel", channel, "Only this one")
        ->type_name("CHANNEL")
        ->check(channel_fault);
}

int failed(const Error& error, int exit_code)
{
    std::cerr << "ententctl: " << error.detail << "\n";
    return exit_code;
}

}  // namespace entente::daemon::ctl
