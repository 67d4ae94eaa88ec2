// What the storage tests share: folders that go away, children that are killed, a runner
// for coroutines, syncs that fail on demand. Nothing here pretends to be a store.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "storage/driver.hpp"

namespace entente::storage::testing {

namespace asio = boost::asio;

class TemporaryFolder {
 public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
    std::string path_;
};

// While true, every fdatasync of this process fails with EIO.
extern std::atomic<bool> syncs_fail;

// Runs this program as `--child mode argument`, reads numbers that it prints one a line,
// kills it with -9 once it has printed `enough`, and returns all that it printed.
[[nodiscard]] std::vector<int> kill_child_after(const std::string& mode,
                                                const std::string& argument, std::size_t enough);

using ChildMode = int (*)(const std::string& argument);
// Registers what a child does.
struct Child {
    Child(const std::string& mode, ChildMode run);
};
void print_number(int number);

// Runs until nothing is left to do.
template <class T>
T run(asio::io_context& io, asio::awaitable<T> task)
{
    std::optional<T> outcome;
    asio::co_spawn(io, std::move(task), [&outcome](const std::exception_ptr& thrown, T value) {
        if (thrown) std::rethrow_exception(thrown);
        outcome.emplace(std::move(value));
    });
    io.restart();
    io.run();
    return std::move(outcome.value());
}

// The integers of a query's first column.
[[nodiscard]] std::vector<std::int64_t> integers(Connection& connection, const char* sql);

}  // namespace entente::storage::testing
