#include "tests/bench/measure.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ctime>
#include <fstream>
#include <string>

#include <unistd.h>

#include "tests/e2e/support/tls_socket.hpp"

namespace entente::bench {

namespace {

Nanoseconds read_clock(clockid_t clock)
{
    timespec time{};
    if (::clock_gettime(clock, &time) != 0) throw e2e::Broken("a clock can't be read");
    return static_cast<Nanoseconds>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

Nanoseconds wall_now()
{
    return read_clock(CLOCK_MONOTONIC);
}

Nanoseconds thread_cpu_now()
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

Nanoseconds thread_held_up()
{
    std::ifstream statistics("/proc/thread-self/schedstat");
    Nanoseconds ran = 0, waited = 0;
    statistics >> ran >> waited;
    return waited;
}

Nanoseconds process_cpu_now(pid_t pid)
{
    clockid_t clock{};
    if (::clock_getcpuclockid(pid, &clock) != 0)
        throw e2e::Broken("a server has ended: its CPU time can't be read");
    return read_clock(clock);
}

Nanoseconds machine_cpu_now()
{
    std::ifstream statistics("/proc/stat");
    std::string name;
    std::int64_t user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, soft_irq = 0;
    statistics >> name >> user >> nice >> system >> idle >> waiting >> irq >> soft_irq;
    const auto ticks = user + nice + system + irq + soft_irq;
    return ticks * (1'000'000'000 / ::sysconf(_SC_CLK_TCK));
}

double resident_kib(pid_t pid)
{
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmRSS:")) return std::stod(line.substr(6));
    throw e2e::Broken("a server's memory can't be read");
}

double quantile(std::vector<double> samples, double part)
{
    if (samples.empty()) return 0;
    const auto rank = std::ceil(part * static_cast<double>(samples.size()));
    const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
    const auto at = samples.begin() + static_cast<std::ptrdiff_t>(index);
    std::nth_element(samples.begin(), at, samples.end());
    return *at;
}

}  // namespace entente::bench
