#include "daemon/run.hpp"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <iterator>

#include <malloc.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "daemon/check.hpp"
#include "daemon/config_changes.hpp"
#include "daemon/log.hpp"
#include "daemon/options.hpp"
#include "daemon/server.hpp"

namespace entente::daemon {

namespace asio = boost::asio;

namespace {

// sysexits.h: what init systems and scripts tell apart.
constexpr int exit_config = 78;
constexpr int exit_software = 70;

constexpr unsigned most_seconds_to_stop = 20;
constexpr unsigned most_seconds_to_stop_after_failure = 1;

// Blocks of this size go back to the system when they are freed. By default glibc keeps ever
// larger ones for itself, and a flood of transactions would never be over for the memory.
constexpr int large_block = 512 * 1024;
// What each of glibc's arenas may keep free at its end. With less, what a busy server frees and
// takes again is given back and faulted in again, page by page, for each message.
constexpr int kept_free = 2 * 1024 * 1024;

struct Run {
    asio::io_context& io;
    asio::signal_set& signals;
    Server& server;
    Supervisor& supervisor;
    LevelledLog& log;
    std::string file;
    Config running;  // what the daemon began with, but for what reloads have changed
    int exit_code = 0;
};

constexpr std::string_view level_keys[] = {"log.level", "log.components"};

// What a reload can't change goes on as it was, and the log says so.
void reload_configuration(Run& run)
{
    const auto read = load_config(run.file, process_environment());
    if (!read) {
        for (const auto& problem : read.error())
            protocol::log_error(run.log, "daemon",
                                "the configuration can't be reloaded; what runs stays as it is",
                                {{"where", problem.where}, {"problem", problem.text}});
        return;
    }
    std::string changed, waiting;
    for (const auto& key : changed_keys(run.running, *read)) {
        const bool is_level = std::ranges::find(level_keys, key) != std::end(level_keys);
        auto& list = is_level ? changed : waiting;
        list += (list.empty() ? "" : ", ") + key;
    }
    run.log.set_levels(read->log);
    for (const auto key : level_keys) {
        run.running.written.erase(std::string(key));
        if (const auto now = read->written.find(std::string(key)); now != read->written.end())
            run.running.written.insert(*now);
    }
    if (!changed.empty())
        protocol::log_info(run.log, "daemon", "the configuration is reloaded", {{"keys", changed}});
    if (!waiting.empty())
        protocol::log_warning(run.log, "daemon",
                              "changed in the configuration, but only a restart takes it into use",
                              {{"keys", waiting}});
}

// Ends at SIGTERM, SIGINT or the server's own wish; SIGHUP reloads.
asio::awaitable<void> serve(Run& run)
{
    auto started = co_await run.server.start();
    if (!started) {
        protocol::log_error(run.log, "daemon", "can't start", {{"detail", started.error().detail}});
        run.exit_code = exit_software;
    } else {
        protocol::log_info(run.log, "daemon", "ready");
        run.supervisor.ready("serving " + run.running.server.name.str());
    }
    while (started && !run.server.has_failed()) {
        boost::system::error_code ended;
        const int signal =
            co_await run.signals.async_wait(asio::redirect_error(asio::use_awaitable, ended));
        if (ended) break;
        if (signal != SIGHUP) break;
        run.supervisor.reloading();
        co_await run.server.reload();
        reload_configuration(run);
        protocol::log_info(run.log, "daemon", "reload is done");
        run.supervisor.ready("serving " + run.running.server.name.str());
    }
    protocol::log_info(run.log, "daemon", "stopping");
    run.supervisor.stopping();
    // Whatever hangs behind the listeners' ten seconds: what was acknowledged is on the disk.
    ::alarm(run.server.has_failed() ? most_seconds_to_stop_after_failure : most_seconds_to_stop);
    co_await run.server.stop();
    if (run.server.has_failed()) run.exit_code = exit_software;
    protocol::log_info(run.log, "daemon", "stopped");
    run.io.stop();
}

// "" where all are there, or none is asked for.
std::string missing_credential(const Config& config)
{
    if (is_missing_credential(config.federation.ca_file)) return config.federation.ca_file;
    for (const auto& listener : config.listeners) {
        for (const auto& path : {listener.certificate, listener.key})
            if (is_missing_credential(path)) return path;
    }
    return {};
}

int run_daemon(const DaemonOptions& options, StoragePlatform platform)
{
    ::mallopt(M_MMAP_THRESHOLD, large_block);
    ::mallopt(M_TRIM_THRESHOLD, kept_free);
    const protocol::SystemClock clock;
    auto config = load_config(options.config, process_environment());
    if (!config) {
        for (const auto& problem : config.error())
            std::cerr << "ententd: " << problem.str() << "\n";
        return exit_config;
    }
    if (const auto missing = missing_credential(*config); !missing.empty()) {
        std::cerr << "ententd: " << missing
                  << " is a secret of the service's, and there is none here; start it by systemd "
                     "with LoadCredential= in its unit, or name a file\n";
        return exit_config;
    }
    const auto report = check_installation(*config, options.config, clock);
    for (const auto& error : report.errors) std::cerr << "ententd: " << error << "\n";
    if (!report.errors.empty()) return exit_config;
    auto keys = KeyFolder(config->server.keys).load(config->server.name, config->name_rules());
    if (!keys) {
        std::cerr << "ententd: " << keys.error().detail << "\n";
        return exit_config;
    }
    auto log = make_logger(config->log, clock);
    const KeyFolder folder(config->server.keys);
    if (auto upgraded = folder.upgrade(config->server.name, config->name_rules()); !upgraded)
        protocol::log_warning(*log, "daemon", "the key file keeps its old form",
                              {{"detail", upgraded.error().detail}});
    for (const auto& warning : report.warnings) protocol::log_warning(*log, "daemon", warning);

    asio::io_context io{1};
    asio::signal_set signals(io, SIGTERM, SIGINT, SIGHUP);
    Supervisor supervisor(process_variable);
    Server server(io, *config, std::move(*keys), std::move(platform), *log, supervisor,
                  [&signals] { signals.cancel(); });
    if (auto opened = server.open(); !opened) {
        protocol::log_error(*log, "daemon", "can't start", {{"detail", opened.error().detail}});
        return exit_software;
    }
    Run run{io, signals, server, supervisor, *log, options.config, std::move(*config)};
    asio::co_spawn(io, serve(run), [&](std::exception_ptr bug) {
        if (!bug) return;
        protocol::log_error(*log, "daemon", "the daemon ended by an exception");
        run.exit_code = exit_software;
        io.stop();
    });
    io.run();
    return run.exit_code;
}

}  // namespace

int run_program(int argc, const char* const* argv, StoragePlatform platform)
{
    const auto options = parse_daemon_options(argc, argv);
    if (!options) return options.error();
    protocol::start_crypto();
    if (options->action == DaemonOptions::Action::check) {
        const protocol::SystemClock clock;
        return run_check(options->config, process_environment(), clock, std::cout);
    }
    return run_daemon(*options, std::move(platform));
}

}  // namespace entente::daemon
