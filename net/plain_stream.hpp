// A connection without TLS, for listeners behind a proxy and for Unix sockets.
#pragma once

#include <memory>

#include "net/connection.hpp"
#include "net/socket_core.hpp"

namespace entente::net {

[[nodiscard]] ConnectionPtr make_plain_connection(std::shared_ptr<SocketCore> core);

}  // namespace entente::net
