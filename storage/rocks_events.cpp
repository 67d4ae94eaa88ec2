#include "storage/rocks_events.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

namespace entente::storage {
namespace {

constexpr std::size_t mib = 1024 * 1024;
constexpr std::size_t id_octets = 8;
// More ids that begin alike than anybody could make.
constexpr std::size_t max_places = 16;
// Shorter than any event's, yet no shorter than what begins one: RocksDB takes no other.
constexpr std::string_view mark_key("\0\0\0\0\0\0\0\0", id_octets);

void put_varint(std::string& out, std::int64_t value)
{
    auto bits = static_cast<std::uint64_t>(value);
    for (; bits >= 0x80; bits >>= 7) out.push_back(static_cast<char>((bits & 0x7f) | 0x80));
    out.push_back(static_cast<char>(bits));
}

// Takes it from the front; nothing where there is none.
std::optional<std::int64_t> take_varint(std::string_view& rest)
{
    std::uint64_t bits = 0;
    for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
        const auto octet = static_cast<unsigned char>(rest.front());
        rest.remove_prefix(1);
        bits |= static_cast<std::uint64_t>(octet & 0x7fU) << shift;
        if ((octet & 0x80U) == 0) return static_cast<std::int64_t>(bits);
    }
    return std::nullopt;
}

rocksdb::Slice slice(std::string_view octets)
{
    return {octets.data(), octets.size()};
}

std::string_view beginning(const protocol::Hash& id)
{
    return protocol::as_view(id).substr(0, id_octets);
}

}  // namespace

rocksdb::ColumnFamilyOptions event_family_options(const std::shared_ptr<rocksdb::Cache>& cache)
{
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.cache_index_and_filter_blocks = true;
    table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
    table.partition_filters = true;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.whole_key_filtering = false;
    rocksdb::ColumnFamilyOptions options;
    options.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(id_octets));
    // Rows of one write are in order: each is looked for beside the one before it.
    options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewCappedPrefixTransform(0));
    options.write_buffer_size = 2 * mib;
    options.max_write_buffer_number = 2;
    options.level_compaction_dynamic_level_bytes = true;
    options.level0_file_num_compaction_trigger = 8;
    options.max_bytes_for_level_base = 32 * mib;
    options.target_file_size_base = 8 * mib;
    options.compression = rocksdb::kNoCompression;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

void put_events(rocksdb::WriteBatch& batch, rocksdb::ColumnFamilyHandle* family,
                const std::vector<IndexedEvent>& events, const std::optional<IndexMark>& mark)
{
    std::vector<const IndexedEvent*> ordered;
    ordered.reserve(events.size());
    for (const auto& event : events) ordered.push_back(&event);
    std::ranges::sort(ordered, {}, &IndexedEvent::id);
    std::string key;
    for (const auto* event : ordered) {
        key = beginning(event->id);
        put_varint(key, event->place.channel);
        put_varint(key, event->place.seq);
        batch.Put(family, key, "");
    }
    if (!mark) return;
    std::string value;
    put_varint(value, mark->run);
    value += mark->name;
    batch.Put(family, slice(mark_key), value);
}

rocksdb::Status find_places(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family,
                            const protocol::Hash& id, std::vector<EventPlace>& found)
{
    const auto begins = beginning(id);
    rocksdb::ReadOptions options;
    options.prefix_same_as_start = true;
    const std::unique_ptr<rocksdb::Iterator> row(db.NewIterator(options, family));
    for (row->Seek(slice(begins)); row->Valid(); row->Next()) {
        auto rest = row->key().ToStringView();
        if (!rest.starts_with(begins) || found.size() == max_places) break;
        rest.remove_prefix(id_octets);
        const auto channel = take_varint(rest);
        const auto seq = take_varint(rest);
        if (channel && seq) found.push_back({*channel, *seq});
    }
    return row->status();
}

rocksdb::Status read_mark(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family,
                          std::optional<IndexMark>& found)
{
    std::string value;
    auto status = db.Get({}, family, slice(mark_key), &value);
    if (status.IsNotFound()) return rocksdb::Status::OK();
    std::string_view rest = value;
    const auto run = status.ok() ? take_varint(rest) : std::nullopt;
    if (run) found = IndexMark{*run, std::string(rest)};
    return status;
}

}  // namespace entente::storage
