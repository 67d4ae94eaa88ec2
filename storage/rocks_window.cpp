// The window in RocksDB. Column families: `nonces` (key id, NUL, nonce → expiry; and NUL, event
// id of a refused item → expiry, code), `expiry`
// (the same by time, for the sweep), `events` (the index by event id, derived) and the default
// one for what must be known at the next start. Writes go to the WAL without a sync: a
// killed process loses none, and after a fallen machine the boot id tells. On a full disk
// the folder is closed and opened again until that works; a failed sync or write of any
// other kind ends it, and the next start believes nothing older than itself.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>

#include <rocksdb/write_batch.h>

#include "storage/nonce_window.hpp"
#include "storage/rocks_events.hpp"
#include "storage/rocks_files.hpp"

namespace entente::storage {
namespace {

namespace fs = std::filesystem;

constexpr const char* made_key = "made";
constexpr const char* running_key = "running";  // boot id; empty after an orderly end
constexpr const char* swept_key = "swept_until";
constexpr const char* created_not_before_key = "created_not_before";
constexpr const char* newest_run_key = "newest_run";

// [SIG-4] Nothing made up to start + 60 s is believed after a loss: so far ahead could a
// request be made that was taken in the second of the start.
constexpr protocol::Seconds distrust_after_loss = 61;
constexpr std::size_t nonces_per_sweep = 200'000;
// Between two tries to open the folder again while its disk is full.
constexpr std::chrono::seconds reopen_interval{1};

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

// No key id is empty.
std::string refused_entry(const protocol::Hash& item)
{
    std::string entry(1, '\0');
    entry.append(protocol::as_view(item));
    return entry;
}

rocksdb::Slice slice_of(std::string_view text)
{
    return {text.data(), text.size()};
}

Error error_of(const char* what, const rocksdb::Status& status, std::int64_t retry_after = 0)
{
    auto detail = std::string("the replay window cannot ") + what + ": " + status.ToString();
    // The library's own word for it is no help to who has started the same server twice.
    if (detail.find("/LOCK:") != std::string::npos)
        detail += " (another ententd runs on this data folder: stop it first)";
    return {Code::unavailable, std::move(detail), {}, retry_after};
}

rocksdb::WriteOptions durable()
{
    rocksdb::WriteOptions options;
    options.sync = true;
    return options;
}

// Beside the folder: seen at the next start of the same boot, however this one ends. After
// another boot nothing is believed anyway.
std::string distrust_mark(const RocksWindowOptions& options)
{
    return options.folder + ".distrusted";
}

class RocksWindow final : public ReplayMemory,
                          private EventPlaces,
                          private CommitMemory,
                          private RefusedItems {
 public:
    using Family = RocksFiles::Family;

    RocksWindow(RocksWindowOptions options, std::shared_ptr<RocksWatch> watch,
                std::unique_ptr<RocksFiles> files)
        : options_(std::move(options)), watch_(std::move(watch)), files_(std::move(files))
    {
    }

    // Decides how far the memory is to be trusted, and makes that durable before it is used.
    Result<void> take_over(bool was_damaged);

    Result<void> spend(const protocol::KeyRef& key, std::string_view nonce,
                       protocol::Seconds created, protocol::Seconds expires) override;
    Result<void> sweep(protocol::Seconds now) override;
    protocol::Seconds swept_until() const override { return swept_until_.load(); }
    MemoryState state() const override { return state_; }
    EventPlaces& events() override { return *this; }
    CommitMemory& commits() override { return *this; }
    RefusedItems& refused() override { return *this; }
    WindowFigures figures() override;
    void close() override;

 private:
    using InUse = std::shared_lock<std::shared_mutex>;

    // Holds the open folder; `unavailable` where there is none now.
    [[nodiscard]] Result<InUse> use();
    void reopen();
    [[nodiscard]] Error write_failed(const char* what, const rocksdb::Status& status);
    void break_down(const Error& error);
    Result<std::optional<std::string>> read_meta(const char* key);
    Result<void> forget_some(protocol::Seconds until);

    Result<void> add_events(const std::vector<IndexedEvent>& events,
                            const std::optional<IndexMark>& mark) override;
    Result<std::vector<EventPlace>> find_event(const protocol::Hash& id) override;
    Result<std::optional<IndexMark>> index_mark() override;
    Result<std::optional<IndexMark>> newest_run() override;
    Result<void> set_newest_run(const IndexMark& newest) override;
    Result<void> note_refused(const protocol::Hash& item, Code code,
                              protocol::Seconds expires) override;
    Result<std::optional<Code>> find_refused(const protocol::Hash& item) override;

    [[nodiscard]] rocksdb::DB& db() { return *files_->db; }
    [[nodiscard]] rocksdb::ColumnFamilyHandle* family(Family family) const
    {
        return files_->families[family];
    }

    const RocksWindowOptions options_;
    std::shared_ptr<RocksWatch> watch_;
    MemoryState state_ = MemoryState::incomplete;
    protocol::Seconds created_not_before_ = 0;
    std::atomic<protocol::Seconds> swept_until_{0};
    // The last refusal's expiry: mostly there is none to look for. Of those before the start
    // nobody knows.
    std::atomic<protocol::Seconds> refused_until_{std::numeric_limits<protocol::Seconds>::max()};

    std::shared_mutex using_;  // guards what follows; alone: opening, closing
    std::unique_ptr<RocksFiles> files_;
    bool is_closed_ = false;
    std::chrono::steady_clock::time_point next_try_{};
    std::atomic<bool> must_reopen_{false};
    std::atomic<bool> is_broken_{false};

    // By nonce: looking and writing must be one step for each of them.
    std::array<std::mutex, 64> shards_;
    std::mutex sweeping_;
    std::string swept_to_;  // where the last sweep stopped, to step over what it removed
};

WindowFigures RocksWindow::figures()
{
    WindowFigures found;
    auto in_use = use();
    if (!in_use) return found;
    using Properties = rocksdb::DB::Properties;
    db().GetAggregatedIntProperty(Properties::kEstimateNumKeys, &found.keys);
    db().GetAggregatedIntProperty(Properties::kCurSizeActiveMemTable, &found.unwritten);
    db().GetAggregatedIntProperty(Properties::kEstimatePendingCompactionBytes,
                                  &found.pending_compaction);
    return found;
}

Result<RocksWindow::InUse> RocksWindow::use()
{
    if (must_reopen_) reopen();
    InUse lock(using_);
    if (is_broken_ || is_closed_) return fail(Code::unavailable, "the replay window is closed");
    if (must_reopen_) {
        return retry_later(Code::unavailable, "the replay window's disk is full",
                           reopen_interval.count());
    }
    return lock;
}

// As a process that is started again: what was spent is in the log, a torn end is cut off.
void RocksWindow::reopen()
{
    const std::lock_guard lock(using_);
    const auto now = std::chrono::steady_clock::now();
    if (!must_reopen_ || is_broken_ || is_closed_ || now < next_try_) return;
    next_try_ = now + reopen_interval;
    files_.reset();
    const auto status = open_rocks_files(options_, watch_, files_);
    if (status.ok()) {
        must_reopen_ = false;
    } else if (!status.IsNoSpace() || watch_->has_failed_sync()) {
        break_down(error_of("open its folder again", status));
    }
}

// What a failed write asks for. A full disk is waited for; all else is for the operator.
Error RocksWindow::write_failed(const char* what, const rocksdb::Status& status)
{
    if (status.IsNoSpace() && !watch_->has_failed_sync()) {
        must_reopen_ = true;
        return error_of(what, status, reopen_interval.count());
    }
    auto error = error_of(what, status);
    break_down(error);
    return error;
}

void RocksWindow::break_down(const Error& error)
{
    if (is_broken_.exchange(true)) return;
    std::ofstream(distrust_mark(options_)) << error.detail << "\n";
    if (options_.on_broken) options_.on_broken(error);
}

Result<std::optional<std::string>> RocksWindow::read_meta(const char* key)
{
    std::string value;
    const auto status = db().Get({}, family(Family::meta), key, &value);
    if (status.ok()) return std::optional<std::string>(std::move(value));
    if (status.IsNotFound()) return std::optional<std::string>();
    return tl::unexpected(error_of("read", status));
}

Result<void> RocksWindow::take_over(bool was_damaged)
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

    std::error_code ignored;
    bool is_lost = was_damaged || fs::exists(distrust_mark(options_), ignored);
    if (!*made) {
        is_lost = is_lost || options_.ran_before;
        state_ = MemoryState::first_start;
        refused_until_ = 0;
    } else {
        // The machine has been down since, and the last writes may not have reached the disk.
        const std::string boot = running->value_or("");
        const bool was_orderly = boot.empty();
        is_lost = is_lost || (!was_orderly && boot != options_.boot_id);
        // Our own earlier finding holds until its time has passed.
        state_ =
            options_.start < created_not_before_ ? MemoryState::incomplete : MemoryState::complete;
    }
    rocksdb::WriteBatch batch;
    if (is_lost) {
        state_ = MemoryState::incomplete;
        created_not_before_ = std::max(created_not_before_, options_.start + distrust_after_loss);
        batch.Put(family(Family::meta), created_not_before_key, encode(created_not_before_));
    }
    batch.Put(family(Family::meta), made_key, encode(options_.start));
    // An unknown boot id is never equal to the next one.
    batch.Put(family(Family::meta), running_key, options_.boot_id.empty() ? "?" : options_.boot_id);
    const auto status = db().Write(durable(), &batch);
    if (!status.ok()) return tl::unexpected(error_of("write", status));
    if (is_lost) fs::remove(distrust_mark(options_), ignored);
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
    auto in_use = use();
    if (!in_use) return fail(in_use);
    const std::lock_guard lock(shards_[std::hash<std::string>{}(entry) % shards_.size()]);
    std::string known;
    const auto found = db().Get({}, family(Family::nonces), entry, &known);
    // After the lookup: the sweep moves its time before it forgets, so that a nonce that
    // went missing under us is never taken for a new one.
    if (expires <= swept_until_) {
        return fail(Code::unavailable, "the nonce expired before the sweep time");
    }
    if (found.ok()) return fail(Code::replayed, "the nonce is spent");
    if (!found.IsNotFound()) return tl::unexpected(error_of("read", found));

    rocksdb::WriteBatch batch;
    const auto time = encode(expires);
    batch.Put(family(Family::nonces), entry, time);
    batch.Put(family(Family::expiry), time + entry, "");
    const auto status = db().Write({}, &batch);
    if (!status.ok()) return tl::unexpected(write_failed("write", status));
    return {};
}

Result<void> RocksWindow::sweep(protocol::Seconds now)
{
    const std::lock_guard lock(sweeping_);
    auto in_use = use();
    if (!in_use) return fail(in_use);
    const auto until = now - 2;  // what expired before now - 1
    if (until > swept_until_) {
        const auto status = db().Put(durable(), family(Family::meta), swept_key, encode(until));
        if (!status.ok()) return tl::unexpected(write_failed("store its sweep time", status));
        swept_until_ = until;
    }
    return forget_some(std::min(until, swept_until_.load()));
}

Result<void> RocksWindow::forget_some(protocol::Seconds until)
{
    rocksdb::WriteBatch batch;
    const std::unique_ptr<rocksdb::Iterator> row(db().NewIterator({}, family(Family::expiry)));
    std::size_t count = 0;
    auto reached = swept_to_;
    for (row->Seek(swept_to_); row->Valid() && count < nonces_per_sweep; row->Next(), ++count) {
        const auto key = row->key().ToStringView();
        if (decode(key) > until) break;
        batch.Delete(family(Family::nonces), slice_of(key.substr(8)));
        batch.Delete(family(Family::expiry), slice_of(key));
        reached = key;
    }
    if (!row->status().ok()) return tl::unexpected(error_of("read", row->status()));
    if (count == 0) return {};
    const auto status = db().Write({}, &batch);
    if (!status.ok()) return tl::unexpected(write_failed("forget", status));
    swept_to_ = std::move(reached);
    return {};
}

Result<void> RocksWindow::add_events(const std::vector<IndexedEvent>& events,
                                     const std::optional<IndexMark>& mark)
{
    auto in_use = use();
    if (!in_use) return fail(in_use);
    rocksdb::WriteBatch batch;
    put_events(batch, family(Family::events), events, mark);
    const auto status = db().Write({}, &batch);
    if (!status.ok()) return tl::unexpected(write_failed("index", status));
    return {};
}

Result<std::vector<EventPlace>> RocksWindow::find_event(const protocol::Hash& id)
{
    auto in_use = use();
    if (!in_use) return fail(in_use);
    std::vector<EventPlace> found;
    const auto status = find_places(db(), family(Family::events), id, found);
    if (!status.ok()) return tl::unexpected(error_of("read", status));
    return found;
}

Result<std::optional<IndexMark>> RocksWindow::index_mark()
{
    auto in_use = use();
    if (!in_use) return fail(in_use);
    std::optional<IndexMark> mark;
    const auto status = read_mark(db(), family(Family::events), mark);
    if (!status.ok()) return tl::unexpected(error_of("read", status));
    return mark;
}

Result<std::optional<IndexMark>> RocksWindow::newest_run()
{
    auto in_use = use();
    if (!in_use) return fail(in_use);
    auto stored = read_meta(newest_run_key);
    if (!stored) return fail(stored);
    if (!*stored || (*stored)->size() <= 8) return std::optional<IndexMark>();
    return std::optional<IndexMark>({decode(**stored), (*stored)->substr(8)});
}

Result<void> RocksWindow::set_newest_run(const IndexMark& newest)
{
    auto in_use = use();
    if (!in_use) return fail(in_use);
    const auto status =
        db().Put({}, family(Family::meta), newest_run_key, encode(newest.run) + newest.name);
    if (!status.ok()) return tl::unexpected(write_failed("note the newest run", status));
    return {};
}

Result<void> RocksWindow::note_refused(const protocol::Hash& item, Code code,
                                       protocol::Seconds expires)
{
    auto in_use = use();
    if (!in_use) return fail(in_use);
    rocksdb::WriteBatch batch;
    const auto entry = refused_entry(item);
    const auto time = encode(expires);
    batch.Put(family(Family::nonces), entry, time + std::string(protocol::code_name(code)));
    batch.Put(family(Family::expiry), time + entry, "");
    const auto status = db().Write({}, &batch);
    if (!status.ok()) return tl::unexpected(write_failed("write", status));
    if (refused_until_ < expires) refused_until_ = expires;
    return {};
}

Result<std::optional<Code>> RocksWindow::find_refused(const protocol::Hash& item)
{
    if (refused_until_ <= swept_until_) return std::optional<Code>();
    auto in_use = use();
    if (!in_use) return fail(in_use);
    std::string known;
    const auto found = db().Get({}, family(Family::nonces), refused_entry(item), &known);
    if (found.IsNotFound()) return std::optional<Code>();
    if (!found.ok()) return tl::unexpected(error_of("read", found));
    return std::optional<Code>(protocol::code_from_name(std::string_view(known).substr(8)));
}

void RocksWindow::close()
{
    const std::lock_guard lock(using_);
    if (std::exchange(is_closed_, true)) return;
    // Without this mark the next start asks whether the machine was down in between.
    if (files_ == nullptr || is_broken_ || must_reopen_ || watch_->has_failed_sync()) return;
    static_cast<void>(db().Put(durable(), family(Family::meta), running_key, ""));
}

}  // namespace

Result<std::unique_ptr<ReplayMemory>> open_rocks_window(const RocksWindowOptions& options)
{
    auto watch = std::make_shared<RocksWatch>();
    std::unique_ptr<RocksFiles> files;
    auto status = open_rocks_files(options, watch, files);
    const bool was_damaged = status.IsCorruption() || status.IsPathNotFound();
    if (was_damaged) {
        status = move_rocks_files_aside(options);
        if (!status.ok()) return tl::unexpected(error_of("move its damaged folder", status));
        status = open_rocks_files(options, watch, files);
    }
    if (!status.ok()) return tl::unexpected(error_of("open its folder", status));
    auto window = std::make_unique<RocksWindow>(options, std::move(watch), std::move(files));
    auto taken = window->take_over(was_damaged);
    if (!taken) return fail(taken);
    return std::unique_ptr<ReplayMemory>(std::move(window));
}

}  // namespace entente::storage
