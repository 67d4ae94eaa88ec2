#include "net/unix_socket.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>

#include "net/plain_stream.hpp"

namespace entente::net {

namespace {

using Local = asio::local::stream_protocol;

static_assert(most_unix_path_octets == sizeof(sockaddr_un::sun_path) - 1);

std::string why(int error)
{
    return std::strerror(error);
}

Result<void> check_length(const std::string& path)
{
    if (!path.empty() && path.size() <= most_unix_path_octets) return {};
    return fail(Code::malformed, "the path of a Unix socket has 1 to " +
                                     std::to_string(most_unix_path_octets) + " octets: " + path);
}

// Whether a process answers at the path. Without waiting: a full queue is an answer too.
bool somebody_listens(const std::string& path)
{
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return true;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    const bool connected =
        ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const int error = errno;
    ::close(descriptor);
    return connected || (error != ECONNREFUSED && error != ENOENT);
}

Result<void> make_room(const std::string& path)
{
    struct stat there{};
    if (::lstat(path.c_str(), &there) != 0) return {};
    if (!S_ISSOCK(there.st_mode) && !S_ISLNK(there.st_mode)) {
        return fail(Code::conflict, path + " is no socket; move it away or name another path");
    }
    if (somebody_listens(path)) {
        return fail(Code::conflict,
                    "another process answers at " + path + "; stop it or name another path");
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return fail(Code::unavailable, "can't remove the old socket " + path + ": " + why(errno));
    }
    return {};
}

}  // namespace

Result<UnixPath> UnixPath::bind(Acceptor& acceptor, const std::string& path)
{
    if (auto fits = check_length(path); !fits) return fail(fits);
    if (auto room = make_room(path); !room) return fail(room);
    boost::system::error_code error;
    acceptor.open(Local(), error);
    // On the descriptor, before the file is there: Linux makes the file with its mode, so
    // that nobody gets in between. The umask is the whole process's and not ours to change.
    if (!error && ::fchmod(acceptor.native_handle(), S_IRUSR | S_IWUSR) != 0)
        error = {errno, boost::system::system_category()};
    if (!error) acceptor.bind(Local::endpoint(path), error);
    struct stat made{};
    if (!error && ::lstat(path.c_str(), &made) != 0)
        error = {errno, boost::system::system_category()};
    if (error)
        return fail(Code::unavailable,
                    "can't listen at " + path + ": " + error.message() +
                        "; its folder must be there and writable for this user: see to that or "
                        "name another path");
    UnixPath bound(path, made.st_dev, made.st_ino);
    if ((made.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(Code::unavailable, path + " was not made with mode 0600");
    }
    return bound;
}

UnixPath::UnixPath(std::string path, ::dev_t device, ::ino_t inode)
    : path_(std::move(path)), device_(device), inode_(inode)
{
}

UnixPath::UnixPath(UnixPath&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_)
{
}

UnixPath::~UnixPath()
{
    struct stat there{};
    if (path_.empty() || ::lstat(path_.c_str(), &there) != 0) return;
    if (there.st_dev == device_ && there.st_ino == inode_) ::unlink(path_.c_str());
}

std::optional<std::uint32_t> peer_user(int descriptor)
{
    ::ucred peer{};
    ::socklen_t size = sizeof peer;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
    return peer.uid;
}

Result<ConnectionPtr> connect_unix(const asio::any_io_executor& executor, const std::string& path)
{
    ignore_broken_pipes();
    if (auto fits = check_length(path); !fits) return fail(fits);
    Local::socket socket(executor);
    boost::system::error_code error;
    socket.connect(Local::endpoint(path), error);
    if (error) {
        const bool nobody =
            error.value() == ENOENT || error.value() == ECONNREFUSED || error.value() == ENOTDIR;
        const auto code = nobody                    ? Code::not_found
                          : error.value() == EACCES ? Code::forbidden
                                                    : Code::unavailable;
        return fail(code, path + ": " + error.message());
    }
    return make_plain_connection(std::make_shared<SocketCore>(std::move(socket)));
}

}  // namespace entente::net
