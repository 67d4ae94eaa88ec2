// The SQLite backend of the driver: one file in WAL mode with full syncs, one writing
// connection, any number of readers. Makes no threads; knows no tables but `migration`.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "storage/driver.hpp"
#include "storage/migrations.hpp"

namespace entente::storage {

// The file is made with mode 0600 when the writer is first opened; its folder must exist.
// Readers are opened after the writer.
[[nodiscard]] std::unique_ptr<Database> make_sqlite_database(std::string file);

// With migrations of the caller's own, which must outlive the database, and over the files
// of a VFS that is registered with SQLite under that name ("": the usual one).
[[nodiscard]] std::unique_ptr<Database> make_sqlite_database(std::string file,
                                                             std::span<const Migration> migrations,
                                                             std::string vfs = {});

// A connection to a database of which nothing is known yet: reads only and runs no migration.
// Where a WAL is there, SQLite may make its index beside it. Errors as the writer's, with the
// remedy.
[[nodiscard]] Result<std::unique_ptr<Connection>> open_to_look(const std::string& file);

}  // namespace entente::storage
