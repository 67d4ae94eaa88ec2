#include "tests/bench/report.hpp"

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <fstream>

#include <nlohmann/json.hpp>

namespace entente::bench {

namespace {

// Of the machine; the kernel's own threads take some too.
constexpr double quiet_share = 0.1;

}  // namespace

void Report::say(const char* format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    std::vprintf(format, arguments);
    va_end(arguments);
    std::printf("\n");
    std::fflush(stdout);
}

void Report::figure(const std::string& key, double value)
{
    figures_.emplace_back(key, std::round(value * 1000) / 1000);
}

void Report::condemn(const std::string& name, const std::string& why)
{
    say("  VOID: %s", why.c_str());
    faults_.push_back(name + ": " + why);
}

void Report::run(const std::string& name, const RunFigures& figures)
{
    say("%s: %.0f messages/s, %lld in all", name.c_str(), figures.messages_per_second,
        static_cast<long long>(figures.messages));
    say("  CPU us a message: A %.1f + B %.1f = %.1f; client %.1f", figures.cpu_a, figures.cpu_b,
        figures.cpu_servers(), figures.cpu_client);
    say("  busy: servers %.0f%% of the machine, client %.0f%% of a core; p50 %.2f ms, p99 %.2f ms",
        100 * figures.servers_share, 100 * figures.client_share, figures.p50, figures.p99);
    if (figures.others_share > quiet_share)
        say("  NOT QUIET: others took %.0f%% of the machine, so that servers waited for it",
            100 * figures.others_share);
    if (figures.syncs_a + figures.syncs_b > 0)
        say("  fsync and fdatasync calls a message: A %.4f, B %.4f", figures.syncs_a,
            figures.syncs_b);
    if (figures.faults.any()) condemn(name, figures.faults.text());
    if (figures.messages == 0) condemn(name, "not one message came through");
    if (figures.client_was_the_bottleneck()) condemn(name, "the load client was the bottleneck");
}

void Report::inbox(const InboxFigures& figures)
{
    say("inbox, batches of %zu: %.0f events/s, %.1f us of CPU each; sender %.0f%% of a core",
        figures.batch, figures.events_per_second, figures.cpu_us_per_event,
        100 * figures.sender_share);
    const auto key = "inbox_" + std::to_string(figures.batch);
    figure(key + "_events_per_second", figures.events_per_second);
    figure(key + "_cpu_us_per_event", figures.cpu_us_per_event);
    if (figures.sender_was_the_bottleneck()) condemn(key, "the sender was the bottleneck");
}

void Report::write_json(const std::string& file) const
{
    nlohmann::ordered_json all;
    for (const auto& [key, value] : figures_) all[key] = value;
    all["void"] = faults_;
    std::ofstream out(file);
    out << all.dump(2) << '\n';
    if (!out.flush()) throw e2e::Broken("can't write " + file);
}

}  // namespace entente::bench
