// What the database remembers of the key folder, so that an older copy of the folder shows
// [LOG-10]. Holds no key and no secret; a database that was restored itself remembers less,
// and then nothing is refused for it.
#pragma once

#include "daemon/key_folder.hpp"
#include "storage/driver.hpp"

namespace entente::daemon {

// `forbidden`, with the remedy, where `keys` lack what this server has used before, unless the
// recovery key has put a new key in its place since.
[[nodiscard]] Result<void> check_newest(storage::Connection& db, const Identity& keys);
// The same, and remembers `keys` from now on. Durable with the transaction.
[[nodiscard]] Result<void> remember_newest(storage::Connection& db, const Identity& keys);

}  // namespace entente::daemon
