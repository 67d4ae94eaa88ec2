// Brings RocksDB's files onto a fault::Disk. Its lock and its own log (LOCK, LOG…) stay
// with the system: neither is data.
#pragma once

#include <memory>

#include <rocksdb/env.h>

#include "tests/fault/disk.hpp"

namespace entente::fault {

// The disk must outlive the environment, and this every database that is opened with it.
[[nodiscard]] std::unique_ptr<rocksdb::Env> make_rocks_env(Disk& disk);

}  // namespace entente::fault
