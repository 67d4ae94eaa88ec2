#include "tests/bench/options.hpp"

#include <CLI/CLI.hpp>

namespace entente::bench {

namespace {

constexpr const char* about =
    R"(What two federated servers carry on this machine, and what that costs.

Parts, in the order in which they run:
  start     time from the start of a process to /ready; resident memory of an idle server
  idle      memory of each idle TLS WebSocket
  pairs     a writer on A and a reader on B for each pair, many messages in flight
  frames    ten pairs again, with up to 500 posts a frame
  direct    direct channels with one message in flight each
  group     one channel with 20 members on each side, 5 of each side writing
  latency   50 messages a second over ten pairs
  syncs     fsync and fdatasync calls a message, counted in a short run of its own
  inbox     events that a server accepts from a peer, in batches of 1, 10, 100, 1000
  limits    signatures, events read and durable commits a second: what there is at most

Method: two ententd in stock configuration that trust each other, TLS everywhere, on
loopback; clients over WebSocket from one thread of this process; messages of 300 octets.
Half of the channels are homed at each side. A message counts when its writer has
"accepted" and its reader has the entry; over all of them it is checked that none was
lost, doubled, changed or came out of its order. Every message is a
frame of its own. CPU times are the kernel's, servers and client apart. Each figure is the median of
the runs. The servers are those beside this program, or of $ENTENTE_BIN; their data is in
$TMPDIR or /tmp.

It exits with 1, and says VOID, where messages were lost, doubled, changed, out of order or
refused, and where the load client's thread was the bottleneck.)";

const std::vector<std::string>& part_names()
{
    static const std::vector<std::string> names{"start", "idle",    "pairs", "frames", "direct",
                                                "group", "latency", "syncs", "inbox",  "limits"};
    return names;
}

// What wasn't named; a single part is for looking closer, so it has no preload.
void complete(Options& options, bool all)
{
    const auto choose = [&](auto& value, auto unset, auto full, auto quick) {
        if (value == static_cast<std::decay_t<decltype(value)>>(unset))
            value = static_cast<std::decay_t<decltype(value)>>(options.quick ? quick : full);
    };
    choose(options.seconds, 0, 60.0, 3.0);
    choose(options.runs, 0, all ? 3 : 1, 1);
    choose(options.direct, 0, 1000, 100);
    choose(options.idle_sockets, 0, 10'000, 1000);
    choose(options.preload, -1, all ? 1'000'000 : 0, all ? 10'000 : 0);
    if (options.pairs.empty()) options.pairs = {1, 10, 50};
}

}  // namespace

bool Options::wants_messages() const
{
    for (const auto* part : {"pairs", "frames", "direct", "group", "latency", "syncs"})
        if (wants(part)) return true;
    return false;
}

Parsed parse_options(int argc, char** argv)
{
    Parsed parsed;
    auto& options = parsed.options;
    std::vector<std::string> parts;
    CLI::App app{about, "entente-bench"};
    app.add_option("--shape", parts, "Only these parts, without a preload unless it is given")
        ->check(CLI::IsMember(part_names()));
    app.add_option("--pairs", options.pairs, "How many pairs; each number a shape (1 10 50)")
        ->check(CLI::Range(1, 400));
    app.add_option("--in-flight", options.in_flight, "Messages in flight for each pair (200)")
        ->check(CLI::Range(1, 1000));
    app.add_option("--direct", options.direct, "Direct channels (1000)")
        ->check(CLI::Range(1, 4000));
    app.add_option("--frame", options.posts_a_frame, "The most posts in one frame (1)")
        ->check(CLI::Range(1, 1000));
    app.add_option("--seconds", options.seconds, "How long a run measures (60)")
        ->check(CLI::Range(0.1, 86'400.0));
    app.add_option("--runs", options.runs, "Runs of each shape (3; with --shape 1)")
        ->check(CLI::Range(1, 100));
    app.add_option("--preload", options.preload, "Messages sent before anything is measured (10^6)")
        ->check(CLI::Range(0, 100'000'000));
    app.add_option("--idle-sockets", options.idle_sockets, "Idle WebSockets (10000)")
        ->check(CLI::Range(1, 18'000));
    app.add_flag("--quick", options.quick, "About a minute: short runs, small sizes");
    app.add_option("--json", options.json, "Writes the figures into this file");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        parsed.exit_code = app.exit(error);
        return parsed;
    }
    const bool all = parts.empty();
    const auto& chosen = all ? part_names() : parts;
    options.parts = {chosen.begin(), chosen.end()};
    complete(options, all);
    return parsed;
}

}  // namespace entente::bench
