// Runs seeds, and says which of them have failed. A seed replays its run exactly.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "tests/sim/world.hpp"

namespace entente::sim {
namespace {

constexpr const char* usage = R"(entente-sim [--seeds N] [--first M] [--jobs J]
entente-sim --seed S [--trace] [--bodies] [--keep]

Plays N seeds (200) from M (1) on, J at once (2), or the seed S alone, with every step
printed; --keep leaves its disks behind. Exits with 1 if a run has failed.
)";

struct Options {
    std::uint64_t seeds = 200;
    std::uint64_t first = 1;
    std::uint64_t jobs = 2;
    Printing printing = Printing::nothing;
    bool keeps = false;
};

std::uint64_t number(const char* text)
{
    char* end = nullptr;
    const auto value = std::strtoull(text, &end, 10);
    if (*text == '\0' || *end != '\0') {
        std::fprintf(stderr, "entente-sim: %s is no number\n%s", text, usage);
        std::exit(2);
    }
    return value;
}

Options parse(int argc, char** argv)
{
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--trace") {
            options.printing = std::max(options.printing, Printing::steps);
            continue;
        }
        if (name == "--keep") {
            options.keeps = true;
            continue;
        }
        if (name == "--bodies") {
            options.printing = Printing::bodies;
            continue;
        }
        if (i + 1 >= argc) {
            std::fputs(usage, name == "--help" ? stdout : stderr);
            std::exit(name == "--help" ? 0 : 2);
        }
        const auto value = number(argv[++i]);
        if (name == "--seeds") {
            options.seeds = value;
        } else if (name == "--first") {
            options.first = value;
        } else if (name == "--jobs") {
            options.jobs = value;
        } else if (name == "--seed") {
            options.first = value;
            options.seeds = options.jobs = 1;
        } else {
            std::fprintf(stderr, "entente-sim: unknown argument %s\n%s", name.c_str(), usage);
            std::exit(2);
        }
    }
    return options;
}

// Of memory where there is any: nothing of it is to be kept.
std::string make_folder()
{
    std::string pattern =
        std::filesystem::exists("/dev/shm")
            ? "/dev/shm/entente-sim-XXXXXX"
            : std::filesystem::temp_directory_path().string() + "/entente-sim-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
        std::perror("mkdtemp");
        std::exit(2);
    }
    return pattern;
}

bool play(std::uint64_t seed, Printing printing, bool keeps)
{
    RunOptions options;
    options.seed = seed;
    options.printing = printing;
    options.folder = make_folder();
    const auto result = run_seed(options);
    if (keeps)
        std::printf("its disks are in %s\n", options.folder.c_str());
    else
        std::filesystem::remove_all(options.folder);
    const bool is_good = result.faults.empty();
    if (!is_good || printing != Printing::nothing) {
        std::printf("seed %" PRIu64 ": %s, trace %016" PRIx64 ", %" PRIu64
                    " steps, %zu answers, %zu entries, %zu endings, %" PRId64 " s\n",
                    seed, is_good ? "good" : "FAILED", result.hash, result.steps, result.told,
                    result.entries, result.endings, result.virtual_ms / 1000);
        for (const auto& fault : result.faults) std::printf("  %s\n", fault.c_str());
        std::fflush(stdout);
    }
    return is_good;
}

int play_share(const Options& options, std::uint64_t job)
{
    std::uint64_t failed = 0;
    for (auto i = job; i < options.seeds; i += options.jobs)
        failed += play(options.first + i, options.printing, options.keeps) ? 0 : 1;
    return failed == 0 ? 0 : 1;
}

int run(const Options& options)
{
    const auto begun = std::chrono::steady_clock::now();
    protocol::start_crypto();
    int outcome = 0;
    if (options.jobs <= 1) {
        outcome = play_share(options, 0);
    } else {
        for (std::uint64_t job = 0; job < options.jobs; ++job) {
            const auto child = ::fork();
            if (child == 0) std::exit(play_share(options, job));
        }
        int status = 0;
        while (::wait(&status) > 0) {
            if (status != 0) outcome = 1;
        }
    }
    const auto spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun);
    std::printf("%" PRIu64 " seeds from %" PRIu64 ", %s, %.1f s\n", options.seeds, options.first,
                outcome == 0 ? "all good" : "SOME FAILED", spent.count());
    return outcome;
}

}  // namespace
}  // namespace entente::sim

int main(int argc, char** argv)
{
    return entente::sim::run(entente::sim::parse(argc, argv));
}
