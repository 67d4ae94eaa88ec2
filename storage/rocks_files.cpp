#include "storage/rocks_files.hpp"

#include <filesystem>
#include <string>
#include <system_error>

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

namespace entente::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t mib = 1024 * 1024;
constexpr std::size_t seen_bytes = 64 * mib;

rocksdb::DBOptions database_options(rocksdb::Env* env)
{
    rocksdb::DBOptions options;
    if (env != nullptr) options.env = env;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    // A torn last record is a killed process's; damage before it is a loss.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    options.max_background_jobs = 1;
    options.max_open_files = 64;
    options.max_total_wal_size = 8 * mib;
    options.db_write_buffer_size = 6 * mib;
    options.max_log_file_size = mib;
    options.keep_log_file_num = 2;
    options.info_log_level = rocksdb::WARN_LEVEL;
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    return options;
}

rocksdb::ColumnFamilyOptions family_options(const std::shared_ptr<rocksdb::Cache>& cache)
{
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    rocksdb::ColumnFamilyOptions options;
    options.write_buffer_size = 2 * mib;
    options.max_write_buffer_number = 2;
    options.target_file_size_base = 2 * mib;
    options.compression = rocksdb::kNoCompression;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

// The oldest files go when the family is full: no sweep, and never more than this.
rocksdb::ColumnFamilyOptions seen_options(const std::shared_ptr<rocksdb::Cache>& cache)
{
    auto options = family_options(cache);
    options.compaction_style = rocksdb::kCompactionStyleFIFO;
    options.compaction_options_fifo.max_table_files_size = seen_bytes;
    options.compaction_options_fifo.allow_compaction = true;
    options.ttl = 0;
    options.num_levels = 1;
    options.level0_slowdown_writes_trigger = 1 << 20;
    options.level0_stop_writes_trigger = 1 << 20;
    return options;
}

}  // namespace

void RocksWatch::OnIOError(const rocksdb::IOErrorInfo& error)
{
    const auto operation = error.operation;
    if (operation == rocksdb::FileOperationType::kSync ||
        operation == rocksdb::FileOperationType::kFsync)
        has_failed_sync_ = true;
}

void RocksWatch::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/,
                                      rocksdb::Status error, bool* may_recover)
{
    *may_recover = error.severity() < rocksdb::Status::Severity::kHardError;
}

RocksFiles::~RocksFiles()
{
    if (db == nullptr) return;
    for (auto* family : families) db->DestroyColumnFamilyHandle(family);
    db->Close();
}

rocksdb::Status open_rocks_files(const RocksWindowOptions& options,
                                 const std::shared_ptr<RocksWatch>& watch,
                                 std::unique_ptr<RocksFiles>& opened)
{
    std::error_code failed;
    fs::create_directories(options.folder, failed);
    if (!failed) fs::permissions(options.folder, fs::perms::owner_all, failed);
    if (failed) return rocksdb::Status::IOError(options.folder, failed.message());
    const auto cache = rocksdb::NewLRUCache(mib);
    const std::vector<rocksdb::ColumnFamilyDescriptor> wanted = {
        {rocksdb::kDefaultColumnFamilyName, family_options(cache)},
        {"nonces", family_options(cache)},
        {"expiry", family_options(cache)},
        {"seen", seen_options(cache)}};
    auto settings = database_options(options.env);
    settings.listeners.push_back(watch);
    auto files = std::make_unique<RocksFiles>();
    rocksdb::DB* db = nullptr;
    auto status = rocksdb::DB::Open(settings, options.folder, wanted, &files->families, &db);
    files->db.reset(db);
    if (status.ok()) opened = std::move(files);
    return status;
}

rocksdb::Status move_rocks_files_aside(const RocksWindowOptions& options)
{
    const auto base = options.folder + ".damaged-" + std::to_string(options.start);
    auto target = base;
    std::error_code failed;
    for (int i = 1; fs::exists(target, failed); ++i) target = base + "-" + std::to_string(i);
    auto* const env = options.env != nullptr ? options.env : rocksdb::Env::Default();
    return env->RenameFile(options.folder, target);
}

}  // namespace entente::storage
