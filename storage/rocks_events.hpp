// How the index by event id lies in its family of the replay window's RocksDB:
//
//   8 octets of the id, varint channel, varint seq → nothing
//   8 octets of 0 → the mark: varint run, the run's name
//
// An id that begins like another one has a row beside it, so that nobody can hide an event
// by making one whose id begins alike. varint is LEB128. Private to rocks_window.cpp.
#pragma once

#include <optional>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include "storage/event_index.hpp"

namespace entente::storage {

// Never full: a level holds ten times the one before it. Of its filters and indexes only
// `cache` holds some.
[[nodiscard]] rocksdb::ColumnFamilyOptions event_family_options(
    const std::shared_ptr<rocksdb::Cache>& cache);

void put_events(rocksdb::WriteBatch& batch, rocksdb::ColumnFamilyHandle* family,
                const std::vector<IndexedEvent>& events, const std::optional<IndexMark>& mark);
[[nodiscard]] rocksdb::Status find_places(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family,
                                          const protocol::Hash& id, std::vector<EventPlace>& found);
// Nothing where there is none that can be read.
[[nodiscard]] rocksdb::Status read_mark(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family,
                                        std::optional<IndexMark>& found);

}  // namespace entente::storage
