// What the bench reads off clocks and the kernel: wall time, CPU time of processes and of
// this thread, memory; and the numbers that a set of samples is summed up with. Linux only.
#pragma once

#include <cstdint>
#include <vector>

#include <sys/types.h>

namespace entente::bench {

using Nanoseconds = std::int64_t;

[[nodiscard]] Nanoseconds wall_now();        // monotonic
[[nodiscard]] Nanoseconds thread_cpu_now();  // of the calling thread
// How long the calling thread could have run, but had no core.
[[nodiscard]] Nanoseconds thread_held_up();
// Of all threads that `pid` has or had, by the scheduler's own count. Throws Broken where
// there is no such process.
[[nodiscard]] Nanoseconds process_cpu_now(pid_t pid);

// Of everything on the machine since it began; in steps of a tick.
[[nodiscard]] Nanoseconds machine_cpu_now();

[[nodiscard]] double resident_kib(pid_t pid);

// The value below which `part` (0 to 1) of the samples lie; 0 where there are none.
[[nodiscard]] double quantile(std::vector<double> samples, double part);
[[nodiscard]] inline double median(std::vector<double> samples)
{
    return quantile(std::move(samples), 0.5);
}

}  // namespace entente::bench
