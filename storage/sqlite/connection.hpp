// One SQLite connection with its cache of statements, and the translation of SQLite's
// result codes. Used by one thread at a time. Private to storage/sqlite.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include <sqlite3.h>

#include "storage/driver.hpp"
#include "storage/sqlite/turn.hpp"

namespace entente::storage {

enum class SqliteRole : std::uint8_t { writer, reader, maintainer, onlooker };

class SqliteConnection;

class SqliteStatement final : public Statement {
 public:
    SqliteStatement(SqliteConnection& connection, sqlite3_stmt* statement)
        : connection_(connection), statement_(statement)
    {
    }
    ~SqliteStatement() override { sqlite3_finalize(statement_); }
    SqliteStatement(const SqliteStatement&) = delete;
    SqliteStatement& operator=(const SqliteStatement&) = delete;

    Statement& bind(int index, std::int64_t value) override;
    Statement& bind_text(int index, std::string_view value) override;
    Statement& bind_blob(int index, std::string_view value) override;
    Statement& bind_null(int index) override;
    [[nodiscard]] Result<bool> step() override;
    [[nodiscard]] Result<void> run() override;
    void reset() override;
    [[nodiscard]] std::int64_t integer(int column) const override;
    [[nodiscard]] std::string_view text(int column) const override;
    [[nodiscard]] std::string_view blob(int column) const override;
    [[nodiscard]] bool is_null(int column) const override;

    // As new: reset and without parameters.
    void clear();

 private:
    Statement& note(int outcome);

    SqliteConnection& connection_;
    sqlite3_stmt* statement_;
    int bind_error_ = SQLITE_OK;  // told at the next step
};

class SqliteConnection final : public Connection {
 public:
    // Opens and configures; the file exists already. `vfs` may be null: SQLite's usual one. An
    // onlooker gets a URI, all others a path.
    [[nodiscard]] static Result<std::unique_ptr<SqliteConnection>> open(
        const std::string& file, const char* vfs, SqliteRole role,
        std::shared_ptr<SharedFile> shared);
    ~SqliteConnection() override;
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;

    [[nodiscard]] Result<Statement*> prepare(const char* sql) override;
    [[nodiscard]] Result<void> execute(std::string_view sql) override;
    [[nodiscard]] Result<void> begin() override;
    [[nodiscard]] Result<void> commit() override;
    void rollback() override;
    void erase_traces() override { erases_traces_ = true; }
    [[nodiscard]] std::int64_t last_insert_id() const override;
    [[nodiscard]] std::int64_t changes() const override;
    [[nodiscard]] std::int64_t written() const override;

    // Writes what an earlier process left in the WAL once more, and syncs it. After a failed
    // sync the kernel shows pages that the disk never got and will not get: built upon, they
    // would take later commits with them when the power goes.
    [[nodiscard]] Result<void> rewrite_wal();

    // SQLite rolls a transaction back by itself after some errors. What is written next
    // would then commit alone: such statements must not run.
    [[nodiscard]] bool has_lost_transaction() const
    {
        return in_transaction_ && sqlite3_get_autocommit(db_) != 0;
    }
    [[nodiscard]] Error error(int code) const;
    // The same, with the file's name and what an operator can do about the newest failure.
    [[nodiscard]] Error error_of_file(const std::string& file, const Error& error) const;
    [[nodiscard]] sqlite3* handle() const { return db_; }

 private:
    SqliteConnection(sqlite3* db, SqliteRole role, std::shared_ptr<SharedFile> shared)
        : db_(db), role_(role), shared_(std::move(shared))
    {
    }
    [[nodiscard]] Result<void> configure();
    [[nodiscard]] Result<void> rewrite_wal_locked();
    void end_transaction();

    sqlite3* db_;
    SqliteRole role_;
    std::shared_ptr<SharedFile> shared_;
    mutable int last_failure_ = 0;  // SQLite's code
    bool in_transaction_ = false;
    bool erases_traces_ = false;  // of this transaction
    std::unordered_map<const char*, std::unique_ptr<SqliteStatement>> statements_;
};

}  // namespace entente::storage
