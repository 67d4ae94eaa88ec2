#include "tests/fault/volatile_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace entente::fault {
namespace {

// The machine's own disk has failed under the one that is played: no test can go on.
[[noreturn]] void give_up(const char* what)
{
    std::perror(what);
    std::abort();
}

}  // namespace

VolatileFile::VolatileFile(int descriptor, std::string real_path, bool is_hidden)
    : descriptor_(descriptor), real_path_(std::move(real_path)), is_hidden_(is_hidden)
{
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) give_up("fstat");
    size_ = real_limit_ = static_cast<std::uint64_t>(status.st_size);
}

VolatileFile::~VolatileFile()
{
    ::close(descriptor_);
    if (is_hidden_) ::unlink(real_path_.c_str());
}

void VolatileFile::fill(std::uint64_t number, Page& page) const
{
    page.fill('\0');
    const auto offset = number * page_octets;
    if (offset >= real_limit_) return;
    const auto wanted = std::min(page_octets, real_limit_ - offset);
    if (::pread(descriptor_, page.data(), wanted, static_cast<off_t>(offset)) < 0) give_up("pread");
}

VolatileFile::Page& VolatileFile::page(std::uint64_t number)
{
    auto& place = pages_[number];
    if (place == nullptr) {
        place = std::make_unique<Page>();
        fill(number, *place);
    }
    return *place;
}

std::size_t VolatileFile::read(std::uint64_t offset, char* to, std::size_t count) const
{
    if (offset >= size_) return 0;
    count = static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - offset));
    Page clean;
    for (std::size_t done = 0; done < count;) {
        const auto number = (offset + done) / page_octets;
        const auto begin = (offset + done) % page_octets;
        const auto part =
            static_cast<std::size_t>(std::min<std::uint64_t>(page_octets - begin, count - done));
        const auto found = pages_.find(number);
        if (found == pages_.end()) fill(number, clean);
        const Page& from = found == pages_.end() ? clean : *found->second;
        std::memcpy(to + done, from.data() + begin, part);
        done += part;
    }
    return count;
}

void VolatileFile::write(std::uint64_t offset, std::string_view octets, Survival& survival)
{
    if (octets.empty()) return;
    const auto end = offset + octets.size();
    for (auto at = offset; at < end;) {
        const auto begin = at % page_octets;
        const auto part = std::min(page_octets - begin, end - at);
        std::memcpy(page(at / page_octets).data() + begin, octets.data() + (at - offset), part);
        at += part;
    }
    size_ = std::max(size_, end);
    std::vector<std::uint64_t> survivors;
    for (auto sector = offset / sector_octets; sector <= (end - 1) / sector_octets; ++sector) {
        dirty_.insert(sector);
        if (survival.draw()) survivors.push_back(sector);
    }
    for (const auto sector : survivors) put_sector(sector);
}

void VolatileFile::put_sector(std::uint64_t sector)
{
    const auto offset = sector * sector_octets;
    if (offset >= size_) return;
    const auto& from = page(offset / page_octets);
    const auto count = std::min(sector_octets, size_ - offset);
    const auto done = ::pwrite(descriptor_, from.data() + offset % page_octets, count,
                               static_cast<off_t>(offset));
    if (done != static_cast<ssize_t>(count)) give_up("pwrite");
}

void VolatileFile::truncate(std::uint64_t size, Survival& survival)
{
    if (size < size_) {
        is_truncated_ = true;
        // The rest of the page at the new end reads as zeros if the file grows again.
        if (size % page_octets != 0) {
            auto& last = page(size / page_octets);
            std::fill(last.begin() + static_cast<std::ptrdiff_t>(size % page_octets), last.end(),
                      '\0');
        }
        pages_.erase(pages_.lower_bound((size + page_octets - 1) / page_octets), pages_.end());
        dirty_.erase(dirty_.lower_bound((size + sector_octets - 1) / sector_octets), dirty_.end());
        real_limit_ = std::min(real_limit_, size);
        if (survival.draw() && ::ftruncate(descriptor_, static_cast<off_t>(size)) != 0)
            give_up("ftruncate");
    }
    size_ = size;
}

void VolatileFile::sync(Survival& survival)
{
    if (is_truncated_ && ::ftruncate(descriptor_, static_cast<off_t>(real_limit_)) != 0)
        give_up("ftruncate");
    std::vector<std::uint64_t> sectors(dirty_.begin(), dirty_.end());
    // The process may be killed in between: no order is promised before the sync returns.
    if (survival.is_possible()) std::ranges::shuffle(sectors, survival.random());
    for (const auto sector : sectors) put_sector(sector);
    if (::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0) give_up("ftruncate");
    dirty_.clear();
    is_truncated_ = false;
    real_limit_ = size_;
    // Pages that were lost are seen until somebody writes them anew.
    if (!has_lost_) pages_.clear();
}

void VolatileFile::sync_partly(Survival& survival)
{
    for (const auto sector : std::vector<std::uint64_t>(dirty_.begin(), dirty_.end()))
        if (survival.draw()) put_sector(sector);
}

void VolatileFile::lose()
{
    has_lost_ = has_lost_ || !dirty_.empty();
    dirty_.clear();
}

}  // namespace entente::fault
