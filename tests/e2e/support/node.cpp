#include "tests/e2e/support/node.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/tls.hpp"

namespace entente::e2e {

namespace fs = std::filesystem;

namespace {

constexpr Milliseconds poll_interval{10};

std::string read_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

// A child that dies with us, its streams going to `output`.
pid_t start_program(const std::vector<std::string>& arguments, int output,
                    const std::vector<std::string>& environment = {}, std::size_t files = 0)
{
    const auto program = bin_folder() + "/" + arguments.at(0);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const auto parent = ::getpid();
    const auto pid = ::fork();
    if (pid < 0) throw Broken(std::string("fork: ") + std::strerror(errno));
    if (pid > 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::signal(SIGPIPE, SIG_DFL);
    if (files > 0) {
        const rlimit limit{files, files};
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    for (const auto& variable : environment) ::putenv(const_cast<char*>(variable.c_str()));
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
}

int exit_code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool can_listen(std::uint16_t port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return bound;
}

// A name in the abstract namespace goes with the process that holds it, however it ends.
int try_lock(std::uint16_t port)
{
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto name = "entente-e2e-port-" + std::to_string(port);
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
    ::close(fd);
    return -1;
}

}  // namespace

std::string bin_folder()
{
    const char* const given = std::getenv("ENTENTE_BIN");
    if (given != nullptr) return given;
    return fs::read_symlink("/proc/self/exe").parent_path().string();
}

void wait_until(const std::string& what, const std::function<bool()>& condition, Milliseconds time)
{
    const auto deadline = std::chrono::steady_clock::now() + time;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline)
            throw Broken("waited in vain until " + what);
        std::this_thread::sleep_for(poll_interval);
    }
}

Finished run_program(const std::vector<std::string>& arguments)
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Broken("pipe");
    const auto pid = start_program(arguments, ends[1]);
    ::close(ends[1]);
    Finished finished;
    std::array<char, 4096> octets{};
    for (ssize_t got = 0; (got = ::read(ends[0], octets.data(), octets.size())) > 0;)
        finished.output.append(octets.data(), static_cast<std::size_t>(got));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    finished.exit_code = exit_code_of(status);
    return finished;
}

ReservedPort::ReservedPort()
{
    constexpr int first = 20'000;
    constexpr int count = 12'000;
    static int next = static_cast<int>(::getpid()) * 7;
    for (int tries = 0; tries < count; ++tries) {
        const auto port = static_cast<std::uint16_t>(first + next++ % count);
        lock_ = try_lock(port);
        if (lock_ < 0) continue;
        if (can_listen(port)) {
            number_ = port;
            return;
        }
        ::close(lock_);
    }
    throw Broken("no port is free");
}

ReservedPort::~ReservedPort()
{
    ::close(lock_);
}

Node::Node(const World& world, std::string name, Tuning tuning, std::string extra_config)
    : world_(world), name_(std::move(name))
{
    fs::create_directories(folder() + "/data");
    fs::permissions(folder() + "/data", fs::perms::owner_all);
    write_config(tuning, extra_config);
}

Node::~Node()
{
    kill9();
}

std::uint16_t Node::port() const
{
    return world_.port(name_);
}

std::string Node::folder() const
{
    return world_.folder() + "/" + name_;
}

void Node::write_config(Tuning tuning, const std::string& extra) const
{
    std::string resolve, peers;
    for (const auto& other : world_.names()) {
        if (other == name_) continue;
        const auto comma = resolve.empty() ? "" : ", ";
        resolve += comma +
                   ("\"" + other + "\" = \"127.0.0.1:" + std::to_string(world_.port(other)) + "\"");
        peers += comma + ("\"" + other + "\" = \"trusted\"");
    }
    std::ofstream config(config_file());
    config << "[server]\nname = \"" << name_ << "\"\ndata = \"" << folder() << "/data\"\n"
           << "runtime = \"" << folder() << "/run\"\n\n"
           << "[[listener]]\naddress = \"127.0.0.1:" << port() << "\"\ncertificate = \""
           << world_.certificate(name_) << "\"\nkey = \"" << world_.key(name_)
           << "\"\nserves = [\"federation\", \"client\", \"metrics\"]\n\n"
           << "[federation]\nallow_test_names = true\nallow_networks = [\"127.0.0.0/8\"]\n"
           << "resolve = { " << resolve << " }\nca_file = \"" << world_.ca_file() << "\"\n";
    if (tuning != Tuning::stock)
        config << "retry_first_ms = 50\nretry_max_ms = 1000\n"
               << "discovery_retry_first_ms = 1000\ndiscovery_retry_max_ms = 1000\n";
    if (tuning == Tuning::strangers) peers.clear();
    config << "\n[trust]\npeers = { " << peers << " }\n\n[registration]\nmode = \"open\"\n\n";
    if (tuning != Tuning::stock) config << "[log]\nlevel = \"debug\"\n";
    config << extra;
}

void Node::run_as(std::string program, std::vector<std::string> environment)
{
    program_ = std::move(program);
    environment_ = std::move(environment);
}

void Node::set_up()
{
    const auto done = run_program(
        {"ententctl", "setup", "--config", config_file(), "--secrets-file", folder() + "/secrets"});
    if (done.exit_code != 0) throw Broken("ententctl setup of " + name_ + ": " + done.output);
}

Finished Node::control(std::vector<std::string> arguments) const
{
    arguments.insert(arguments.begin(), "ententctl");
    arguments.insert(arguments.end(), {"--config", config_file()});
    return run_program(arguments);
}

void Node::spawn()
{
    const auto log = folder() + "/log";
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    pid_ = start_program({program_, "--config", config_file()}, fd, environment_, files_);
    ::close(fd);
}

void Node::start()
{
    if (is_running()) return;
    spawn();
    wait_until(name_ + " is ready", [this] {
        if (reap(false))
            throw Broken(name_ + " ended with " + std::to_string(exit_code_) + ": " + log_text());
        try {
            return get("/ready").status() == 200;
        } catch (const Broken&) {
            return false;
        }
    });
}

bool Node::reap(bool block)
{
    if (pid_ <= 0) return true;
    int status = 0;
    const auto ended = ::waitpid(pid_, &status, block ? 0 : WNOHANG);
    if (ended != pid_) return false;
    exit_code_ = exit_code_of(status);
    pid_ = -1;
    return true;
}

void Node::signal(int number) const
{
    if (pid_ > 0) ::kill(pid_, number);
}

void Node::kill9()
{
    signal(SIGKILL);
    reap(true);
}

int Node::terminate()
{
    signal(SIGTERM);
    return wait_for_exit();
}

int Node::wait_for_exit(Milliseconds time)
{
    wait_until(name_ + " has ended", [this] { return reap(false); }, time);
    return exit_code_;
}

std::string Node::log_text() const
{
    return read_file(folder() + "/log");
}

TlsSocket Node::connect(const std::string& source) const
{
    return TlsSocket::connect(port(), name_, world_.ca_file(), source);
}

HttpMessage Node::get(const std::string& target) const
{
    auto socket = connect();
    socket.write(write_request("GET", target, name_, {}, ""));
    std::string buffer;
    auto answer = read_message(socket, buffer, Milliseconds(10'000));
    if (!answer) throw Broken("no answer from " + name_);
    return *answer;
}

World::World(const std::vector<std::string>& servers, const std::vector<std::string>& others,
             const std::string& extra_config, Tuning tuning)
{
    auto pattern = (fs::temp_directory_path() / "entente-e2e-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw Broken("mkdtemp");
    folder_ = pattern;
    auto all = servers;
    all.insert(all.end(), others.begin(), others.end());
    std::ofstream bundle(ca_file());
    for (const auto& name : all) {
        ports_[name] = std::make_unique<ReservedPort>();
        auto made = net::make_self_signed(certificate(name), key(name),
                                          {name, "localhost", "127.0.0.1"}, 30);
        if (!made) throw Broken("certificate: " + made.error().detail);
        bundle << read_file(certificate(name));
    }
    bundle.close();
    for (const auto& name : servers) {
        nodes_[name] = std::make_unique<Node>(*this, name, tuning, extra_config);
        nodes_[name]->set_up();
    }
}

World::~World()
{
    nodes_.clear();
    std::error_code ignored;
    if (std::getenv("E2E_KEEP") == nullptr) fs::remove_all(folder_, ignored);
}

void World::start_all()
{
    for (const auto& [name, node] : nodes_) node->start();
}

std::string World::certificate(const std::string& name) const
{
    return folder_ + "/" + name + ".pem";
}

std::string World::key(const std::string& name) const
{
    return folder_ + "/" + name + ".key";
}

std::uint16_t World::port(const std::string& name) const
{
    return ports_.at(name)->number();
}

std::vector<std::string> World::names() const
{
    std::vector<std::string> names;
    for (const auto& [name, port] : ports_) names.push_back(name);
    return names;
}

std::string World::logs() const
{
    constexpr std::size_t most = 8'000;
    std::string text;
    for (const auto& [name, node] : nodes_) {
        const auto log = node->log_text();
        text += "--- log of " + name + "\n" + log.substr(log.size() > most ? log.size() - most : 0);
    }
    return text;
}

}  // namespace entente::e2e
