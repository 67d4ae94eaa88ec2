// Signs answers to signed requests [SIG-10], so that what they say is this server's word
// and not its TLS terminator's.
#pragma once

#include <string_view>

#include "federation/identity.hpp"
#include "net/http_message.hpp"
#include "protocol/clock.hpp"

namespace entente::federation {

struct Admitted;

// Adds Content-Digest, Signature-Input and Signature over the answer as it stands.
[[nodiscard]] net::Response signed_answer(const Identity& identity, const Admitted& admitted,
                                          net::Response response, const protocol::Clock& clock);
// The same for the request's `Signature` field as it stood.
[[nodiscard]] net::Response signed_answer(const Identity& identity,
                                          std::string_view signature_field, net::Response response,
                                          const protocol::Clock& clock);
}  // namespace entente::federation
