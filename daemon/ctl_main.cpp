// main of ententctl: the operator's tool beside a running or a stopped ententd.
#include <iostream>

#include "daemon/identity_commands.hpp"
#include "daemon/options.hpp"
#include "daemon/setup.hpp"
#include "protocol/ed25519.hpp"

namespace {

using namespace entente;

int failed(const Error& error)
{
    std::cerr << "ententctl: " << error.detail << "\n";
    return 1;
}

int set_up(const daemon::Config& config, const daemon::ControlOptions& options)
{
    // Asked before anything is written, although the door asks again.
    if (auto door = daemon::check_door(options.secrets_file); !door) return failed(door.error());
    protocol::SystemRandom random;
    const protocol::SystemClock clock;
    auto done =
        daemon::set_up(config, options.admin, random, clock, daemon::door_to(options.secrets_file));
    if (!done) return failed(done.error());
    std::cerr << config.server.name.str() << " is set up; its keys are in " << config.server.keys
              << "\n";
    if (!options.secrets_file.empty()) {
        std::cerr << "password and recovery secret are in " << options.secrets_file << "\n";
    }
    return 0;
}

int make_certificates(const daemon::Config& config, int days)
{
    auto made = daemon::make_missing_certificates(config, days);
    if (!made) return failed(made.error());
    for (const auto& file : *made) std::cerr << "made " << file << "\n";
    if (made->empty()) std::cerr << "every listener has its certificate; nothing was made\n";
    return 0;
}

int work_on_identity(const daemon::Config& config, const daemon::IdentityOptions& options)
{
    protocol::SystemRandom random;
    const protocol::SystemClock clock;
    auto done = daemon::run_identity(config, options, random, clock, std::cout, std::cerr);
    return done ? 0 : failed(done.error());
}

}  // namespace

int main(int argc, char** argv)
{
    const auto options = daemon::parse_control_options(argc, argv);
    if (!options) return options.error();
    protocol::start_crypto();
    const auto config = daemon::load_config(options->config, daemon::process_environment());
    if (!config) {
        for (const auto& problem : config.error())
            std::cerr << "ententctl: " << problem.str() << "\n";
        return 1;
    }
    switch (options->action) {
        case daemon::ControlOptions::Action::setup: return set_up(*config, *options);
        case daemon::ControlOptions::Action::certificate:
            return make_certificates(*config, options->days);
        case daemon::ControlOptions::Action::identity:
            return work_on_identity(*config, options->identity);
    }
    return 1;
}
