// The window in RocksDB. Column families: `nonces` (key id, NUL, nonce → expiry), `expiry`
// (the same by time, for the sweep), `seen` (derived, bounded by its size) and the default
// one for what must be known at the next start. Writes go to the WAL without a sync: a
// killed process loses none, and after a fallen machine the boot id tells.
#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "storage/nonce_window.hpp"

namespace entente::storage {
namespace {

namespace fs = std::filesystem;

constexpr const char* made_key = "made";
constexpr const char* running_key = "running";  // boot id; empty after an orderly end
constexpr const char* swept_key = "swept_until";
constexpr const char* created_not_before_key = "created_not_before";

// [SIG-4] Nothing made before start + 60 s is believed after a loss.
constexpr protocol::Seconds distrust_after_loss = 60;
constexpr std::size_t nonces_per_sweep = 200'000;
constexpr std::size_t mib = 1024 * 1024;
constexpr std::size_t seen_bytes = 64 * mib;

// Big endian, so that keys sort by time. Times before 1970 count as 1970.
std::string encode(std::int64_t value)
{
    const auto bits = static_cast<std::uint64_t>(value < 0 ? 0 : value);
    std::string octets(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) {
        octets[i] = static_cast<char>(static_cast<unsigned char>(bits >> (56 - 8 * i)));
    }
    return octets;
}

std::int64_t decode(std::string_view octets)
{
    std::uint64_t bits = 0;
    for (const char octet : octets.substr(0, 8)) {
        bits = (bits << 8) | static_cast<unsigned char>(octet);
    }
    return static_cast<std::int64_t>(bits);
}

rocksdb::Slice slice(std::string_view text)
{
    return {text.data(), text.size()};
}

Error error_of(const char* what, const rocksdb::Status& status)
{
    return {Code::unavailable,
            std::string("the replay window cannot ") + what + ": " + status.ToString(),
            {},
            0};
}

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

class RocksWindow final : public ReplayMemory {
 public:
    enum Family : std::size_t { meta, nonces, expiry, seen, families };

    RocksWindow(rocksdb::DB* db, std::vector<rocksdb::ColumnFamilyHandle*> handles)
        : db_(db), handles_(std::move(handles))
    {
    }
    ~RocksWindow() override
    {
        for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
        db_->Close();
    }

    // Decides how far the memory is to be trusted, and makes that durable before it is used.
    Result<void> take_over(const RocksWindowOptions& options, bool was_damaged);

    Result<void> spend(const protocol::KeyRef& key, std::string_view nonce,
                       protocol::Seconds created, protocol::Seconds expires) override;
    Result<void> sweep(protocol::Seconds now) override;
    protocol::Seconds swept_until() const override { return swept_until_.load(); }
    MemoryState state() const override { return state_; }
    void remember(std::string_view event_id, const SeenEvent& event) override;
    Result<SeenEvent> find(std::string_view event_id) override;
    void close() override;

 private:
    Result<std::optional<std::string>> read_meta(const char* key);
    Result<void> forget_some(protocol::Seconds until);

    std::unique_ptr<rocksdb::DB> db_;
    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
    MemoryState state_ = MemoryState::incomplete;
    protocol::Seconds created_not_before_ = 0;
    std::atomic<protocol::Seconds> swept_until_{0};
    std::atomic<bool> closed_{false};

    // By nonce: looking and writing must be one step for each of them.
    std::array<std::mutex, 64> shards_;
    std::mutex sweeping_;
    std::string swept_to_;  // where the last sweep stopped, to step over what it removed
};

Result<std::optional<std::string>> RocksWindow::read_meta(const char* key)
{
    std::string value;
    const auto status = db_->Get({}, handles_[meta], key, &value);
    if (status.ok()) return std::optional<std::string>(std::move(value));
    if (status.IsNotFound()) return std::optional<std::string>();
    return tl::unexpected(error_of("read", status));
}

Result<void> RocksWindow::take_over(const RocksWindowOptions& options, bool was_damaged)
{
    auto made = read_meta(made_key);
    auto running = read_meta(running_key);
    auto swept = read_meta(swept_key);
    auto not_before = read_meta(created_not_before_key);
    for (const auto* read : {&made, &running, &swept, &not_before}) {
        if (!*read) return fail(*read);
    }
    if (*swept) swept_until_ = decode(**swept);
    if (*not_before) created_not_before_ = decode(**not_before);

    bool is_lost = was_damaged;
    if (!*made) {
        is_lost = is_lost || options.ran_before;
        state_ = MemoryState::first_start;
    } else {
        // The machine has been down since, and the last writes may not have reached the disk.
        const std::string boot = running->value_or("");
        const bool was_orderly = boot.empty();
        is_lost = is_lost || (!was_orderly && boot != options.boot_id);
        // Our own earlier finding holds until its time has passed.
        state_ =
            options.start < created_not_before_ ? MemoryState::incomplete : MemoryState::complete;
    }
    rocksdb::WriteBatch batch;
    if (is_lost) {
        state_ = MemoryState::incomplete;
        created_not_before_ = std::max(created_not_before_, options.start + distrust_after_loss);
        batch.Put(handles_[meta], created_not_before_key, encode(created_not_before_));
    }
    batch.Put(handles_[meta], made_key, encode(options.start));
    // An unknown boot id is never equal to the next one.
    batch.Put(handles_[meta], running_key, options.boot_id.empty() ? "?" : options.boot_id);
    rocksdb::WriteOptions durable;
    durable.sync = true;
    const auto status = db_->Write(durable, &batch);
    if (!status.ok()) return tl::unexpected(error_of("write", status));
    return {};
}

Result<void> RocksWindow::spend(const protocol::KeyRef& key, std::string_view nonce,
                                protocol::Seconds created, protocol::Seconds expires)
{
    if (created < created_not_before_) {
        return fail(Code::unavailable, "made before the replay window can tell what is new");
    }
    auto entry = key.key.str();
    entry.push_back('\0');
    entry.append(nonce);
    const std::lock_guard lock(shards_[std::hash<std::string>{}(entry) % shards_.size()]);
    if (closed_) return fail(Code::unavailable, "the replay window is closed");
    std::string known;
    const auto found = db_->Get({}, handles_[nonces], entry, &known);
    // After the lookup: the sweep moves its time before it forgets, so that a nonce that
    // went missing under us is never taken for a new one.
    if (expires <= swept_until_) {
        return fail(Code::unavailable, "the nonce expired before the sweep time");
    }
    if (found.ok()) return fail(Code::replayed, "the nonce is spent");
    if (!found.IsNotFound()) return tl::unexpected(error_of("read", found));

    rocksdb::WriteBatch batch;
    const auto time = encode(expires);
    batch.Put(handles_[nonces], entry, time);
    batch.Put(handles_[expiry], time + entry, "");
    const auto status = db_->Write({}, &batch);
    if (!status.ok()) return tl::unexpected(error_of("write", status));
    return {};
}

Result<void> RocksWindow::sweep(protocol::Seconds now)
{
    const std::lock_guard lock(sweeping_);
    if (closed_) return {};
    const auto until = now - 2;  // what expired before now - 1
    if (until > swept_until_) {
        rocksdb::WriteOptions durable;
        durable.sync = true;
        const auto status = db_->Put(durable, handles_[meta], swept_key, encode(until));
        if (!status.ok()) return tl::unexpected(error_of("store its sweep time", status));
        swept_until_ = until;
    }
    return forget_some(std::min(until, swept_until_.load()));
}

Result<void> RocksWindow::forget_some(protocol::Seconds until)
{
    rocksdb::WriteBatch batch;
    const std::unique_ptr<rocksdb::Iterator> row(db_->NewIterator({}, handles_[expiry]));
    std::size_t count = 0;
    auto reached = swept_to_;
    for (row->Seek(swept_to_); row->Valid() && count < nonces_per_sweep; row->Next(), ++count) {
        const auto key = row->key().ToStringView();
        if (decode(key) > until) break;
        batch.Delete(handles_[nonces], slice(key.substr(8)));
        batch.Delete(handles_[expiry], slice(key));
        reached = key;
    }
    if (!row->status().ok()) return tl::unexpected(error_of("read", row->status()));
    if (count == 0) return {};
    const auto status = db_->Write({}, &batch);
    if (!status.ok()) return tl::unexpected(error_of("forget", status));
    swept_to_ = std::move(reached);
    return {};
}

void RocksWindow::remember(std::string_view event_id, const SeenEvent& event)
{
    if (closed_) return;
    // A loss costs time, never correctness.
    static_cast<void>(
        db_->Put({}, handles_[seen], slice(event_id), encode(event.seq) + event.channel));
}

Result<SeenEvent> RocksWindow::find(std::string_view event_id)
{
    std::string value;
    const auto status = closed_ ? rocksdb::Status::NotFound()
                                : db_->Get({}, handles_[seen], slice(event_id), &value);
    if (status.IsNotFound() || (status.ok() && value.size() < 8)) {
        return fail(Code::not_found, "not seen lately");
    }
    if (!status.ok()) return tl::unexpected(error_of("read", status));
    return SeenEvent{value.substr(8), decode(value)};
}

void RocksWindow::close()
{
    const std::lock_guard lock(sweeping_);
    if (closed_.exchange(true)) return;
    // Behind every spend that had begun, so that the mark is the last write.
    for (auto& shard : shards_) const std::lock_guard wait(shard);
    rocksdb::WriteOptions durable;
    durable.sync = true;
    static_cast<void>(db_->Put(durable, handles_[meta], running_key, ""));
}

// Moves what can't be read out of the way; the operator may want to look at it.
Result<void> move_aside(const RocksWindowOptions& options)
{
    const auto& folder = options.folder;
    const auto base = folder + ".damaged-" + std::to_string(options.start);
    auto target = base;
    std::error_code failed;
    for (int i = 1; fs::exists(target, failed); ++i) target = base + "-" + std::to_string(i);
    auto* const env = options.env != nullptr ? options.env : rocksdb::Env::Default();
    const auto moved = env->RenameFile(folder, target);
    if (!moved.ok()) return tl::unexpected(error_of("move its damaged folder", moved));
    return {};
}

Result<std::unique_ptr<RocksWindow>> open_folder(const RocksWindowOptions& options,
                                                 bool& is_damaged)
{
    const auto& folder = options.folder;
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (!failed) fs::permissions(folder, fs::perms::owner_all, failed);
    if (failed) {
        return fail(Code::unavailable,
                    "cannot make the folder " + folder + ": " + failed.message());
    }
    const auto cache = rocksdb::NewLRUCache(mib);
    const std::vector<rocksdb::ColumnFamilyDescriptor> wanted = {
        {rocksdb::kDefaultColumnFamilyName, family_options(cache)},
        {"nonces", family_options(cache)},
        {"expiry", family_options(cache)},
        {"seen", seen_options(cache)}};
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    const auto status =
        rocksdb::DB::Open(database_options(options.env), folder, wanted, &handles, &db);
    is_damaged = status.IsCorruption() || status.IsPathNotFound();
    if (!status.ok()) return tl::unexpected(error_of("open its folder", status));
    return std::make_unique<RocksWindow>(db, std::move(handles));
}

}  // namespace

Result<std::unique_ptr<ReplayMemory>> open_rocks_window(const RocksWindowOptions& options)
{
    bool is_damaged = false;
    auto window = open_folder(options, is_damaged);
    const bool was_damaged = is_damaged;
    if (!window && was_damaged) {
        auto moved = move_aside(options);
        if (!moved) return fail(moved);
        window = open_folder(options, is_damaged);
    }
    if (!window) return fail(window);
    auto taken = (*window)->take_over(options, was_damaged);
    if (!taken) return fail(taken);
    return std::unique_ptr<ReplayMemory>(std::move(*window));
}

}  // namespace entente::storage
