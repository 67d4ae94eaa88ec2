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

}  // namespace entente::storage
