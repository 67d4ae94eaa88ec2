// setup and certificate: what makes a server, done while none is running.
#include <iostream>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "daemon/ctl/verbs.hpp"
#include "daemon/setup.hpp"

namespace entente::daemon::ctl {

namespace {

struct SetupOptions {
    std::string admin = "admin";
    std::string secrets_file;  // empty: the terminal
    bool new_database = false;
};

struct CertificateOptions {
    int days = 365;
};

int run_setup(const Settings& settings, const SetupOptions& options)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    // Asked before anything is written, although the door asks again.
    if (auto door = check_door(options.secrets_file); !door) return failed(door.error());
    protocol::SystemRandom random;
    const protocol::SystemClock clock;
    const auto door = door_to(options.secrets_file);
    auto done = options.new_database ? set_up_database(*config, options.admin, random, clock, door)
                                     : set_up(*config, options.admin, random, clock, door);
    if (!done) return failed(done.error());
    if (options.new_database) {
        std::cerr << "made the database " << config->storage.sqlite_path() << "\n";
    } else {
        std::cerr << config->server.name.str() << " is set up; its keys are in "
                  << config->server.keys << "\n";
    }
    if (!options.secrets_file.empty())
        std::cerr << "what is to be kept secret is in " << options.secrets_file << "\n";
    return exit_done;
}

int run_certificate(const Settings& settings, const CertificateOptions& options)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    if (auto user = check_user(config->server.data); !user) return failed(user.error());
    auto made = make_missing_certificates(*config, options.days);
    if (!made) return failed(made.error());
    for (const auto& file : *made) std::cerr << "made " << file << "\n";
    if (!made->empty() && ::geteuid() == 0)
        std::cerr << "only root can read the keys; where ententd runs as another user, give them "
                     "to it with chown\n";
    if (made->empty()) std::cerr << "every listener has its certificate; nothing was made\n";
    return exit_done;
}

}  // namespace

void add_setup_verbs(Verbs& verbs)
{
    const auto setup = std::make_shared<SetupOptions>();
    auto& make =
        verbs.add("setup", "Makes the signing key, the recovery key and the administrator, once",
                  [setup](const Settings& settings) { return run_setup(settings, *setup); });
    make.add_option("--admin", setup->admin, "The administrator's name")
        ->type_name("NAME")
        ->capture_default_str();
    make.add_option(
            "--secrets-file", setup->secrets_file,
            "A new 0600 file for the password and the recovery secret, in place of the terminal")
        ->type_name("FILE");
    make.add_flag("--new-database", setup->new_database,
                  "The keys stay, and an empty database takes the place of one that is lost");

    const auto certificate = std::make_shared<CertificateOptions>();
    auto& certify =
        verbs.add("certificate", "Makes self-signed certificates for listeners that have none",
                  [certificate](const Settings& settings) {
                      return run_certificate(settings, *certificate);
                  });
    certify.add_option("--days", certificate->days, "How long they are valid")
        ->check(CLI::Range(1, 3650))
        ->capture_default_str();
}

}  // namespace entente::daemon::ctl
