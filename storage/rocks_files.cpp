#include "storage/rocks_files.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include "storage/rocks_events.hpp"

namespace entente::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_mib = 1024 * 1024;
// What the index by event id was called while it was bounded and forgot.
constexpr const char* outdated_family = "seen";

// What it takes to open the folder: with no octet left the library aborts.
constexpr std::uintmax_t least_space = 65'536;

rocksdb::DBOptions database_options(rocksdb::Env* env)
{
    rocksdb::DBOptions options;
    if (env != nullptr) options.env = env;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    // A torn last record is a killed process's; damage before it is a loss.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    // What a killed process left in the log stays there: to write it out at the start needs room,
    // and on a full disk the library aborts.
    options.avoid_flush_during_recovery = true;
    options.max_background_jobs = 1;
    options.max_open_files = 64;
    options.max_total_wal_size = 8 * file_mib;
    options.db_write_buffer_size = 6 * file_mib;
    options.max_log_file_size = file_mib;
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
    options.write_buffer_size = 2 * file_mib;
    options.max_write_buffer_number = 2;
    options.target_file_size_base = 2 * file_mib;
    options.compression = rocksdb::kNoCompression;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

// RocksDB opens a folder with all of its families or not at all.
bool has_outdated_family(const rocksdb::DBOptions& settings, const std::string& folder)
{
    std::vector<std::string> names;
    // An error is for who opens the folder.
    const auto status = rocksdb::DB::ListColumnFamilies(settings, folder, &names);
    return status.ok() && std::ranges::find(names, outdated_family) != names.end();
}

// What it held is in the log, and gets into `events` from there.
rocksdb::Status drop_outdated_family(RocksFiles& files)
{
    auto* const outdated = files.families.back();
    files.families.pop_back();
    auto status = files.db->DropColumnFamily(outdated);
    files.db->DestroyColumnFamilyHandle(outdated);
    return status;
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
    if (options.env == nullptr && fs::space(options.folder, failed).available < least_space)
        return rocksdb::Status::NoSpace(options.folder, "fewer than 64 KiB are free: make room");
    const auto cache = rocksdb::NewLRUCache(file_mib);
    std::vector<rocksdb::ColumnFamilyDescriptor> wanted = {
        {rocksdb::kDefaultColumnFamilyName, family_options(cache)},
        {"nonces", family_options(cache)},
        {"expiry", family_options(cache)},
        {"events", event_family_options(cache)}};
    auto settings = database_options(options.env);
    settings.listeners.push_back(watch);
    const bool is_outdated = has_outdated_family(settings, options.folder);
    if (is_outdated) {
        rocksdb::ColumnFamilyOptions at_rest;
        at_rest.disable_auto_compactions = true;
        wanted.emplace_back(outdated_family, at_rest);
    }
    auto files = std::make_unique<RocksFiles>();
    rocksdb::DB* db = nullptr;
    auto status = rocksdb::DB::Open(settings, options.folder, wanted, &files->families, &db);
    files->db.reset(db);
    if (status.ok() && is_outdated) status = drop_outdated_family(*files);
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
