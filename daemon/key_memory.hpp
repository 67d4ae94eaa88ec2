// What the database remembers of the key folder, so that an older copy of the folder shows
// [LOG-10]. Holds no secret; a database that was restored itself remembers less, and then
// nothing is refused for it.
#pragma once

#include <optional>

#include "daemon/key_folder.hpp"
#include "storage/audit_store.hpp"
#include "storage/driver.hpp"

namespace entente::daemon {

// `forbidden`, with the remedy, where `keys` lack what this server has used before, unless the
// recovery key that was in force then, or one in its place, has put a new key there since.
[[nodiscard]] Result<void> check_newest(storage::Connection& db, const Identity& keys);
// The same, and remembers `keys` from now on. Durable with the transaction.
[[nodiscard]] Result<void> remember_newest(storage::Connection& db, const Identity& keys);
// For the audit log, what `keys` say beyond what is remembered: changes that `ententctl identity`
// has made in the folder since. Asked before remember_newest; nothing where there are none, nor
// before the first start.
[[nodiscard]] Result<std::optional<storage::AuditRecord>> key_change(storage::Connection& db,
                                                                     const Identity& keys);
// Gives an older copy of the folder the recovery key that was in force, with the statements that
// lead to it, so that its secret can replace what was lost. `keys` that aren't older, and those
// of before any start, stay as they are. Requires: the recovery key signs a rotation next, since
// with the statements an older copy may no longer look like one.
[[nodiscard]] Result<void> take_up_recovery(storage::Connection& db, Identity& keys);

}  // namespace entente::daemon
