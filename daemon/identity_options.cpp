#include "daemon/identity_options.hpp"

#include <CLI/CLI.hpp>

namespace entente::daemon {

namespace {

using Action = IdentityOptions::Action;

constexpr const char* from_file = "A file that holds the recovery secret, in place of asking";

CLI::App* add_action(CLI::App& identity, IdentityOptions& options, Action action, const char* name,
                     const char* what)
{
    auto* const command = identity.add_subcommand(name, what);
    command->fallthrough();
    command->callback([&options, action] { options.action = action; });
    return command;
}

// Which of the two keys signs.
void add_signer(CLI::App& command, IdentityOptions& options)
{
    command.add_flag("--recovery", options.by_recovery,
                     "Sign with the recovery key; its secret is asked for on the terminal");
    command.add_option("--recovery-file", options.recovery_file, from_file)->type_name("FILE");
}

void add_revoke(CLI::App& identity, IdentityOptions& options)
{
    auto* const revoke =
        add_action(identity, options, Action::revoke, "revoke",
                   "Makes an old key worthless at once, before its seven days are over");
    revoke->add_option("--kid", options.key, "The key's id, written as --kid=ID")
        ->type_name("ID")
        ->required();
    revoke
        ->add_option("--at", options.at,
                     "Since when, as 2026-01-31T09:00:00Z or in milliseconds; back-dating needs "
                     "the recovery key. By default now")
        ->type_name("TIME");
    revoke->add_option("--reason", options.reason, "Why; other servers can read it")
        ->type_name("TEXT");
    add_signer(*revoke, options);
}

}  // namespace

void add_identity_command(CLI::App& app, IdentityOptions& options)
{
    auto* const identity =
        app.add_subcommand("identity", "Shows, rotates and revokes this server's keys");
    identity->fallthrough();
    identity->require_subcommand(1);
    identity->footer(
        "Each works while ententd runs and while it doesn't. A running ententd takes it up when\n"
        "it reloads (systemctl reload ententd), a stopped one when it starts. Run it as the user\n"
        "that ententd runs as.");

    auto* const show =
        add_action(*identity, options, Action::show, "show", "Lists the keys and their status");
    show->add_flag("--json", options.json, "As JSON");
    auto* const rotate = add_action(*identity, options, Action::rotate, "rotate",
                                    "Makes a new signing key; the old one may sign for 7 days yet");
    add_signer(*rotate, options);
    rotate->footer(
        "With the recovery key: after a theft, or where the newest copy of the key folder is\n"
        "lost. The old key signs otherwise.");
    add_revoke(*identity, options);
    auto* const kit = add_action(*identity, options, Action::recovery_kit, "recovery-kit",
                                 "Makes a new recovery key; the present one has to be at hand");
    kit->add_option("--recovery-file", options.recovery_file, from_file)->type_name("FILE");
    kit->add_option("--secrets-file", options.secrets_file,
                    "A new 0600 file for the new recovery secret, in place of the terminal")
        ->type_name("FILE");
}

}  // namespace entente::daemon
