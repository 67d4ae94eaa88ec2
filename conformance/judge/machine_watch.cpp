#include "conformance/judge/machine_watch.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "conformance/sockets/socket.hpp"

namespace entente::conformance {

namespace {

constexpr Millis probe_step{100};
constexpr std::chrono::milliseconds computing_time{10};
constexpr std::size_t written_octets = 4'096;

// For how long this thread has computed.
std::chrono::nanoseconds computed()
{
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Has no name, and is gone with its descriptor. Not open where there can't be one.
Descriptor nameless_file(const std::string& folder)
{
    return Descriptor(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

}  // namespace

Timing timing_of(Millis took, Millis limit, Millis worst)
{
    if (took <= limit) return Timing::in_time;
    return took > limit + hand_offs * worst ? Timing::late : Timing::unclear;
}

MachineWatch::MachineWatch(const std::string& folder)
{
    const auto now = Clock::now();
    computing_.due = writing_.due = now + probe_step;
    threads_.emplace_back([this](const std::stop_token& stop) { compute(stop); });
    auto file = nameless_file(folder);
    if (file.is_open()) {
        threads_.emplace_back([this, file = std::move(file)](const std::stop_token& stop) {
            write(stop, file.get());
        });
    } else {
        writing_.due = Deadline::max();
    }
}

void MachineWatch::compute(const std::stop_token& stop)
{
    repeat(stop, computing_, [] {
        const auto until = computed() + computing_time;
        while (computed() < until) {
        }
        return computing_time;
    });
}

void MachineWatch::write(const std::stop_token& stop, int file)
{
    const std::string octets(written_octets, 'x');
    repeat(stop, writing_, [&] {
        // Where it fails, it was at least not kept waiting.
        static_cast<void>(::pwrite(file, octets.data(), octets.size(), 0));
        static_cast<void>(::fdatasync(file));
        return Millis(0);
    });
}

void MachineWatch::repeat(const std::stop_token& stop, Probe& probe,
                          const std::function<Millis()>& work)
{
    auto due = Clock::now() + probe_step;
    while (!stop.stop_requested()) {
        {
            const std::lock_guard lock(mutex_);
            probe.due = due;
        }
        std::this_thread::sleep_until(due);
        const auto own_time = work();
        const auto now = Clock::now();
        const auto length = std::chrono::ceil<Millis>(now - due) - own_time;
        due = now + probe_step;
        const std::lock_guard lock(mutex_);
        probe.delays.push_back({now, length});
        probe.due = due;
    }
}

Millis MachineWatch::worst_since(Deadline from) const
{
    const auto now = Clock::now();
    auto worst = Millis(0);
    const std::lock_guard lock(mutex_);
    for (const auto* probe : {&computing_, &writing_}) {
        for (const auto& delay : probe->delays)
            if (delay.until >= from) worst = std::max(worst, delay.length);
        if (probe->due < now) worst = std::max(worst, std::chrono::ceil<Millis>(now - probe->due));
    }
    return worst;
}

void MachineWatch::expect_within(Millis took, Millis limit, const std::string& assertion,
                                 const std::string& detail, Deadline began) const
{
    const auto worst = worst_since(began);
    const auto timing = timing_of(took, limit, worst);
    if (timing == Timing::in_time) return;
    const auto told = detail + ": " + std::to_string(took.count()) + " ms, where " +
                      std::to_string(limit.count()) +
                      " are allowed, and this machine kept the runner itself waiting for " +
                      std::to_string(worst.count());
    if (timing == Timing::late) throw Broken(assertion, told);
    throw TooNoisy(told);
}

}  // namespace entente::conformance
