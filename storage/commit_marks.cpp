#include "storage/commit_marks.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace entente::storage {

namespace {

constexpr std::string_view file_head = "entente-newest-run-1";
constexpr std::size_t file_octets = 512;

// Cuts the next line off.
std::string_view take_line(std::string_view& text)
{
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

class CommitFile final : public CommitMemory {
 public:
    CommitFile(int descriptor, std::string path, std::string boot_id)
        : descriptor_(descriptor), path_(std::move(path)), boot_id_(std::move(boot_id))
    {
    }
    CommitFile(const CommitFile&) = delete;
    CommitFile& operator=(const CommitFile&) = delete;
    ~CommitFile() override
    {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    Result<std::optional<IndexMark>> newest_run() override;
    Result<void> set_newest_run(const IndexMark& newest) override;

 private:
    int descriptor_;  // -1: a write has failed
    std::string path_;
    std::string boot_id_;
};

Result<std::optional<IndexMark>> CommitFile::newest_run()
{
    std::string octets(file_octets, '\0');
    const auto got = ::pread(descriptor_, octets.data(), octets.size(), 0);
    if (got < 0)
        return fail(Code::unavailable, "can't read " + path_ + ": " + std::strerror(errno));
    auto text = std::string_view(octets).substr(0, static_cast<std::size_t>(got));
    const bool is_known = take_line(text) == file_head && take_line(text) == boot_id_;
    const auto number = take_line(text);
    const auto name = take_line(text);
    IndexMark mark;
    const auto* end = number.data() + number.size();
    const auto read = std::from_chars(number.data(), end, mark.run);
    // Anything else is as good as no file: what may be older counts as older.
    if (!is_known || boot_id_.empty() || read.ec != std::errc{} || read.ptr != end || name.empty())
        return std::optional<IndexMark>{};
    mark.name = name;
    return std::optional<IndexMark>{std::move(mark)};
}

// One write of one page: a kill -9 leaves the old text or the new one.
Result<void> CommitFile::set_newest_run(const IndexMark& newest)
{
    if (descriptor_ < 0) return fail(Code::unavailable, path_ + " is gone");
    std::string text(file_head);
    text += '\n' + boot_id_ + '\n' + std::to_string(newest.run) + '\n' + newest.name + '\n';
    text.resize(std::max(text.size(), file_octets), ' ');
    const auto written = ::pwrite(descriptor_, text.data(), text.size(), 0);
    if (text.size() == file_octets && written == static_cast<ssize_t>(text.size())) return {};
    const std::string why = written < 0 ? std::strerror(errno) : "cut off";
    ::unlink(path_.c_str());
    ::close(std::exchange(descriptor_, -1));
    return fail(Code::unavailable, "can't write " + path_ + ": " + why);
}

}  // namespace

Result<std::unique_ptr<CommitMemory>> open_commit_file(const std::string& path,
                                                       const std::string& boot_id)
{
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return fail(Code::unavailable, "can't open " + path + ": " + std::strerror(errno));
    return std::unique_ptr<CommitMemory>(std::make_unique<CommitFile>(descriptor, path, boot_id));
}

CommitMarks::CommitMarks(CommitMemory* window, CommitMemory* run_time)
    : window_(window), run_time_(run_time)
{
}

Result<bool> CommitMarks::may_be_restored(Connection& db)
{
    auto newest = newest_run(db);
    if (!newest) return fail(newest);
    for (auto* memory : {window_, run_time_}) {
        auto mark = memory != nullptr ? memory->newest_run()
                                      : Result<std::optional<IndexMark>>{std::nullopt};
        // What can't be read is as good as lost.
        if (!mark || !*mark) {
            if (newest->run > 0) return true;
            continue;
        }
        auto name = name_of_run(db, (*mark)->run);
        if (!name) return fail(name);
        if (*name != (*mark)->name) return true;
    }
    return false;
}

Result<void> CommitMarks::accept(Connection& db)
{
    auto newest = newest_run(db);
    if (!newest) return fail(newest);
    committed(*newest);
    return {};
}

// Neither can hold up a commit: what one has missed is found by the other, and at the worst
// a start asks the followers once more.
void CommitMarks::committed(const IndexMark& newest)
{
    for (auto* memory : {window_, run_time_}) {
        if (memory != nullptr) static_cast<void>(memory->set_newest_run(newest));
    }
}

}  // namespace entente::storage
