// What follows from pins and statements [KEY-2, KEY-3]: which keys of a server are to be
// believed, and since when not. Pure; a function of the set of statements, but for which of
// several rotations by one key was pinned first, and for when a key's own revocation came.
// Statements that can't be told apart from forgeries have no effect.
#pragma once

#include <map>
#include <vector>

#include "trust/pins.hpp"

namespace entente::trust {

// What was found out about one statement.
struct Bearing {
    Standing standing = Standing::waiting;
    bool is_forged = false;    // its signature doesn't verify under the key that it names
    bool by_recovery = false;  // signed by a recovery key
    bool is_idle = false;      // proven, but nothing follows from it
};

struct Resolution {
    // All keys that were ever proven to be the server's, so that old logs can be verified.
    std::map<KeyId, PinnedKey> keys;
    std::vector<PublicKey> recovery;  // first pinned first, the present one last
    std::vector<Bearing> bearings;    // of the pins' statements, in their order
    // A key has made two rotations, and neither was pinned before the other came [KEY-2].
    bool undecided = false;

    [[nodiscard]] const PinnedKey* find(const KeyId& id) const;
    [[nodiscard]] bool has_recovery(const PublicKey& key) const;
};

// Requires `pins.recovery`. Verifies signatures of waiting statements only.
[[nodiscard]] Resolution resolve(const PinnedServer& pins);

}  // namespace entente::trust
