#include "conformance/target/command.hpp"

#include <array>
#include <csignal>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "conformance/sockets/socket.hpp"

namespace entente::conformance {

namespace {

constexpr std::size_t max_output = 16'777'216;

struct Pipe {
    Descriptor read;
    Descriptor write;
};

Pipe make_pipe()
{
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

}  // namespace

CommandResult run_command(const std::string& command, const nlohmann::json& input,
                          Deadline deadline)
{
    return run_command_on(command, input.dump() + "\n", deadline);
}

CommandResult run_command_on(const std::string& command, std::string_view input, Deadline deadline)
{
    CommandResult result;
    auto in_pipe = make_pipe();
    auto out_pipe = make_pipe();
    if (!in_pipe.read.is_open() || !out_pipe.read.is_open()) {
        result.error = "no pipe can be had";
        return result;
    }
    const auto child = ::fork();
    if (child < 0) {
        result.error = "no process can be had";
        return result;
    }
    if (child == 0) {
        ::setpgid(0, 0);
        ::dup2(in_pipe.read.get(), STDIN_FILENO);
        ::dup2(out_pipe.write.get(), STDOUT_FILENO);
        ::signal(SIGPIPE, SIG_DFL);
        ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
        ::_exit(127);
    }
    ::setpgid(child, child);
    in_pipe.read.close();
    out_pipe.write.close();
    auto left_to_write = input;
    ::fcntl(in_pipe.write.get(), F_SETFL, O_NONBLOCK);
    bool late = false;
    for (bool open = true; open;) {
        std::array<pollfd, 2> both{pollfd{out_pipe.read.get(), POLLIN, 0},
                                   pollfd{in_pipe.write.get(), POLLOUT, 0}};
        const auto wait = static_cast<int>(std::min<std::int64_t>(left(deadline).count(), 60'000));
        const auto count = in_pipe.write.is_open() ? 2U : 1U;
        if (::poll(both.data(), count, wait) == 0 && Clock::now() >= deadline) {
            late = true;
            break;
        }
        if (count == 2 && both[1].revents != 0) {
            const auto sent =
                ::write(in_pipe.write.get(), left_to_write.data(), left_to_write.size());
            if (sent > 0) left_to_write.remove_prefix(static_cast<std::size_t>(sent));
            if (sent < 0 || left_to_write.empty()) in_pipe.write.close();
        }
        if (both[0].revents != 0) {
            std::array<char, 16'384> buffer;
            const auto got = ::read(out_pipe.read.get(), buffer.data(), buffer.size());
            open = got > 0 && result.output.size() < max_output;
            if (got > 0) result.output.append(buffer.data(), static_cast<std::size_t>(got));
        }
    }
    if (late) ::kill(-child, SIGKILL);
    in_pipe.write.close();
    int status = 0;
    ::waitpid(child, &status, 0);
    if (late) {
        result.error = "it took too long";
    } else if (WIFEXITED(status)) {
        result.exit_code = WEXITSTATUS(status);
    } else {
        result.error = "it was ended by signal " + std::to_string(WTERMSIG(status));
    }
    return result;
}

}  // namespace entente::conformance
