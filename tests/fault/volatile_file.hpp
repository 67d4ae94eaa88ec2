// One file of a disk whose cache is lost with the power: what was written since the last
// sync is kept in memory, laid over a real file that holds what is durable. A cut is then
// nothing but forgetting; a kill -9 of the process does it. Knows neither names nor faults.
// Not thread-safe: its disk locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>

namespace entente::fault {

inline constexpr std::uint64_t page_octets = 4096;
// What a disk writes whole or not at all. Octets beside a written range never change with
// it, which SQLite takes for granted (its "powersafe overwrite").
inline constexpr std::uint64_t sector_octets = 512;

// Decides by a seed which unsynced writes reach the disk before they are synced.
class Survival {
 public:
    Survival(std::uint64_t seed, double share) : random_(seed), share_(share) {}
    [[nodiscard]] bool draw() { return share_ > 0 && even_(random_) < share_; }
    [[nodiscard]] bool is_possible() const { return share_ > 0; }
    [[nodiscard]] std::mt19937_64& random() { return random_; }

 private:
    std::mt19937_64 random_;
    std::uniform_real_distribution<double> even_{0.0, 1.0};
    double share_;
};

class VolatileFile {
 public:
    // Takes the descriptor, which is open for reading and writing.
    VolatileFile(int descriptor, std::string real_path, bool is_hidden);
    ~VolatileFile();
    VolatileFile(const VolatileFile&) = delete;
    VolatileFile& operator=(const VolatileFile&) = delete;

    [[nodiscard]] std::uint64_t size() const { return size_; }
    // As every process sees it, synced or not; fewer octets only at the end.
    [[nodiscard]] std::size_t read(std::uint64_t offset, char* to, std::size_t count) const;
    // Sectors for which `survival` says so reach the disk at once, in no order.
    void write(std::uint64_t offset, std::string_view octets, Survival& survival);
    void truncate(std::uint64_t size, Survival& survival);
    void sync(Survival& survival);
    // The power went while it was being synced.
    void sync_partly(Survival& survival);
    // A sync failed: the kernel takes the pages for clean and never writes them again,
    // while readers still see them.
    void lose();

    // Where the durable octets are; hidden while the file's name isn't durable.
    [[nodiscard]] const std::string& real_path() const { return real_path_; }
    void set_real_path(std::string path)
    {
        real_path_ = std::move(path);
        is_hidden_ = false;
    }

 private:
    using Page = std::array<char, page_octets>;

    [[nodiscard]] Page& page(std::uint64_t number);
    void fill(std::uint64_t number, Page& page) const;
    void put_sector(std::uint64_t sector);

    int descriptor_;
    std::string real_path_;
    bool is_hidden_;
    std::uint64_t size_ = 0;
    // Octets of the real file that still count: those behind were truncated since.
    std::uint64_t real_limit_ = 0;
    bool is_truncated_ = false;
    bool has_lost_ = false;
    std::map<std::uint64_t, std::unique_ptr<Page>> pages_;  // where it differs, or may
    std::set<std::uint64_t> dirty_;                         // sectors
};

}  // namespace entente::fault
