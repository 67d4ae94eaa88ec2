// Brings SQLite's files onto a fault::Disk: registers a VFS of the given name. Databases,
// their WALs and journals live on the disk; locks, shared memory and temporary files stay
// with the system's own VFS, since a fallen machine keeps none of them.
#pragma once

#include <memory>
#include <string>

#include "tests/fault/disk.hpp"

struct sqlite3_vfs;

namespace entente::fault {

class SqliteVfs {
 public:
    // Registered while it lives, and not as the default. The disk must outlive every
    // connection.
    SqliteVfs(Disk& disk, std::string name);
    ~SqliteVfs();
    SqliteVfs(const SqliteVfs&) = delete;
    SqliteVfs& operator=(const SqliteVfs&) = delete;
    [[nodiscard]] const std::string& name() const { return name_; }

 private:
    std::string name_;
    std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace entente::fault
