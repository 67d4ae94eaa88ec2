#include "tests/bench/program.hpp"

#include <filesystem>

#include "tests/bench/idle.hpp"
#include "tests/bench/inbox_load.hpp"
#include "tests/bench/limits.hpp"

namespace entente::bench {

namespace {

constexpr std::size_t starts = 7;
constexpr std::size_t usual_pairs = 10;
constexpr std::size_t preload_in_flight = 500;
constexpr std::size_t filled_frame = 500;
constexpr double latency_rate = 50;  // messages a second
constexpr double syncs_seconds = 10;
constexpr double socket_bound_kib = 1024;
const std::vector<std::size_t> batches{1, 10, 100, 1000};

// The parts with messages, on servers and people that they share.
class MessageParts {
 public:
    MessageParts(const Options& options, Report& report, Servers& servers)
        : options_(options), report_(report), servers_(servers), crowd_(servers)
    {
    }

    void run()
    {
        if (options_.preload > 0) preload();
        if (options_.wants("pairs")) pairs();
        if (options_.wants("frames")) frames();
        if (options_.wants("direct")) direct();
        if (options_.wants("group")) group();
        if (options_.wants("latency")) latency();
        if (options_.wants("syncs")) syncs();
    }
    [[nodiscard]] Crowd& crowd() { return crowd_; }

 private:
    [[nodiscard]] RunOptions usual() const
    {
        RunOptions run;
        run.seconds = options_.seconds;
        run.posts_a_frame = options_.posts_a_frame;
        if (options_.quick) run.warm_up = 0.5;
        return run;
    }
    RunFigures repeat(const Shape& shape, const std::string& name, const RunOptions& how)
    {
        std::vector<RunFigures> runs;
        for (std::size_t i = 0; i < options_.runs; ++i)
            runs.push_back(run_shape(servers_, crowd_, shape, how));
        auto figures = median_of(runs);
        report_.run(name, figures);
        return figures;
    }
    void tell(const std::string& key, const RunFigures& figures)
    {
        report_.figure(key + "_messages_per_second", figures.messages_per_second);
        report_.figure(key + "_cpu_us_per_message", figures.cpu_servers());
        report_.figure(key + "_client_cpu_us_per_message", figures.cpu_client);
        report_.figure(key + "_others_share", figures.others_share);
        report_.figure(key + "_p50_ms", figures.p50);
        report_.figure(key + "_p99_ms", figures.p99);
    }
    // Made when it is first wanted.
    const Shape& usual_shape()
    {
        if (usual_.flows.empty()) usual_ = pairs_shape(crowd_, usual_pairs, options_.in_flight);
        return usual_;
    }

    void preload()
    {
        auto shape = usual_shape();
        for (auto& flow : shape.flows) flow.window = preload_in_flight;
        auto how = usual();
        how.warm_up = 0;
        how.messages = options_.preload;
        how.posts_a_frame = filled_frame;
        const auto figures = run_shape(servers_, crowd_, shape, how);
        report_.run("preload", figures);
        if (figures.messages < options_.preload)
            throw e2e::Broken("the preload didn't come to its end");
    }
    void pairs()
    {
        for (const auto count : options_.pairs) {
            const bool is_usual = count == usual_pairs;
            const auto shape =
                is_usual ? usual_shape() : pairs_shape(crowd_, count, options_.in_flight);
            const auto figures = repeat(shape, shape.name, usual());
            tell("pairs_" + std::to_string(count), figures);
            if (!is_usual && options_.pairs.size() > 1) continue;
            report_.figure("e2e_messages_per_second", figures.messages_per_second);
            report_.figure("cpu_us_per_message", figures.cpu_servers());
            report_.figure("client_cpu_us_per_message", figures.cpu_client);
        }
    }
    void frames()
    {
        auto how = usual();
        how.posts_a_frame = filled_frame;
        tell("frames", repeat(usual_shape(), "10 pairs, up to 500 posts a frame", how));
    }
    void direct()
    {
        const auto shape = direct_shape(crowd_, options_.direct);
        const auto name = shape.name + ", " + std::to_string(shape.seats.size()) + " WebSockets";
        tell("direct", repeat(shape, name, usual()));
    }
    void group()
    {
        const auto shape = group_shape(crowd_, options_.in_flight);
        tell("group", repeat(shape, shape.name, usual()));
    }
    void latency()
    {
        auto how = usual();
        how.paced = latency_rate;
        const auto figures = repeat(usual_shape(), "50 messages a second", how);
        report_.figure("latency_p50_ms", figures.p50);
        report_.figure("latency_p99_ms", figures.p99);
        report_.figure("latency_cpu_us_per_message", figures.cpu_servers());
    }
    void syncs()
    {
        servers_.stop();
        servers_.count_syncs();
        servers_.start();
        auto how = usual();
        how.seconds = std::min(how.seconds, syncs_seconds);
        const auto figures = run_shape(servers_, crowd_, usual_shape(), how);
        report_.run("10 pairs, syncs counted", figures);
        report_.figure("syncs_per_message", figures.syncs_a + figures.syncs_b);
        how.paced = latency_rate;
        const auto slow = run_shape(servers_, crowd_, usual_shape(), how);
        report_.run("50 messages a second, syncs counted", slow);
        report_.figure("syncs_per_message_at_50", slow.syncs_a + slow.syncs_b);
    }

    const Options& options_;
    Report& report_;
    Servers& servers_;
    Crowd crowd_;
    Shape usual_;
};

void tell_start(Servers& servers, Report& report, const std::string& suffix, const char* state)
{
    const auto idle = measure_idle(servers, starts);
    Report::say("start to ready, %s: %.0f ms; idle: %.1f MiB resident", state, idle.start_ms,
                idle.rss_mib);
    report.figure("start" + suffix + "_ms", idle.start_ms);
    report.figure("idle_rss" + suffix + "_mib", idle.rss_mib);
}

void tell_idle_sockets(const Options& options, Servers& servers, Crowd& crowd, Report& report)
{
    const auto kib = measure_idle_websocket(servers, crowd, options.idle_sockets);
    Report::say("idle TLS WebSocket: %.1f KiB each, of %zu", kib, options.idle_sockets);
    report.figure("kib_per_idle_websocket", kib);
    if (kib <= 0 || kib > socket_bound_kib)
        report.condemn("idle", "no WebSocket takes that much or little memory");
}

void tell_inbox(const Options& options, Report& report)
{
    const std::size_t events = options.quick ? 2'000 : 100'000;
    for (const auto& figures : measure_inbox(batches, events)) report.inbox(figures);
}

void tell_limits(const Options& options, Report& report)
{
    const double seconds = options.quick ? 0.3 : 2;
    const auto raw = measure_limits(std::filesystem::temp_directory_path().string(), seconds);
    Report::say("raw: %.0f signatures/s made, %.0f verified; %.0f durable commits/s, %.0f syncs/s",
                raw.signs_per_second, raw.verifies_per_second, raw.commits_per_second,
                raw.syncs_per_second);
    report.figure("raw_sign_per_second", raw.signs_per_second);
    report.figure("raw_verify_per_second", raw.verifies_per_second);
    report.figure("raw_commits_per_second", raw.commits_per_second);
    report.figure("raw_syncs_per_second", raw.syncs_per_second);
    for (const auto batch : batches) {
        const auto rate = events_read_per_second(batch, seconds);
        Report::say("raw: %.0f events/s read from transactions of %zu", rate, batch);
        report.figure("raw_events_read_per_second_" + std::to_string(batch), rate);
    }
}

void run_on_servers(const Options& options, Report& report)
{
    Servers servers;
    servers.start();
    if (options.wants("start")) tell_start(servers, report, "", "with nothing stored");
    MessageParts messages(options, report, servers);
    if (options.wants("idle")) tell_idle_sockets(options, servers, messages.crowd(), report);
    if (!options.wants_messages()) return;
    servers.stop();
    servers.start();
    Report::say("processes: a.test %d, b.test %d", static_cast<int>(servers.a().pid()),
                static_cast<int>(servers.b().pid()));
    messages.run();
    if (options.wants("start"))
        tell_start(servers, report, "_loaded", "with all these messages stored");
}

}  // namespace

void run_bench(const Options& options, Report& report)
{
    raise_file_limit();
    if (options.wants("limits")) tell_limits(options, report);
    if (options.wants("start") || options.wants("idle") || options.wants_messages())
        run_on_servers(options, report);
    if (options.wants("inbox")) tell_inbox(options, report);
}

}  // namespace entente::bench
