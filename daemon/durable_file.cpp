#include "daemon/durable_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/user_name.hpp"

namespace entente::daemon {

namespace {

class Descriptor {
 public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(); }
    [[nodiscard]] int get() const { return number_; }
    bool close()
    {
        const int open = std::exchange(number_, -1);
        return open < 0 || ::close(open) == 0;
    }

 private:
    int number_;
};

std::string remedy_of(int error, const std::string& path)
{
    switch (error) {
        case ENOENT:
            return "; make the folder " + std::filesystem::path(path).parent_path().string() +
                   " first, or name another place";
        case EACCES:
        case EPERM:
            return "; give it or its folder to " + user_name(::geteuid()) +
                   " with chown, or run this as its owner";
        case ENOSPC:
        case EDQUOT: return "; make room on that disk";
        case EROFS: return "; its file system is mounted read-only: mount it for writing";
        default: return {};
    }
}

auto system_failure(const std::string& what, const std::string& path)
{
    const int error = errno;
    return fail(Code::internal,
                what + " " + path + ": " + std::strerror(error) + remedy_of(error, path));
}

std::string folder_of(const std::string& path)
{
    const auto folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

Result<void> sync_folder(const std::string& folder)
{
    const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0) {
        return system_failure("can't sync", folder);
    }
    return {};
}

Result<void> write_all(Descriptor& file, const std::string& path, std::string_view content)
{
    while (!content.empty()) {
        const auto written = ::write(file.get(), content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_failure("can't write", path);
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(file.get()) != 0) return system_failure("can't sync", path);
    if (!file.close()) return system_failure("can't write", path);
    return {};
}

}  // namespace

Result<void> write_private_file(const std::string& path, std::string_view content, IfThere if_there)
{
    const auto temporary = path + ".new";
    // What an earlier crash left is worthless: nobody was told that it is there.
    ::unlink(temporary.c_str());
    Descriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file.get() < 0) return system_failure("can't make", path);
    auto written = write_all(file, temporary, content);
    if (!written) {
        ::unlink(temporary.c_str());
        return written;
    }

    // A link fails where a rename would silently take the place of what is there.
    if (if_there == IfThere::refuse) {
        const int linked = ::link(temporary.c_str(), path.c_str());
        const int error = errno;
        ::unlink(temporary.c_str());
        errno = error;
        if (linked != 0 && error == EEXIST) return fail(Code::conflict, path + " is there already");
        if (linked != 0) return system_failure("can't make", path);
    } else if (::rename(temporary.c_str(), path.c_str()) != 0) {
        const int error = errno;
        ::unlink(temporary.c_str());
        errno = error;
        return system_failure("can't replace", path);
    }
    return sync_folder(folder_of(path));
}

Result<std::string> read_private_file(const std::string& path, std::size_t max_octets)
{
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) {
        if (errno == ENOENT) return fail(Code::not_found, path + " isn't there");
        if (errno == ELOOP)
            return fail(Code::forbidden, path + " is a link; put the file itself there");
        return system_failure("can't read", path);
    }
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return system_failure("can't read", path);
    if (!S_ISREG(status.st_mode)) return fail(Code::forbidden, path + " isn't a file");

    std::string content(max_octets + 1, '\0');
    std::size_t size = 0;
    while (size < content.size()) {
        const auto got = ::read(file.get(), content.data() + size, content.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_failure("can't read", path);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    if (size > max_octets) return fail(Code::too_large, path + " is larger than it can be");
    content.resize(size);
    return content;
}

Result<void> make_private_folder(const std::string& path)
{
    std::error_code failed;
    const auto above = std::filesystem::path(path).parent_path();
    if (!above.empty()) std::filesystem::create_directories(above, failed);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return system_failure("can't make", path);
    return sync_folder(folder_of(path));
}

}  // namespace entente::daemon
