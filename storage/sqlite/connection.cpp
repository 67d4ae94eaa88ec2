#include "storage/sqlite/connection.hpp"

#include <algorithm>
#include <utility>

namespace entente::storage {
namespace {

constexpr const char* common_settings =
    "PRAGMA busy_timeout=5000; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
    "PRAGMA temp_store=MEMORY;";
// Our own checkpoints in place of the automatic ones, which would stall a commit.
constexpr const char* writer_settings =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
    "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-8192;";
constexpr const char* reader_settings =
    "PRAGMA query_only=ON; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-2048;";
// Waits shortly for readers: its next turn comes soon.
constexpr const char* maintainer_settings =
    "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-256;"
    "PRAGMA busy_timeout=100;";

// SQLite's own files take no more than 128 KiB at once.
constexpr int rewrite_octets = 1 << 16;

bool is_untrustworthy(int code)
{
    const int primary = code & 0xff;
    return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC ||
           primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

Code code_of(int code)
{
    switch (code & 0xff) {
        case SQLITE_CONSTRAINT: return Code::conflict;
        case SQLITE_TOOBIG: return Code::too_large;
        case SQLITE_FULL:
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_IOERR:
        case SQLITE_NOMEM:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_INTERRUPT:
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return Code::unavailable;
        default: return Code::internal;
    }
}

// What an operator can do about it before the next start; empty where nobody knows.
std::string remedy(int code)
{
    switch (code) {
        // The index of the WAL, which SQLite makes as large as it will be.
        case SQLITE_IOERR_SHMSIZE:
        case SQLITE_IOERR_WRITE:
        case SQLITE_FULL: return "; make room on its disk, or look for the disk's errors (dmesg)";
        default: break;
    }
    switch (code & 0xff) {
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
            return "; it is damaged: move it away, with what has its name and -wal and -shm "
                   "behind, and put the newest backup in its place";
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return "; give it and its folder to the user that ententd runs as (chown)";
        case SQLITE_IOERR: return "; look for the disk's errors (dmesg, smartctl)";
        default: return {};
    }
}

int on_wal(void* context, sqlite3* /*db*/, const char* /*schema*/, int pages)
{
    auto* shared = static_cast<SharedFile*>(context);
    shared->wal_pages.store(pages);
    shared->commits.fetch_add(1);
    shared->is_full.store(false);
    return SQLITE_OK;
}

}  // namespace

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& file,
                                                                 const char* vfs, SqliteRole role,
                                                                 std::shared_ptr<SharedFile> shared)
{
    sqlite3* db = nullptr;
    const int flags = (role == SqliteRole::onlooker ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
                                                    : SQLITE_OPEN_READWRITE) |
                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int outcome = sqlite3_open_v2(file.c_str(), &db, flags, vfs);
    if (outcome != SQLITE_OK) {
        const std::string reason = sqlite3_errstr(outcome);
        sqlite3_close_v2(db);
        return fail(code_of(outcome),
                    "cannot open the database " + file + ": " + reason + remedy(outcome));
    }
    std::unique_ptr<SqliteConnection> connection(new SqliteConnection(db, role, std::move(shared)));
    auto configured = connection->configure();
    if (!configured) return tl::unexpected(connection->error_of_file(file, configured.error()));
    return connection;
}

SqliteConnection::~SqliteConnection()
{
    rollback();
    statements_.clear();
    sqlite3_close_v2(db_);
}

Result<void> SqliteConnection::configure()
{
    auto outcome = execute(common_settings);
    if (!outcome) return outcome;
    switch (role_) {
        case SqliteRole::reader:
        case SqliteRole::onlooker: return execute(reader_settings);
        case SqliteRole::maintainer: return execute(maintainer_settings);
        case SqliteRole::writer: break;
    }
    outcome = execute(writer_settings);
    // After the pragma, which sets a hook of its own.
    sqlite3_wal_hook(db_, on_wal, shared_.get());
    return outcome;
}

// In a write transaction: whoever else has the database open adds nothing to the WAL and
// doesn't start it anew meanwhile. Equal octets in the same places harm no reader.
Result<void> SqliteConnection::rewrite_wal()
{
    if (auto begun = begin(); !begun) return begun;
    auto outcome = rewrite_wal_locked();
    rollback();
    return outcome;
}

Result<void> SqliteConnection::rewrite_wal_locked()
{
    sqlite3_file* wal = nullptr;
    sqlite3_file_control(db_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    if (wal == nullptr || wal->pMethods == nullptr) return {};
    sqlite3_int64 size = 0;
    int outcome = wal->pMethods->xFileSize(wal, &size);
    if (outcome == SQLITE_OK && size == 0) return {};
    // The process that wrote it may have been killed before it could be emptied.
    shared_->old_pages.store(true);
    std::string octets(rewrite_octets, '\0');
    for (sqlite3_int64 at = 0; outcome == SQLITE_OK && at < size; at += rewrite_octets) {
        const int count = static_cast<int>(std::min<sqlite3_int64>(size - at, rewrite_octets));
        outcome = wal->pMethods->xRead(wal, octets.data(), count, at);
        if (outcome == SQLITE_OK) outcome = wal->pMethods->xWrite(wal, octets.data(), count, at);
    }
    if (outcome == SQLITE_OK) outcome = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
    if (outcome != SQLITE_OK) return tl::unexpected(error(outcome));
    return {};
}

Error SqliteConnection::error(int code) const
{
    Error error;
    error.code = code_of(code);
    error.detail =
        std::string("SQLite ") + std::to_string(code) + ": " +
        (sqlite3_extended_errcode(db_) == code ? sqlite3_errmsg(db_) : sqlite3_errstr(code));
    last_failure_ = code;
    if (is_untrustworthy(code)) shared_->break_down(error.detail);
    if ((code & 0xff) == SQLITE_FULL) shared_->is_full = true;
    return error;
}

Error SqliteConnection::error_of_file(const std::string& file, const Error& error) const
{
    auto told = error;
    told.detail = "cannot use the database " + file + ": " + error.detail + remedy(last_failure_);
    return told;
}

Result<Statement*> SqliteConnection::prepare(const char* sql)
{
    auto& slot = statements_[sql];
    if (slot != nullptr) {
        slot->clear();
        return slot.get();
    }
    sqlite3_stmt* statement = nullptr;
    const int outcome =
        sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (outcome != SQLITE_OK) {
        statements_.erase(sql);
        return tl::unexpected(error(outcome));
    }
    slot = std::make_unique<SqliteStatement>(*this, statement);
    return slot.get();
}

Result<void> SqliteConnection::execute(std::string_view sql)
{
    if (has_lost_transaction()) {
        return fail(Code::unavailable, "SQLite has rolled the transaction back");
    }
    const std::string text(sql);
    const int outcome = sqlite3_exec(db_, text.c_str(), nullptr, nullptr, nullptr);
    if (outcome != SQLITE_OK) return tl::unexpected(error(outcome));
    return {};
}

Result<void> SqliteConnection::begin()
{
    if (role_ == SqliteRole::writer) shared_->turn.begin_writing();
    auto outcome = execute(role_ == SqliteRole::writer ? "BEGIN IMMEDIATE" : "BEGIN");
    in_transaction_ = outcome.has_value();
    if (!outcome && role_ == SqliteRole::writer) shared_->turn.end_writing();
    return outcome;
}

Result<void> SqliteConnection::commit()
{
    if (!in_transaction_) return fail(Code::internal, "a commit without a transaction");
    auto outcome = execute("COMMIT");
    // What the disk said while it should have become durable is taken at its worst; being
    // full has a code of its own, and so has missing memory.
    const int code = sqlite3_extended_errcode(db_);
    if (!outcome && (code & 0xff) == SQLITE_IOERR && code != SQLITE_IOERR_NOMEM) {
        shared_->break_down(outcome.error().detail);
    }
    if (outcome && erases_traces_) shared_->old_pages.store(true);
    if (outcome) end_transaction();
    return outcome;
}

void SqliteConnection::rollback()
{
    if (!in_transaction_) return;
    if (!has_lost_transaction()) {
        // A statement in the middle of its rows would keep the transaction open.
        for (auto& [sql, statement] : statements_) statement->reset();
        sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
    }
    end_transaction();
}

void SqliteConnection::end_transaction()
{
    in_transaction_ = false;
    erases_traces_ = false;
    if (role_ == SqliteRole::writer) shared_->turn.end_writing();
}

std::int64_t SqliteConnection::last_insert_id() const
{
    return sqlite3_last_insert_rowid(db_);
}

std::int64_t SqliteConnection::changes() const
{
    return sqlite3_changes64(db_);
}

std::int64_t SqliteConnection::written() const
{
    return sqlite3_total_changes64(db_);
}

}  // namespace entente::storage
