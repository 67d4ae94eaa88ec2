#include "conformance/reference/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "conformance/reference/peer.hpp"

namespace entente::conformance::reference {

namespace {

namespace fs = std::filesystem;

constexpr Millis start_time{20'000};
constexpr Millis stop_time{20'000};
constexpr Millis look_step{20};
constexpr Millis watch_step{500};
constexpr const char* control_name = "control";

sockaddr_un address_in(const fs::path& folder)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = (folder / control_name).string();
    if (path.size() >= sizeof address.sun_path)
        throw std::runtime_error(path + " is too long for a socket");
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

Descriptor connect_control(const fs::path& folder)
{
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = address_in(folder);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return {};
    return socket;
}

std::string read_all(int descriptor)
{
    std::string text;
    std::array<char, 16'384> buffer;
    for (;;) {
        const auto got = ::read(descriptor, buffer.data(), buffer.size());
        if (got <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

void write_all(int descriptor, std::string_view text)
{
    while (!text.empty()) {
        const auto sent = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

// The hook's name in the first line, its input in the others; a line of JSON for each.
std::string obey_lines(Peer& peer, const std::string& asked)
{
    std::istringstream lines(asked);
    std::string name;
    std::getline(lines, name);
    std::string told;
    for (std::string line; std::getline(lines, line);) {
        auto input = nlohmann::json::parse(line, nullptr, false);
        if (!input.is_object()) input = nlohmann::json::object();
        told += peer.obey(name, input).dump() + "\n";
    }
    return told;
}

void serve_control(const fs::path& folder, Peer& peer)
{
    fs::remove(folder / control_name);
    const Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = address_in(folder);
    if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener.get(), 8) != 0)
        throw std::runtime_error("no control socket can be had");
    for (;;) {
        const Descriptor socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!socket.is_open()) continue;
        try {
            write_all(socket.get(), obey_lines(peer, read_all(socket.get())));
        } catch (const std::exception& error) {
            std::fprintf(stderr, "a hook fails: %s\n", error.what());
        }
    }
}

// Held by the peer until it ends, however it does.
Descriptor take_lock(const fs::path& folder)
{
    Descriptor lock(
        ::open((folder / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return {};
    return lock;
}

bool has_ended(int process)
{
    return process > 0 && ::kill(process, 0) != 0 && errno == ESRCH;
}

}  // namespace

int run_peer(const fs::path& folder)
{
    const auto lock = take_lock(folder);
    if (!lock.is_open()) {
        std::fprintf(stderr, "a peer runs in %s already\n", folder.c_str());
        return 1;
    }
    std::ofstream(folder / "pid") << ::getpid() << "\n";
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGTERM);
    ::sigaddset(&ends, SIGINT);
    // Before there are threads: only this one takes them.
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    const auto settings = read_settings(folder);
    Peer peer(settings);
    std::thread([&] { serve_control(folder, peer); }).detach();
    for (;;) {
        const timespec step{0, watch_step.count() * 1'000'000};
        if (::sigtimedwait(&ends, nullptr, &step) > 0 || has_ended(settings.owner)) break;
    }
    // What matters is in the journal; threads that wait for somebody needn't be waited for.
    std::_Exit(0);
}

int start_peer(const fs::path& folder)
{
    const auto self = fs::read_symlink("/proc/self/exe").string();
    const auto log = (folder / "log").string();
    const auto where = folder.string();
    const auto child = ::fork();
    if (child < 0) throw std::runtime_error("no process can be had");
    if (child == 0) {
        ::setsid();
        const int nothing = ::open("/dev/null", O_RDONLY);
        const int written = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
        ::dup2(nothing, STDIN_FILENO);
        ::dup2(written, STDOUT_FILENO);
        ::dup2(written, STDERR_FILENO);
        ::execl(self.c_str(), self.c_str(), "reference", "--folder", where.c_str(),
                static_cast<char*>(nullptr));
        ::_exit(127);
    }
    const auto until = in(start_time);
    while (!connect_control(folder).is_open()) {
        if (Clock::now() >= until)
            throw std::runtime_error("the reference peer doesn't start; see " + log);
        std::this_thread::sleep_for(look_step);
    }
    return child;
}

void stop_peer(const fs::path& folder, int signal)
{
    int process = 0;
    std::ifstream(folder / "pid") >> process;
    if (process <= 0 || take_lock(folder).is_open()) return;
    ::kill(process, signal);
    const auto until = in(stop_time);
    while (!take_lock(folder).is_open()) {
        if (Clock::now() >= until) throw std::runtime_error("the reference peer doesn't end");
        std::this_thread::sleep_for(look_step);
    }
    fs::remove(folder / control_name);
}

std::vector<std::string> run_hook(const fs::path& folder, const std::string& name,
                                  const std::vector<std::string>& lines)
{
    if (name == "restart" || name == "kill9") {
        stop_peer(folder, name == "restart" ? SIGTERM : SIGKILL);
        start_peer(folder);
        return {"{}"};
    }
    const auto socket = connect_control(folder);
    if (!socket.is_open()) throw std::runtime_error("no peer runs in " + folder.string());
    auto asked = name + "\n";
    for (const auto& line : lines) asked += line + "\n";
    write_all(socket.get(), asked);
    ::shutdown(socket.get(), SHUT_WR);
    std::istringstream told(read_all(socket.get()));
    std::vector<std::string> all;
    for (std::string line; std::getline(told, line);) all.push_back(line);
    if (all.size() != lines.size()) throw std::runtime_error("the peer can't: " + name);
    return all;
}

}  // namespace entente::conformance::reference
