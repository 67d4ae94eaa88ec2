// How far the database had come, remembered outside of it: beside the replay window and in
// the run-time folder. Where one of them names a run that the database doesn't have, or
// knows nothing though the database has runs, older data may have been put back [LOG-5].
// Says no more than that; what follows from it is federation/repair's business.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "storage/event_index.hpp"

namespace entente::storage {

// The newest run that was committed. Blocking; survives a kill -9 when it returns.
class CommitMemory {
 public:
    virtual ~CommitMemory() = default;
    [[nodiscard]] virtual Result<std::optional<IndexMark>> newest_run() = 0;
    [[nodiscard]] virtual Result<void> set_newest_run(const IndexMark& newest) = 0;
};

// A small file in a folder that restarts of the service leave alone and that no backup of
// the data holds. What was written before the machine's last start counts for nothing, on
// whatever disk it lies: the whole machine may have been put back. A write that fails takes
// the file with it, so that the next start finds none.
[[nodiscard]] Result<std::unique_ptr<CommitMemory>> open_commit_file(const std::string& path,
                                                                     const std::string& boot_id);

class CommitMarks {
 public:
    // Both outlive it; null where one can't be had: then every start of a database that has
    // runs may be that of an older one.
    CommitMarks(CommitMemory* window, CommitMemory* run_time);

    // Before anything is committed.
    [[nodiscard]] Result<bool> may_be_restored(Connection& db);
    // From now on the database counts as it is. Once it is durable what follows from the
    // answer above, and not before: a start that is cut off must find the same.
    [[nodiscard]] Result<void> accept(Connection& db);
    // On the writer's thread, behind a commit and before anyone hears of it.
    void committed(const IndexMark& newest);

 private:
    CommitMemory* window_;
    CommitMemory* run_time_;
};

}  // namespace entente::storage
