// identity show, rotate, revoke and recovery-kit: the server's own keys. They work on the key
// folder, whether ententd runs or not.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "daemon/ctl/verbs.hpp"
#include "daemon/identity_commands.hpp"

namespace entente::daemon::ctl {

namespace {

using Action = IdentityOptions::Action;
using Options = std::shared_ptr<IdentityOptions>;

constexpr const char* from_file = "A file that holds the recovery secret, in place of asking";

int run_on_identity(const Settings& settings, IdentityOptions options)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    options.json = settings.json;
    protocol::SystemRandom random;
    const protocol::SystemClock clock;
    auto done = run_identity(*config, options, random, clock, std::cout, std::cerr);
    return done ? exit_done : failed(done.error());
}

CLI::App& add_action(Verbs& verbs, CLI::App& identity, const Options& options, const char* name,
                     const char* what)
{
    return verbs.add(identity, name, what, [options](const Settings& settings) {
        return run_on_identity(settings, *options);
    });
}

Options options_for(Action action)
{
    auto options = std::make_shared<IdentityOptions>();
    options->action = action;
    return options;
}

void add_recovery_file(CLI::App& verb, const Options& options)
{
    verb.add_option("--recovery-file", options->recovery_file, from_file)->type_name("FILE");
}

// Which of the two keys signs.
void add_signer(CLI::App& verb, const Options& options)
{
    verb.add_flag("--recovery", options->by_recovery,
                  "Sign with the recovery key; its secret is asked for on the terminal");
    add_recovery_file(verb, options);
}

void add_revoke(Verbs& verbs, CLI::App& identity)
{
    const auto options = options_for(Action::revoke);
    auto& revoke = add_action(verbs, identity, options, "revoke",
                              "Makes an old key worthless at once, before its seven days are over");
    revoke.add_option("--kid", options->key, "The key's id, written as --kid=ID")
        ->type_name("ID")
        ->required();
    revoke
        .add_option("--at", options->at,
                    "Since when, as 2026-01-31T09:00:00Z or in milliseconds; back-dating needs "
                    "the recovery key. By default now")
        ->type_name("TIME");
    revoke.add_option("--reason", options->reason, "Why; other servers can read it")
        ->type_name("TEXT");
    add_signer(revoke, options);
}

}  // namespace

void add_identity_verbs(Verbs& verbs)
{
    auto& identity = verbs.group("identity", "Shows, rotates and revokes this server's keys");
    identity.footer(
        "Each works while ententd runs and while it doesn't. A running ententd takes it up when\n"
        "it reloads (systemctl reload ententd), a stopped one when it starts. Run it as the user\n"
        "that ententd runs as.");
    add_action(verbs, identity, options_for(Action::show), "show",
               "Lists the keys and their status");
    const auto rotating = options_for(Action::rotate);
    auto& rotate = add_action(verbs, identity, rotating, "rotate",
                              "Makes a new signing key; the old one may sign for 7 days yet");
    add_signer(rotate, rotating);
    rotate.footer(
        "With the recovery key: after a theft, or where the newest copy of the key folder is\n"
        "lost. The old key signs otherwise.");
    add_revoke(verbs, identity);
    const auto options = options_for(Action::recovery_kit);
    auto& kit = add_action(verbs, identity, options, "recovery-kit",
                           "Makes a new recovery key; the present one has to be at hand");
    add_recovery_file(kit, options);
    kit.add_option("--secrets-file", options->secrets_file,
                   "A new 0600 file for the new recovery secret, in place of the terminal")
        ->type_name("FILE");
}

}  // namespace entente::daemon::ctl
