// What waits for the writer or a reader of a group commit, and how it is run there.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "storage/completion.hpp"
#include "storage/group_commit.hpp"

namespace entente::storage {

using WriteJob = std::function<Result<void>(WriteTransaction&)>;
using ReadJob = std::function<Result<void>(Connection&)>;

template <class Job>
struct Pending {
    Job job;
    std::shared_ptr<Waiter> waiter;
};

// A job's exception must not reach the thread's end.
template <class Job, class Argument>
Result<void> run_guarded(Job& job, Argument& argument)
{
    try {
        return job(argument);
    } catch (const std::exception& caught) {
        return fail(Code::internal, std::string("a storage job threw: ") + caught.what());
    } catch (...) {
        return fail(Code::internal, "a storage job threw");
    }
}

}  // namespace entente::storage
