#include "conformance/reference/selftest_bench.hpp"

#include <atomic>
#include <csignal>
#include <stdexcept>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include "conformance/reference/process.hpp"

namespace entente::conformance::reference {

namespace {

namespace fs = std::filesystem;

constexpr int first_port = 21'000;
constexpr int last_port = 21'999;

// Two that were free a moment ago, and that no other bench of this process has been given.
std::uint16_t free_ports()
{
    static std::atomic<int> next{first_port + ::getpid() % 400 * 2};
    std::string error;
    for (int tries = first_port; tries < last_port; tries += 2) {
        auto port = next.fetch_add(2);
        port = first_port + (port - first_port) % (last_port - first_port + 1);
        const auto is_free = [&](int one) {
            return listen_tcp({"127.0.0.1", static_cast<std::uint16_t>(one)}, error).is_open();
        };
        if (is_free(port) && is_free(port + 1)) return static_cast<std::uint16_t>(port);
    }
    throw std::runtime_error("no ports are free: " + error);
}

Settings new_settings(const std::vector<std::string>& flags)
{
    static std::atomic<int> number{0};
    const auto port = free_ports();
    Settings settings;
    settings.folder = bench_root() / std::to_string(++number);
    settings.name = "reference.test";
    settings.listen = {"127.0.0.1", port};
    settings.domain = "peers.test";
    settings.peers = {"127.0.0.1", static_cast<std::uint16_t>(port + 1)};
    settings.flags = flags;
    settings.owner = ::getpid();
    write_settings(settings);
    return settings;
}

}  // namespace

fs::path bench_root()
{
    return fs::temp_directory_path() / ("entente-selftest-" + std::to_string(::getpid()));
}

Bench::Bench(const std::vector<std::string>& flags, std::vector<std::string> vectors)
    : settings_(new_settings(flags)), vectors_(std::move(vectors))
{
    process_ = start_peer(settings_.folder);
    open();
}

Bench::Bench(NullKind kind) : settings_(new_settings({}))
{
    null_ = start_null(settings_, kind);
    open();
}

void Bench::open()
{
    auto file = read_target((settings_.folder / "target.toml").string());
    file.vectors = vectors_;
    world_ = std::make_unique<World>(std::move(file));
}

Bench::~Bench()
{
    world_.reset();
    null_.reset();
    if (process_ == 0) return;
    try {
        stop_peer(settings_.folder, SIGKILL);
    } catch (const std::runtime_error&) {
    }
    // The one that was started first; hooks may have started others.
    ::waitpid(process_, nullptr, WNOHANG);
    std::error_code ignored;
    fs::remove_all(settings_.folder, ignored);
}

}  // namespace entente::conformance::reference
