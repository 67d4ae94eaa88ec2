#include "tests/bench/servers.hpp"

#include <atomic>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace entente::bench {

namespace {

constexpr const char* file_variable = "SYNC_COUNTER_FILE";
constexpr Nanoseconds ready_time = 60'000'000'000;
constexpr auto ask_interval = std::chrono::milliseconds(1);

bool is_ready(const e2e::Node& node)
{
    try {
        return node.get("/ready").status() == 200;
    } catch (const e2e::Broken&) {
        return false;
    }
}

}  // namespace

SyncCounter::SyncCounter(const std::string& file) : file_(file)
{
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    void* memory = MAP_FAILED;
    if (fd >= 0 && ::ftruncate(fd, sizeof(std::int64_t)) == 0)
        memory = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0) ::close(fd);
    if (memory == MAP_FAILED) throw e2e::Broken("no memory to count syncs in: " + file);
    shared_ = static_cast<std::int64_t*>(memory);
}

SyncCounter::~SyncCounter()
{
    ::munmap(shared_, sizeof(std::int64_t));
}

std::int64_t SyncCounter::count() const
{
    return __atomic_load_n(shared_, __ATOMIC_RELAXED);
}

void SyncCounter::hand_out() const
{
    ::setenv(file_variable, file_.c_str(), 1);
    ::setenv("LD_PRELOAD", ENTENTE_SYNC_LIBRARY, 1);
}

void SyncCounter::take_back()
{
    ::unsetenv(file_variable);
    ::unsetenv("LD_PRELOAD");
}

Servers::Servers(const std::string& extra_config, const std::vector<std::string>& others)
    : world_({"a.test", "b.test"}, others, extra_config, e2e::Tuning::stock)
{
}

std::string Servers::name(Side side) const
{
    return side == Side::a ? "a.test" : "b.test";
}

void Servers::start(Side side)
{
    const auto& counter = counters_[static_cast<std::size_t>(side)];
    if (counter) counter->hand_out();
    world_[name(side)].start();
    SyncCounter::take_back();
}

void Servers::start()
{
    start(Side::a);
    start(Side::b);
}

void Servers::stop()
{
    for (auto* node : {&a(), &b()})
        if (node->is_running() && node->terminate() != 0)
            throw e2e::Broken(node->name() + " didn't stop in order: " + node->log_text());
}

void Servers::count_syncs()
{
    for (const auto side : {Side::a, Side::b})
        counters_[static_cast<std::size_t>(side)] =
            std::make_unique<SyncCounter>(world_.folder() + "/" + name(side) + ".syncs");
}

std::int64_t Servers::syncs(Side side) const
{
    const auto& counter = counters_[static_cast<std::size_t>(side)];
    return counter ? counter->count() : 0;
}

double Servers::restart_a()
{
    if (a().is_running()) a().terminate();
    const auto begin = wall_now();
    a().spawn();
    while (!is_ready(a())) {
        if (wall_now() - begin > ready_time) throw e2e::Broken("a.test isn't ready in time");
        std::this_thread::sleep_for(ask_interval);
    }
    return static_cast<double>(wall_now() - begin) / 1e6;
}

}  // namespace entente::bench
