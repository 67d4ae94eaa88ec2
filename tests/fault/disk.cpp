#include "tests/fault/disk.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace entente::fault {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, op_count> op_names = {
    "open", "read", "write", "truncate", "sync", "sync_folder", "remove", "rename"};
// Files whose names aren't durable yet, in the folder where they will be.
constexpr std::string_view hidden_prefix = ".volatile-";

std::string plain(const std::string& path)
{
    auto normal = fs::path(path).lexically_normal().string();
    while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
    return normal;
}

std::string folder_of(const std::string& path)
{
    return fs::path(path).parent_path().string();
}

tl::unexpected<int> failed(int error)
{
    return tl::unexpected<int>(error);
}

}  // namespace

std::string_view name_of(Op op)
{
    return op_names.at(static_cast<std::size_t>(op));
}

std::optional<Op> op_named(std::string_view name)
{
    const auto found = std::ranges::find(op_names, name);
    if (found == op_names.end()) return std::nullopt;
    return static_cast<Op>(found - op_names.begin());
}

Disk::Disk(DiskOptions options)
    : options_(std::move(options)), survival_(options_.seed, options_.survival)
{
}

// --- faults ------------------------------------------------------------------------------

void Disk::add(Rule rule)
{
    const std::lock_guard lock(mutex_);
    rules_.push_back({std::move(rule)});
}

void Disk::heal()
{
    const std::lock_guard lock(mutex_);
    rules_.clear();
    sync_time_ = {};
}

void Disk::set_sync_time(std::chrono::milliseconds time, std::string part)
{
    const std::lock_guard lock(mutex_);
    sync_time_ = time;
    slow_part_ = std::move(part);
}

// Unlocked: other files are read and written meanwhile.
void Disk::wait_for_sync(const File& file) const
{
    std::chrono::milliseconds time{0};
    {
        const std::lock_guard lock(mutex_);
        if (file.path.find(slow_part_) != std::string::npos) time = sync_time_;
    }
    if (time.count() > 0) std::this_thread::sleep_for(time);
}

void Disk::keep(std::string part)
{
    const std::lock_guard lock(mutex_);
    kept_ = std::move(part);
}

bool Disk::is_kept(const std::string& path) const
{
    return kept_ && path.find(*kept_) != std::string::npos;
}

void Disk::set_space(std::optional<std::uint64_t> octets)
{
    const std::lock_guard lock(mutex_);
    space_ = octets;
}

std::optional<std::uint64_t> Disk::space() const
{
    const std::lock_guard lock(mutex_);
    return space_;
}

void Disk::cut()
{
    const std::lock_guard lock(mutex_);
    cut_locked();
}

void Disk::cut_locked()
{
    if (is_off_) return;
    is_off_ = true;
    if (options_.on_cut) options_.on_cut();
}

void Disk::power_on()
{
    const std::lock_guard lock(mutex_);
    is_off_ = false;
    ++power_;
    names_.clear();
    unsynced_.clear();
    cleaned_.clear();
}

std::uint64_t Disk::calls(Op op) const
{
    const std::lock_guard lock(mutex_);
    return calls_.at(static_cast<std::size_t>(op));
}

std::uint64_t Disk::all_calls() const
{
    const std::lock_guard lock(mutex_);
    std::uint64_t sum = 0;
    for (const auto count : calls_) sum += count;
    return sum;
}

std::uint64_t Disk::struck() const
{
    const std::lock_guard lock(mutex_);
    return struck_;
}

// The errno that a call fails with, 0 where it goes through.
int Disk::strike(Op op, const std::string& path)
{
    if (is_off_) return EIO;
    ++calls_.at(static_cast<std::size_t>(op));
    int error = 0;
    for (auto& [rule, seen] : rules_) {
        if (rule.op && *rule.op != op) continue;
        if (path.find(rule.part) == std::string::npos) continue;
        ++seen;
        if (seen < rule.first || seen - rule.first >= rule.times) continue;
        ++struck_;
        error = rule.error == power_cut ? EIO : rule.error;
        if (rule.error == power_cut) cut_locked();
    }
    return error;
}

int Disk::strike(Op op, const File& file)
{
    if (file.power != power_) return EIO;
    return strike(op, file.path);
}

// --- files -------------------------------------------------------------------------------

Io<Disk::File> Disk::open(const std::string& given, Mode mode)
{
    const auto path = plain(given);
    const std::lock_guard lock(mutex_);
    if (const int error = strike(Op::open, path)) return failed(error);
    auto found = find(path);
    if (!found && found.error() != ENOENT) return failed(found.error());
    if (!found && mode == Mode::existing) return failed(ENOENT);
    if (found && mode != Mode::create_anew) return File{*found, path, power_};
    if (found) give_back((*found)->size());
    auto made = make(path);
    if (!made) return failed(made.error());
    return File{*made, path, power_};
}

Io<std::size_t> Disk::read(const File& file, std::uint64_t offset, char* to, std::size_t count)
{
    const std::lock_guard lock(mutex_);
    if (const int error = strike(Op::read, file)) return failed(error);
    return file.content->read(offset, to, count);
}

Io<void> Disk::write(const File& file, std::uint64_t offset, std::string_view octets)
{
    const std::lock_guard lock(mutex_);
    return write_locked(file, offset, octets);
}

Io<void> Disk::append(const File& file, std::string_view octets)
{
    const std::lock_guard lock(mutex_);
    return write_locked(file, file.content->size(), octets);
}

Io<void> Disk::write_locked(const File& file, std::uint64_t offset, std::string_view octets)
{
    const int error = strike(Op::write, file);
    // A write that fails may have been done in part.
    if (error != 0) {
        if (!is_off_ && file.power == power_)
            file.content->write(offset, octets.substr(0, octets.size() / 2), survival_);
        return failed(error);
    }
    const auto size = file.content->size();
    const auto end = offset + octets.size();
    const auto growth = end > size ? end - size : 0;
    if (space_ && growth > *space_) {
        ++struck_;
        const auto fits = octets.size() - std::min<std::uint64_t>(growth - *space_, octets.size());
        file.content->write(offset, octets.substr(0, static_cast<std::size_t>(fits)), survival_);
        space_ = 0;
        return failed(ENOSPC);
    }
    if (space_) *space_ -= growth;
    file.content->write(offset, octets, survival_);
    if (is_kept(file.path)) file.content->sync(survival_);
    return {};
}

Io<void> Disk::truncate(const File& file, std::uint64_t size)
{
    const std::lock_guard lock(mutex_);
    if (const int error = strike(Op::truncate, file)) return failed(error);
    if (size < file.content->size()) give_back(file.content->size() - size);
    file.content->truncate(size, survival_);
    if (is_kept(file.path)) file.content->sync(survival_);
    return {};
}

Io<void> Disk::sync(const File& file)
{
    wait_for_sync(file);
    const std::lock_guard lock(mutex_);
    const bool was_off = is_off_ || file.power != power_;
    const int error = strike(Op::sync, file);
    if (error == 0) {
        file.content->sync(survival_);
        return {};
    }
    if (is_off_ && !was_off) file.content->sync_partly(survival_);
    if (!is_off_ && !was_off) file.content->lose();
    return failed(error);
}

std::uint64_t Disk::size(const File& file) const
{
    const std::lock_guard lock(mutex_);
    return file.content->size();
}

// --- names -------------------------------------------------------------------------------

void Disk::clean(const std::string& folder)
{
    if (!cleaned_.insert(folder).second) return;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored))
        if (entry.path().filename().string().starts_with(hidden_prefix))
            fs::remove(entry.path(), ignored);
}

Io<Disk::Content> Disk::find(const std::string& path)
{
    const auto known = names_.find(path);
    if (known != names_.end() && known->second == nullptr) return failed(ENOENT);
    if (known != names_.end()) return known->second;
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return failed(errno);
    if (!S_ISREG(status.st_mode)) return failed(EISDIR);
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return failed(errno);
    return names_[path] = std::make_shared<VolatileFile>(descriptor, path, false);
}

Io<Disk::Content> Disk::make(const std::string& path)
{
    const auto folder = folder_of(path);
    clean(folder);
    const auto hidden = folder + "/" + std::string(hidden_prefix) + std::to_string(++hidden_);
    const int descriptor = ::open(hidden.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return failed(errno);
    auto content = std::make_shared<VolatileFile>(descriptor, hidden, true);
    name(path, content);
    if (is_kept(path) || survival_.draw()) make_durable(path);
    return content;
}

void Disk::name(const std::string& path, Content content)
{
    names_[path] = std::move(content);
    std::erase(unsynced_, path);
    unsynced_.push_back(path);
}

void Disk::make_durable(const std::string& path)
{
    if (std::erase(unsynced_, path) == 0) return;
    const auto& content = names_.at(path);
    if (content == nullptr) {
        ::unlink(path.c_str());
        names_.erase(path);
        return;
    }
    if (content->real_path() == path) return;
    if (::rename(content->real_path().c_str(), path.c_str()) != 0) {
        std::perror("rename");
        std::abort();
    }
    content->set_real_path(path);
}

void Disk::give_back(std::uint64_t octets)
{
    if (space_) *space_ += octets;
}

Io<std::uint64_t> Disk::size_of(const std::string& given)
{
    const std::lock_guard lock(mutex_);
    if (is_off_) return failed(EIO);
    auto found = find(plain(given));
    if (!found) return failed(found.error());
    return (*found)->size();
}

Io<void> Disk::remove(const std::string& given)
{
    const auto path = plain(given);
    const std::lock_guard lock(mutex_);
    if (const int error = strike(Op::remove, path)) return failed(error);
    auto found = find(path);
    if (!found) return failed(found.error());
    give_back((*found)->size());
    name(path, nullptr);
    if (is_kept(path) || survival_.draw()) make_durable(path);
    return {};
}

Io<void> Disk::rename(const std::string& from_given, const std::string& to_given)
{
    const auto from = plain(from_given);
    const auto to = plain(to_given);
    const std::lock_guard lock(mutex_);
    if (const int error = strike(Op::rename, from)) return failed(error);
    std::error_code error;
    if (fs::is_directory(from, error)) {
        if (::rename(from.c_str(), to.c_str()) != 0) return failed(errno);
        const auto is_inside = [&](const std::string& path) {
            return path.starts_with(from + "/");
        };
        std::erase_if(names_, [&](const auto& entry) { return is_inside(entry.first); });
        std::erase_if(unsynced_, is_inside);
        return {};
    }
    auto found = find(from);
    if (!found) return failed(found.error());
    // In this order: a file that has its old name on the disk keeps one at any time.
    name(to, *found);
    name(from, nullptr);
    if (is_kept(to) || survival_.draw()) {
        make_durable(to);
        make_durable(from);
    }
    return {};
}

Io<void> Disk::sync_folder(const std::string& given)
{
    const auto folder = plain(given);
    const std::lock_guard lock(mutex_);
    if (const int error = strike(Op::sync_folder, folder)) return failed(error);
    for (const auto& path : std::vector<std::string>(unsynced_))
        if (folder_of(path) == folder) make_durable(path);
    return {};
}

Io<std::vector<std::string>> Disk::list(const std::string& given)
{
    const auto folder = plain(given);
    const std::lock_guard lock(mutex_);
    if (is_off_) return failed(EIO);
    std::set<std::string> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        const auto name = entry.path().filename().string();
        if (!name.starts_with(hidden_prefix)) found.insert(name);
    }
    if (error) return failed(error.value());
    for (const auto& [path, content] : names_) {
        if (folder_of(path) != folder) continue;
        const auto name = fs::path(path).filename().string();
        if (content == nullptr) {
            found.erase(name);
        } else {
            found.insert(name);
        }
    }
    return std::vector<std::string>(found.begin(), found.end());
}

}  // namespace entente::fault
