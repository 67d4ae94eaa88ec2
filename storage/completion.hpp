// One waiting coroutine as the storage threads hold it: completed once, on its own
// executor, with what became of its job. Private to group_commit.cpp and completion.cpp.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "protocol/result.hpp"

namespace entente::storage {

namespace asio = boost::asio;

// Keeps the executor from running out of work while it lives. A cancelled waiter is
// completed at once with `unavailable`; what its job comes to later is then dropped.
class Waiter {
 public:
    virtual ~Waiter() = default;
    // On any thread of the waiter's executor; every call after the first does nothing.
    virtual void complete(Result<void> result) = 0;
};

// Suspends the caller and hands its waiter to `start`, which arranges for `complete`.
[[nodiscard]] asio::awaitable<Result<void>> wait_for(
    asio::any_io_executor io, std::function<void(std::shared_ptr<Waiter>)> start);

// What one post brings to the I/O executor: what is to be done behind the commit, then what
// became of each job.
struct Completions {
    std::vector<std::function<void()>> actions;
    std::vector<std::pair<std::shared_ptr<Waiter>, Result<void>>> results;
};
void post_to(const asio::any_io_executor& io, Completions completions,
             std::function<void(Error)> on_fatal);

}  // namespace entente::storage
