// The fixture of tests with real daemons on disks that fail: which nodes run as
// ententd-faulty, with which commands, and how they are told more while they run.
#pragma once

#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {

class FaultyWorld : public WorldTest {
 protected:
    // From its next start on. `boot`: the boot id that it tells, "" for a new one each time.
    void make_faulty(Node& node, const std::string& commands = "", const std::string& boot = "",
                     std::vector<std::string> environment = {})
    {
        const auto pipe = pipe_of(node);
        if (::mkfifo(pipe.c_str(), 0600) != 0 && errno != EEXIST) throw Broken("mkfifo " + pipe);
        environment.insert(
            environment.end(),
            {"FAULTY_DISK=" + commands, "FAULTY_DISK_PIPE=" + pipe, "FAULTY_DISK_BOOT=" + boot});
        node.run_as("ententd-faulty", std::move(environment));
    }

    // Returns once the disk has heard it.
    void tell(const Node& node, const std::string& command)
    {
        const auto heard = [&] {
            const auto log = node.log_text();
            std::size_t count = 0;
            const auto line = "disk: " + command + "\n";
            for (auto at = log.find(line); at != std::string::npos; at = log.find(line, at + 1))
                ++count;
            return count;
        };
        const auto before = heard();
        send(node, command);
        wait_until("the disk has heard: " + command, [&] { return heard() > before; });
    }
    // For commands that may end the process.
    static void send(const Node& node, const std::string& command)
    {
        const int pipe = ::open(pipe_of(node).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (pipe < 0) throw Broken("nobody reads the pipe of " + node.name());
        const auto line = command + "\n";
        const auto written = ::write(pipe, line.data(), line.size());
        ::close(pipe);
        if (written != static_cast<ssize_t>(line.size())) throw Broken("the pipe is full");
    }

    static std::string pipe_of(const Node& node) { return node.folder() + "/faults"; }
};

}  // namespace entente::e2e
