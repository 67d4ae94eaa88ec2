// The command line of ententctl: its verbs, each with its options and what it does. Every
// file of this folder named *_verbs.cpp adds its verbs in one function, listed at the end;
// nothing else knows them. Reads arguments; prints help and faults of usage by itself.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>
#include <tl/expected.hpp>

#include "daemon/config.hpp"

namespace CLI {
class App;
}

namespace entente::daemon::ctl {

// What every verb ends with.
inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;   // refused; differs; isn't proven
inline constexpr int exit_usage = 2;    // the arguments
inline constexpr int exit_unasked = 3;  // the daemon, or a peer, could not be asked

// What stands before or behind any verb.
struct Settings {
    std::string config;
    bool json = false;  // for programs: one JSON document on standard output
};

using RunVerb = std::function<int(const Settings&)>;  // the exit code

class Verbs {
 public:
    Verbs(CLI::App& app, Settings& settings);

    // A word with verbs below it, as "peer".
    CLI::App& group(const std::string& name, const std::string& help);
    CLI::App& group(CLI::App& within, const std::string& name, const std::string& help);
    // The options that the caller adds live as long as `run` does: it holds them.
    CLI::App& add(const std::string& name, const std::string& help, RunVerb run);
    CLI::App& add(CLI::App& group, const std::string& name, const std::string& help, RunVerb run);

    struct Verb {
        CLI::App* app;
        std::string name;  // "setup", "peer list"
        RunVerb run;
    };
    [[nodiscard]] const std::vector<Verb>& list() const { return verbs_; }

 private:
    CLI::App& app_;
    std::vector<Verb> verbs_;
};

struct Chosen {
    std::string verb;
    Settings settings;
    RunVerb run;
};
// Where there is nothing to do (help, version, a fault of usage), the exit code.
[[nodiscard]] tl::expected<Chosen, int> parse(int argc, const char* const* argv);

// For the verbs: what is wrong goes to standard error, and the exit code is exit_failed.
[[nodiscard]] std::optional<Config> configuration(const Settings& settings);
int failed(const Error& error, int exit_code = exit_failed);

// The document of --json on standard output; exit_done.
int show_json(const nlohmann::json& document);
// The arguments SERVER and CHANNEL, and the option --channel.
void add_server(CLI::App& verb, std::string& server);
void add_channel(CLI::App& verb, std::string& channel);
void add_channel_option(CLI::App& verb, std::string& channel);

// One line for each file of verbs.
void add_audit_verbs(Verbs& verbs);
void add_channel_verbs(Verbs& verbs);
void add_identity_verbs(Verbs& verbs);
void add_peer_verbs(Verbs& verbs);
void add_policy_verbs(Verbs& verbs);
void add_proof_verbs(Verbs& verbs);
void add_report_verbs(Verbs& verbs);
void add_setting_verbs(Verbs& verbs);
void add_setup_verbs(Verbs& verbs);
void add_trust_verbs(Verbs& verbs);
void add_user_verbs(Verbs& verbs);
void add_status_verb(Verbs& verbs);
void add_doctor_verb(Verbs& verbs);
void add_decision_verbs(Verbs& verbs, CLI::App& trust);     // by add_trust_verbs
void add_fork_verbs(Verbs& verbs, CLI::App& channel);       // by add_channel_verbs
void add_move_verb(Verbs& verbs, CLI::App& channel);        // by add_channel_verbs
void add_key_conflict_verbs(Verbs& verbs, CLI::App& peer);  // by add_peer_verbs
void add_verify_verb(Verbs& verbs, CLI::App& peer);         // by add_peer_verbs

}  // namespace entente::daemon::ctl
