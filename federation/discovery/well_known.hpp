// Serves what others discover this server by: the server document and the JWK set
// [DISC-1, DISC-5]. Unsigned; TLS is what vouches for it at first contact.
#pragma once

#include "federation/identity.hpp"
#include "net/router.hpp"

namespace entente::federation {

// Adds GET /.well-known/entente and /.well-known/http-message-signatures-directory.
// `identity` outlives the router.
void add_well_known(net::Router& router, const Identity& identity);

}  // namespace entente::federation
