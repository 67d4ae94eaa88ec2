// Unix sockets, where a listener or a client uses one in place of TCP: binding a path that
// an earlier process may have left behind, who is at the other end, connecting. What is said
// over them is HTTP like everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include "net/connection.hpp"

namespace entente::net {

// Of a listener, TCP's or a Unix socket's.
using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

inline constexpr std::size_t most_unix_path_octets = 107;  // the kernel's

struct UnixListener {
    std::string path;
    std::vector<std::uint32_t> users;  // ids of those who may connect; anybody else is cut off
};

// The socket's file, mode 0600 from its first moment on; removed when this goes, unless
// another process has put its own there.
class UnixPath {
 public:
    // Replaces what is there only if it is a socket (or a link to one) at which nobody
    // answers: `conflict` where somebody does or it is another kind of file, `unavailable`
    // where it can't be bound. The detail says what to do.
    [[nodiscard]] static Result<UnixPath> bind(Acceptor& acceptor, const std::string& path);
    UnixPath(UnixPath&& other) noexcept;
    UnixPath& operator=(UnixPath&&) = delete;
    ~UnixPath();

 private:
    UnixPath(std::string path, ::dev_t device, ::ino_t inode);
    std::string path_;
    ::dev_t device_;
    ::ino_t inode_;
};

// The user id of the process that connected; nothing where the kernel doesn't say.
[[nodiscard]] std::optional<std::uint32_t> peer_user(int descriptor);

// `not_found` where nobody listens there, `forbidden` where this user may not connect.
[[nodiscard]] Result<ConnectionPtr> connect_unix(const asio::any_io_executor& executor,
                                                 const std::string& path);

}  // namespace entente::net
