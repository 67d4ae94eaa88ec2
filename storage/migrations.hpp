// Brings a database to the form this program expects: numbered SQL texts, embedded at
// build time, one transaction each, with their checksums kept in the table `migration`.
// Knows nothing of what the texts contain; there is no way back but a backup.
#pragma once

#include <span>
#include <string_view>

#include "protocol/clock.hpp"
#include "protocol/result.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

struct Migration {
    int number = 0;         // from 1, ascending
    std::string_view name;  // for people
    std::string_view sql;   // never edited once it has landed
};

// The files of storage/sqlite/migrations (the definition is generated).
[[nodiscard]] std::span<const Migration> sqlite_migrations();

// Applies what is missing. Refuses, with `conflict` and a sentence for the operator, and
// without a change: a database that a newer program has migrated, a migration whose text
// differs from the applied one, and one that would have to run after a later one.
[[nodiscard]] Result<void> migrate(Connection& connection, std::span<const Migration> migrations,
                                   protocol::Seconds now);

// What `migrate` would refuse, said without a change; a database without the table passes.
[[nodiscard]] Result<void> check_migrations(Connection& connection,
                                            std::span<const Migration> migrations);

}  // namespace entente::storage
