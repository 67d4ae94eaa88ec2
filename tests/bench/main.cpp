// entente-bench: what two federated servers carry on this machine, and what that costs.
#include <cstdio>
#include <exception>

#include "protocol/ed25519.hpp"
#include "tests/bench/program.hpp"

int main(int argc, char** argv)
{
    using namespace entente::bench;
    const auto parsed = parse_options(argc, argv);
    if (parsed.exit_code >= 0) return parsed.exit_code;
    Report report;
    try {
        entente::protocol::start_crypto();
        run_bench(parsed.options, report);
        if (!parsed.options.json.empty()) report.write_json(parsed.options.json);
        return report.exit_code();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "entente-bench: %s\n", error.what());
        return 1;
    }
}
