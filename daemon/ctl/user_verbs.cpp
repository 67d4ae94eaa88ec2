// user: this server's people. Lists them, suspends, bans, sets roles, ends sessions, resets
// passwords, deletes; makes registration codes.
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/text.hpp"
#include "daemon/ctl/verbs.hpp"
#include "daemon/setup.hpp"
#include "protocol/names.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

constexpr std::int64_t most_uses = 1'000'000;
constexpr std::int64_t most_days = 366;

struct ActOptions {
    std::string name, reason, role, secrets_file;
};

struct CodeOptions {
    std::int64_t uses = 1, days = 7;
    std::string id;
};

std::string name_fault(const std::string& text)
{
    const auto at = text.find('@');
    if (at != std::string::npos) {
        constexpr protocol::NameRules any_server{true};
        return protocol::parse_user_id(text, any_server) ? "" : text + " is no user's id";
    }
    return protocol::is_localpart(text) ? "" : text + " is no user's name";
}

std::string state_text(const json& user)
{
    for (const auto* state : {"deleted", "banned", "suspended"}) {
        const auto member = std::string(state) + "_at";
        if (user.contains(member))
            return std::string(state) + " since " + time_text(user.value(member, std::int64_t{0}));
    }
    return "active";
}

int show_users(const Settings& settings)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto found = daemon->get_all("/control/v1/users", "users", "name");
    if (!found) return failed(found.error(), exit_code_of(found.error()));
    if (settings.json) return show_json(*found);
    std::vector<Row> rows{{"USER", "ROLE", "SESSIONS", "STATE"}};
    for (const auto& user : found->at("users"))
        rows.push_back({user.value("user", ""), user.value("role", ""),
                        std::to_string(user.value("sessions", std::int64_t{0})), state_text(user)});
    print_table(std::cout, rows);
    return exit_done;
}

void print_user(const json& user)
{
    print_table(std::cout, {{user.value("user", ""), ""},
                            {"role", user.value("role", "")},
                            {"state", state_text(user)},
                            {"made", time_text(user.value("created_at", std::int64_t{0}))},
                            {"sessions", std::to_string(user.value("sessions", std::int64_t{0}))}});
}

int show_user(const Settings& settings, const ActOptions& options)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto user = daemon->get("/control/v1/users/" + options.name);
    if (!user) return failed(user.error(), exit_code_of(user.error()));
    if (settings.json) return show_json(*user);
    print_user(*user);
    return exit_done;
}

int hand_out_password(const Settings& settings, const ActOptions& options, json judged)
{
    const auto text =
        "# Shown this once. It is for one login, and has to be replaced by it.\nuser: " +
        judged.value("user", "") + "\npassword: " + judged.value("password", "") +
        "\nuntil: " + time_text(judged.value("password_until", std::int64_t{0})) + "\n";
    judged.erase("password");
    if (auto handed = hand_out(text, options.secrets_file); !handed) return failed(handed.error());
    if (settings.json) return show_json(judged);
    return exit_done;
}

int act(const Settings& settings, const ActOptions& options, const std::string& name)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    const bool has_secret = name == "reset-password";
    if (has_secret) {
        if (auto door = check_door(options.secrets_file); !door) return failed(door.error());
    }
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto judged = daemon->post("/control/v1/users/" + options.name + "/" + name + "?reason=" +
                                     query_text(options.reason) + "&role=" + options.role);
    if (!judged) return failed(judged.error(), exit_code_of(judged.error()));
    if (has_secret) return hand_out_password(settings, options, *judged);
    if (settings.json) return show_json(*judged);
    if (!judged->value("is_new", true)) std::cerr << "it was so already\n";
    print_user(*judged);
    return exit_done;
}

int list_codes(const Settings& settings)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto found = daemon->get_all("/control/v1/codes", "codes", "id");
    if (!found) return failed(found.error(), exit_code_of(found.error()));
    if (settings.json) return show_json(*found);
    std::vector<Row> rows{{"ID", "LEFT", "MADE BY", "MADE", "UNTIL"}};
    for (const auto& code : found->at("codes"))
        rows.push_back({code.value("id", ""),
                        std::to_string(code.value("uses_left", std::int64_t{0})) + " of " +
                            std::to_string(code.value("uses", std::int64_t{0})),
                        harmless(code.value("made_by", "")),
                        time_text(code.value("made_at", std::int64_t{0})),
                        time_text(code.value("expires_at", std::int64_t{0}))});
    print_table(std::cout, rows);
    return exit_done;
}

int make_code(const Settings& settings, const CodeOptions& options)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto made = daemon->post("/control/v1/codes?uses=" + std::to_string(options.uses) +
                                   "&days=" + std::to_string(options.days));
    if (!made) return failed(made.error(), exit_code_of(made.error()));
    if (settings.json) return show_json(*made);
    std::cout << made->value("code", "") << "\n";
    std::cerr << "for " << options.uses << " accounts, until "
              << time_text(made->value("expires_at", std::int64_t{0})) << "; its id is "
              << made->value("id", "") << "\n";
    return exit_done;
}

int revoke_code(const Settings& settings, const CodeOptions& options)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto gone = daemon->post("/control/v1/codes/" + query_text(options.id) + "/revoke");
    if (!gone) return failed(gone.error(), exit_code_of(gone.error()));
    if (settings.json) return show_json(*gone);
    std::cerr << "the code " << options.id << " opens nothing any more\n";
    return exit_done;
}

CLI::App& add_act(Verbs& verbs, CLI::App& group, const std::string& verb, const std::string& name,
                  const std::string& help, const std::shared_ptr<ActOptions>& options)
{
    auto& made = verbs.add(group, verb, help, [options, name](const Settings& settings) {
        return act(settings, *options, name);
    });
    made.add_option("USER", options->name, "alice, or alice@ and this server's name")
        ->required()
        ->check(name_fault);
    made.add_option("--reason", options->reason, "For the audit log; 1,024 octets at most")
        ->type_name("TEXT");
    return made;
}

void add_act(Verbs& verbs, CLI::App& group, const std::string& name, const std::string& help)
{
    add_act(verbs, group, name, name, help, std::make_shared<ActOptions>());
}

void add_code_verbs(Verbs& verbs, CLI::App& user)
{
    auto& code = verbs.group(user, "code", "Registration codes");
    const auto options = std::make_shared<CodeOptions>();
    auto& make =
        verbs.add(code, "create", "A new one, shown this once",
                  [options](const Settings& settings) { return make_code(settings, *options); });
    make.add_option("--uses", options->uses, "How many accounts it makes")
        ->check(CLI::Range(std::int64_t{1}, most_uses))
        ->capture_default_str();
    make.add_option("--days", options->days, "How long it is valid")
        ->check(CLI::Range(std::int64_t{1}, most_days))
        ->capture_default_str();
    verbs.add(code, "list", "Those that can still be used", list_codes);
    verbs
        .add(code, "revoke", "It opens nothing any more",
             [options](const Settings& settings) { return revoke_code(settings, *options); })
        .add_option("ID", options->id, "As the list shows it")
        ->required();
}

}  // namespace

void add_user_verbs(Verbs& verbs)
{
    auto& user = verbs.group("user", "This server's people");
    verbs.add(user, "list", "All of them", show_users);
    const auto shown = std::make_shared<ActOptions>();
    verbs
        .add(user, "show", "One of them",
             [shown](const Settings& settings) { return show_user(settings, *shown); })
        .add_option("USER", shown->name, "alice, or alice@ and this server's name")
        ->required()
        ->check(name_fault);
    add_act(verbs, user, "suspend", "Shut out until it is lifted; sessions rest meanwhile");
    add_act(verbs, user, "unsuspend", "Lifts it; sessions go on");
    add_act(verbs, user, "ban", "Shut out; all sessions end at once");
    add_act(verbs, user, "unban", "Lifts it; a new login is needed");
    add_act(verbs, user, "delete", "For good: devices, keys and profile go, the name stays taken");
    const auto role = std::make_shared<ActOptions>();
    add_act(verbs, user, "role", "role", "Makes a user, an admin or a superadmin", role)
        .add_option("ROLE", role->role, "user, admin or superadmin")
        ->required()
        ->check(CLI::IsMember({"user", "admin", "superadmin"}));
    const auto reset = std::make_shared<ActOptions>();
    add_act(verbs, user, "reset-password", "reset-password",
            "A password for one login, which replaces it; all sessions end", reset)
        .add_option("--secrets-file", reset->secrets_file,
                    "A new 0600 file for it, in place of the terminal")
        ->type_name("FILE");
    auto& sessions = verbs.group(user, "sessions", "Where somebody is logged in");
    add_act(verbs, sessions, "end", "end-sessions", "Ends all of them",
            std::make_shared<ActOptions>());
    add_code_verbs(verbs, user);
}

}  // namespace entente::daemon::ctl
