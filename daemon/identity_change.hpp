// What `ententctl identity` does to a server's keys [KEY-2, KEY-3, LOG-10]: a rotation, a
// revocation, a new recovery key. On an Identity in memory: loads, stores and asks nothing.
// Where an error comes back the identity is as it was; its detail is a sentence for an
// operator.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/key_folder.hpp"

namespace entente::daemon {

// The key to a recovery secret (base64url of its seed, as setup showed it). `forbidden` where
// it isn't that of `identity`.
[[nodiscard]] Result<protocol::SigningKey> recovery_key(const Identity& identity,
                                                        std::string_view secret);

// A new signing key takes the place of the current one. Signed by `recovery` where it is
// given, which then stands for all earlier rotations too: whatever a thief has put beside
// them, or a server that lost newer keys had made, loses.
[[nodiscard]] Result<void> rotate(Identity& identity, const protocol::SigningKey* recovery,
                                  protocol::Random& random, protocol::Millis now);

struct RevocationOrder {
    protocol::KeyId key;
    std::optional<protocol::Millis> at;  // nothing: now
    std::string reason;                  // published; UTF-8, 200 octets at most
};
// An old key counts no more. Signed by `recovery` where it is given, which may date it back;
// else by the key itself.
[[nodiscard]] Result<void> revoke(Identity& identity, const RevocationOrder& order,
                                  const protocol::SigningKey* recovery, protocol::Millis now);

// A new recovery key takes the place of `recovery`; returns it, for its secret to be handed
// out before the identity is stored.
[[nodiscard]] Result<protocol::SigningKey> replace_recovery(Identity& identity,
                                                            const protocol::SigningKey& recovery,
                                                            protocol::Random& random,
                                                            protocol::Millis now);

}  // namespace entente::daemon
