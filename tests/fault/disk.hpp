// A disk that fails on demand, for SQLite and RocksDB alike: it forgets unsynced writes
// and unsynced names when its power is cut, fails its n-th call of a kind, fills up. Real
// files hold what is durable, so that a restarted process finds what a restarted machine
// would. How its two users call it stands in sqlite_vfs and rocks_files. Thread-safe.
#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "tests/fault/volatile_file.hpp"

namespace entente::fault {

enum class Op : std::uint8_t { open, read, write, truncate, sync, sync_folder, remove, rename };
inline constexpr std::size_t op_count = 8;
[[nodiscard]] std::string_view name_of(Op op);
[[nodiscard]] std::optional<Op> op_named(std::string_view name);

// The power goes at the call, before it has done anything.
inline constexpr int power_cut = 0;

struct Rule {
    std::optional<Op> op;     // nothing: any call
    std::string part;         // of the file's path; "" fits every file
    std::uint64_t first = 1;  // which call is struck, of those that fit, counted from now
    std::uint64_t times = 1;  // and how many from there on
    int error = EIO;          // errno, or power_cut
};
inline constexpr std::uint64_t for_ever = UINT64_MAX;

// The error is an errno.
template <class T>
using Io = tl::expected<T, int>;

struct DiskOptions {
    std::uint64_t seed = 1;
    // The share of unsynced sectors, truncations and names that reach the disk all the same,
    // whatever was written before them: 0 drops everything.
    double survival = 0;
    std::function<void()> on_cut;  // called with the disk locked
};

class Disk {
 public:
    // An open file. Worth nothing once the power has been cut.
    struct File {
        std::shared_ptr<VolatileFile> content;
        std::string path;
        std::uint64_t power = 0;
    };
    enum class Mode : std::uint8_t { existing, create, create_anew };

    explicit Disk(DiskOptions options = {});

    // --- faults
    void add(Rule rule);
    void heal();  // drops all rules, and syncs are fast again
    // Files whose path has `part` lose nothing: each change of theirs is durable at once.
    void keep(std::string part);
    // Each sync of a file whose path has `part` takes so much longer.
    void set_sync_time(std::chrono::milliseconds time, std::string part);
    // Octets by which files may still grow; nothing: any number.
    void set_space(std::optional<std::uint64_t> octets);
    [[nodiscard]] std::optional<std::uint64_t> space() const;
    // Nothing is read or written any more; what wasn't synced is gone.
    void cut();
    // Again after a cut. Files that were open stay dead.
    void power_on();
    [[nodiscard]] std::uint64_t calls(Op op) const;
    [[nodiscard]] std::uint64_t all_calls() const;
    // Calls that a rule or a full disk has struck.
    [[nodiscard]] std::uint64_t struck() const;

    // --- files, by absolute paths
    [[nodiscard]] Io<File> open(const std::string& path, Mode mode);
    [[nodiscard]] Io<std::size_t> read(const File& file, std::uint64_t offset, char* to,
                                       std::size_t count);
    [[nodiscard]] Io<void> write(const File& file, std::uint64_t offset, std::string_view octets);
    [[nodiscard]] Io<void> append(const File& file, std::string_view octets);
    [[nodiscard]] Io<void> truncate(const File& file, std::uint64_t size);
    [[nodiscard]] Io<void> sync(const File& file);
    [[nodiscard]] std::uint64_t size(const File& file) const;

    // --- names
    [[nodiscard]] Io<std::uint64_t> size_of(const std::string& path);
    [[nodiscard]] Io<void> remove(const std::string& path);
    // Of a file within its folder; a folder moves whole, and durably.
    [[nodiscard]] Io<void> rename(const std::string& from, const std::string& to);
    [[nodiscard]] Io<void> sync_folder(const std::string& folder);
    [[nodiscard]] Io<std::vector<std::string>> list(const std::string& folder);

 private:
    using Content = std::shared_ptr<VolatileFile>;

    [[nodiscard]] int strike(Op op, const std::string& path);
    [[nodiscard]] int strike(Op op, const File& file);
    [[nodiscard]] Io<void> write_locked(const File& file, std::uint64_t offset,
                                        std::string_view octets);
    [[nodiscard]] Io<Content> find(const std::string& path);
    [[nodiscard]] Io<Content> make(const std::string& path);
    void name(const std::string& path, Content content);
    void make_durable(const std::string& path);
    void give_back(std::uint64_t octets);
    void clean(const std::string& folder);
    [[nodiscard]] bool is_kept(const std::string& path) const;
    void wait_for_sync(const File& file) const;
    void cut_locked();

    mutable std::mutex mutex_;
    DiskOptions options_;
    Survival survival_;
    bool is_off_ = false;
    std::uint64_t power_ = 1;  // how often it has been switched on
    std::optional<std::uint64_t> space_;
    std::optional<std::string> kept_;
    std::chrono::milliseconds sync_time_{0};
    std::string slow_part_;

    struct Armed {
        Rule rule;
        std::uint64_t seen = 0;
    };
    std::vector<Armed> rules_;
    std::array<std::uint64_t, op_count> calls_{};
    std::uint64_t struck_ = 0;

    std::map<std::string, Content> names_;  // as seen; null where it was removed
    std::vector<std::string> unsynced_;     // names, in the order of their changes
    std::set<std::string> cleaned_;         // folders without what an earlier process left
    std::uint64_t hidden_ = 0;
};

}  // namespace entente::fault
