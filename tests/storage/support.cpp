#include "support.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <stdexcept>

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace entente::storage::testing {

std::atomic<bool> syncs_fail{false};

namespace {

std::map<std::string, ChildMode>& child_modes()
{
    static std::map<std::string, ChildMode> modes;
    return modes;
}

}  // namespace

TemporaryFolder::TemporaryFolder()
{
    auto pattern = (std::filesystem::temp_directory_path() / "entente-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
}

TemporaryFolder::~TemporaryFolder()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::vector<int> kill_child_after(const std::string& mode, const std::string& argument,
                                  std::size_t enough)
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), 0) != 0) throw std::runtime_error("pipe");
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], STDOUT_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        ::execl("/proc/self/exe", "storage_tests", "--child", mode.c_str(), argument.c_str(),
                nullptr);
        ::_exit(127);
    }
    ::close(ends[1]);
    std::vector<int> numbers;
    bool is_killed = false;
    FILE* lines = ::fdopen(ends[0], "r");
    int number = 0;
    while (std::fscanf(lines, "%d\n", &number) == 1) {
        numbers.push_back(number);
        if (numbers.size() >= enough && !is_killed) {
            ::kill(child, SIGKILL);
            is_killed = true;
        }
    }
    std::fclose(lines);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(is_killed && WIFSIGNALED(status)) << "the child ended by itself: " << status;
    return numbers;
}

Child::Child(const std::string& mode, ChildMode run)
{
    child_modes()[mode] = run;
}

void print_number(int number)
{
    const auto line = std::to_string(number) + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(1);
}

std::vector<std::int64_t> integers(Connection& connection, const char* sql)
{
    auto query = Query::prepare(connection, sql);
    if (!query) throw std::runtime_error(query.error().detail);
    std::vector<std::int64_t> found;
    for (;;) {
        auto row = (*query)->step();
        if (!row) throw std::runtime_error(row.error().detail);
        if (!*row) return found;
        found.push_back((*query)->integer(0));
    }
}

}  // namespace entente::storage::testing

// Stands before the C library's, also for SQLite and RocksDB.
extern "C" int fdatasync(int file)
{
    if (entente::storage::testing::syncs_fail) {
        errno = EIO;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_fdatasync, file));
}

int main(int argc, char** argv)
{
    if (argc == 4 && std::string(argv[1]) == "--child") {
        return entente::storage::testing::child_modes().at(argv[2])(argv[3]);
    }
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
