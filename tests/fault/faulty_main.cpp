// ententd-faulty: ententd on a disk that fails on demand, for tests. A kill -9 is a power
// cut here: every start is one of a new boot. $FAULTY_DISK has the first commands,
// $FAULTY_DISK_PIPE names a FIFO for later ones (commands.hpp). $FAULTY_DISK_BOOT is the
// boot id to tell where kept files make a cut harmless to the replay window.
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "daemon/run.hpp"
#include "tests/fault/commands.hpp"
#include "tests/fault/rocks_files.hpp"
#include "tests/fault/sqlite_vfs.hpp"

namespace {

using namespace entente;

constexpr const char* vfs_name = "entente-faulty";

std::string environment(const char* name)
{
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

void take_commands(fault::Disk& disk, int pipe)
{
    std::string waiting;
    for (char octet = 0;;) {
        const auto got = ::read(pipe, &octet, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return;
        waiting += octet;
        if (octet != '\n') continue;
        try {
            fault::obey(disk, waiting);
            std::cerr << "disk: " << waiting << std::flush;
        } catch (const std::exception& error) {
            std::cerr << "disk: " << error.what() << std::flush;
        }
        waiting.clear();
    }
}

}  // namespace

int main(int argc, char** argv)
{
    const auto commands = environment("FAULTY_DISK");
    auto options = fault::options_in(commands);
    options.on_cut = [] { ::kill(::getpid(), SIGKILL); };
    // Lives until the process ends, as the listening thread does.
    auto* const disk = new fault::Disk(std::move(options));
    fault::obey(*disk, commands);
    static const fault::SqliteVfs vfs(*disk, vfs_name);
    static const auto env = fault::make_rocks_env(*disk);
    if (const auto path = environment("FAULTY_DISK_PIPE"); !path.empty()) {
        // For writing too: so it never ends.
        const int pipe = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
        if (pipe < 0) {
            std::cerr << "ententd-faulty: " << path << ": " << std::strerror(errno) << "\n";
            return 1;
        }
        std::thread(take_commands, std::ref(*disk), pipe).detach();
    }
    daemon::StoragePlatform platform;
    platform.sqlite_vfs = vfs.name();
    platform.rocks_env = env.get();
    std::random_device random;
    platform.boot_id = environment("FAULTY_DISK_BOOT");
    if (platform.boot_id.empty())
        platform.boot_id = std::to_string(random()) + "-" + std::to_string(random());
    return daemon::run_program(argc, argv, std::move(platform));
}
