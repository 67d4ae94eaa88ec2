#pragma once

// Whether this machine holds things up by itself: what took longer than it may is a fault of the
// target's only where that doesn't explain it. While one lives, a thread computes for 10 ms every
// 100 ms, and another writes 4 KiB to a disk; how long either was kept from it is remembered.

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "conformance/judge/trial.hpp"

namespace entente::conformance {

enum class Timing { in_time, late, unclear };

// What took so long, where a thread of the runner, or a write of its, was kept waiting for `worst`.
// An answer is a chain of some hand-offs between threads and the disk, and each may be kept waiting
// as long: what is longer than `limit` by no more than that may be the machine's doing.
constexpr int hand_offs = 20;
[[nodiscard]] Timing timing_of(Millis took, Millis limit, Millis worst);

class MachineWatch {
 public:
    // Writes to a nameless file of `folder`, which is the target's file's: where target and runner
    // share a machine, they mostly share that disk. None is watched where it can't be written.
    explicit MachineWatch(const std::string& folder);

    // The longest that a thread of the runner, or a write, was kept waiting since `from`; what
    // waits still counts.
    [[nodiscard]] Millis worst_since(Deadline from) const;

    // Throws Broken(`assertion`), with `detail`, where what began at `began`, or with the watch, is
    // late, and TooNoisy where that is unclear.
    void expect_within(Millis took, Millis limit, const std::string& assertion,
                       const std::string& detail, Deadline began = {}) const;

 private:
    struct Delay {
        Deadline until;
        Millis length;
    };
    // One thing that is done again and again: how it was delayed, and when the next is due.
    struct Probe {
        std::vector<Delay> delays{};
        Deadline due{};
    };

    void compute(const std::stop_token& stop);
    void write(const std::stop_token& stop, int file);
    // Does `work`, which gives the time that it takes by itself, every 100 ms.
    void repeat(const std::stop_token& stop, Probe& probe, const std::function<Millis()>& work);

    mutable std::mutex mutex_;
    Probe computing_;
    Probe writing_;
    std::vector<std::jthread> threads_;
};

}  // namespace entente::conformance
