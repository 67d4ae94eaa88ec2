// What the bench is asked for. Sizes that a run doesn't name are those of the full one, or
// with `--quick` of one for CI.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace entente::bench {

struct Options {
    std::set<std::string> parts;  // of part_names()
    bool quick = false;
    std::string json;
    std::vector<std::size_t> pairs;
    std::size_t in_flight = 200, direct = 0, posts_a_frame = 1, runs = 0, idle_sockets = 0;
    std::int64_t preload = -1;
    double seconds = 0;

    [[nodiscard]] bool wants(const std::string& part) const { return parts.contains(part); }
    [[nodiscard]] bool wants_messages() const;
};

// Reads the arguments; an exit code where the program is to end at once (`--help`, faults).
struct Parsed {
    Options options;
    int exit_code = -1;
};
[[nodiscard]] Parsed parse_options(int argc, char** argv);

}  // namespace entente::bench
