// entente-bench: what two federated servers carry on this machine, and what that costs.
#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "protocol/ed25519.hpp"
#include "tests/bench/shapes.hpp"

namespace {

using namespace entente;
using namespace entente::bench;

struct Options {
    std::string shape = "pairs";
    std::size_t pairs = 10, in_flight = 200;
    RunOptions run;
};

void print(const Shape& shape, const RunFigures& figures)
{
    std::printf("%s: %.0f messages/s (%lld in all)\n", shape.name.c_str(),
                figures.messages_per_second, static_cast<long long>(figures.messages));
    std::printf("  CPU us a message: A %.1f + B %.1f = %.1f; client %.1f (%.0f%% of a core)\n",
                figures.cpu_a, figures.cpu_b, figures.cpu_servers(), figures.cpu_client,
                100 * figures.client_share);
    std::printf("  servers use %.0f%% of the machine; latency p50 %.2f ms, p99 %.2f ms\n",
                100 * figures.servers_share, figures.p50, figures.p99);
    std::fflush(stdout);
}

int complain(const RunFigures& figures)
{
    int code = 0;
    const auto& faults = figures.faults;
    if (faults.any()) {
        std::printf(
            "  VOID: %lld lost, %lld doubled, %lld out of order, %lld changed, %lld "
            "refused, %lld resyncs; first: %s\n",
            static_cast<long long>(faults.lost), static_cast<long long>(faults.doubled),
            static_cast<long long>(faults.out_of_order), static_cast<long long>(faults.changed),
            static_cast<long long>(faults.refused), static_cast<long long>(faults.resyncs),
            faults.first.c_str());
        code = 1;
    }
    if (figures.client_was_the_bottleneck()) {
        std::printf("  VOID: the load client was the bottleneck\n");
        code = 1;
    }
    return code;
}

int run(const Options& options)
{
    protocol::start_crypto();
    e2e::World world({"a.test", "b.test"}, {}, "", e2e::Tuning::stock);
    world.start_all();
    std::printf("a.test is process %d, b.test %d\n", static_cast<int>(world["a.test"].pid()),
                static_cast<int>(world["b.test"].pid()));
    Crowd crowd(world, "a.test", "b.test");
    const auto shape = pairs_shape(crowd, options.pairs, options.in_flight);
    std::printf("set up\n");
    std::fflush(stdout);
    const auto figures = run_shape(world, crowd, shape, options.run);
    print(shape, figures);
    return complain(figures);
}

}  // namespace

int main(int argc, char** argv)
{
    Options options;
    CLI::App app{"What two federated servers carry on this machine, and what that costs."};
    app.add_option("--shape", options.shape, "pairs");
    app.add_option("--pairs", options.pairs, "Pairs of a writer on A and a reader on B");
    app.add_option("--in-flight", options.in_flight, "Messages in flight for each pair");
    app.add_option("--seconds", options.run.seconds, "How long to measure");
    app.add_option("--frame", options.run.posts_a_frame, "The most posts in a frame");
    CLI11_PARSE(app, argc, argv);
    try {
        return run(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "entente-bench: %s\n", error.what());
        return 1;
    }
}
