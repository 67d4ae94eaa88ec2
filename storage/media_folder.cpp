#include "storage/media_folder.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace entente::storage {

namespace {

constexpr mode_t folder_mode = 0700;
constexpr mode_t file_mode = 0600;
constexpr std::int64_t disk_retry_seconds = 10;

protocol::Failure trouble(std::string_view what, const std::string& path)
{
    return retry_later(Code::unavailable,
                       std::string(what) + " " + path + ": " + std::strerror(errno),
                       disk_retry_seconds);
}

class Descriptor {
 public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor()
    {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] bool is_open() const { return number_ >= 0; }

 private:
    int number_;
};

Result<void> sync_folder(const std::string& path)
{
    const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open() || ::fsync(folder.number()) != 0) return trouble("can't sync", path);
    return {};
}

// Its place in the folder above is durable as well: another upload, or a process that was killed,
// may have made it and not come to that.
Result<void> make_folder(const std::string& path, const std::string& above)
{
    if (::mkdir(path.c_str(), folder_mode) != 0 && errno != EEXIST)
        return trouble("can't make", path);
    return sync_folder(above);
}

Result<void> write_all(int file, std::string_view octets, const std::string& path)
{
    while (!octets.empty()) {
        const auto written = ::write(file, octets.data(), octets.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return trouble("can't write", path);
        octets.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(file) != 0) return trouble("can't sync", path);
    return {};
}

}  // namespace

std::string MediaFolder::folder_of(std::string_view id) const
{
    return path_ + "/" + std::string(id.substr(0, 2));
}

Result<void> MediaFolder::write(std::string_view id, std::string_view octets) const
{
    const auto slash = path_.rfind('/');
    const auto above = slash == std::string::npos ? std::string(".") : path_.substr(0, slash + 1);
    if (auto made = make_folder(path_, above); !made) return made;
    const auto folder = folder_of(id);
    if (auto made = make_folder(folder, path_); !made) return made;
    const auto path = folder + "/" + std::string(id);
    // Two who bring the same at once write files of their own.
    auto beside = path + ".XXXXXX";
    {
        const Descriptor file(::mkostemp(beside.data(), O_CLOEXEC));
        if (!file.is_open()) return trouble("can't make", beside);
        ::fchmod(file.number(), file_mode);
        if (auto written = write_all(file.number(), octets, beside); !written) {
            ::unlink(beside.c_str());
            return written;
        }
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) {
        auto failed = trouble("can't move", beside);
        ::unlink(beside.c_str());
        return failed;
    }
    return sync_folder(folder);
}

Result<std::string> MediaFolder::read(std::string_view id, std::size_t max_octets) const
{
    const auto path = folder_of(id) + "/" + std::string(id);
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file.is_open() && errno == ENOENT) return refuse(Code::not_found, "no such file");
    if (!file.is_open()) return trouble("can't open", path);
    struct stat about{};
    if (::fstat(file.number(), &about) != 0) return trouble("can't read", path);
    const auto size = static_cast<std::size_t>(about.st_size);
    if (size > max_octets) return refuse(Code::too_large, "a file that is too large");
    std::string octets(size, '\0');
    std::size_t read = 0;
    while (read < size) {
        const auto more = ::read(file.number(), octets.data() + read, size - read);
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) return trouble("can't read", path);
        read += static_cast<std::size_t>(more);
    }
    return octets;
}

}  // namespace entente::storage
