// What every backend offers: a connection, statements, rows. SQL that both dialects
// speak is written once above this line; what differs stands in the backend's folder.
// Blocking: used on the writer's and the readers' threads only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/result.hpp"

namespace entente::storage {

// A prepared statement. Parameters and columns count from 0. `text` and `blob` views of
// a row live until the next step or reset.
class Statement {
 public:
    virtual ~Statement() = default;
    virtual Statement& bind(int index, std::int64_t value) = 0;
    virtual Statement& bind_text(int index, std::string_view value) = 0;
    virtual Statement& bind_blob(int index, std::string_view value) = 0;
    virtual Statement& bind_null(int index) = 0;

    // True while there is a row.
    [[nodiscard]] virtual Result<bool> step() = 0;
    // For statements without rows: step, then reset.
    [[nodiscard]] virtual Result<void> run() = 0;
    virtual void reset() = 0;

    [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
    [[nodiscard]] virtual std::string_view text(int column) const = 0;
    [[nodiscard]] virtual std::string_view blob(int column) const = 0;
    [[nodiscard]] virtual bool is_null(int column) const = 0;
};

class Connection {
 public:
    virtual ~Connection() = default;
    // Cached by its text's address: pass a named constant. Reset and unbound when handed out;
    // a text is in use by one caller at a time.
    [[nodiscard]] virtual Result<Statement*> prepare(const char* sql) = 0;
    // One or several statements without parameters and rows.
    [[nodiscard]] virtual Result<void> execute(std::string_view sql) = 0;
    [[nodiscard]] virtual Result<void> begin() = 0;
    [[nodiscard]] virtual Result<void> commit() = 0;  // durable when it returns
    virtual void rollback() = 0;
    // What this transaction overwrites or deletes must be gone from the files too, a few
    // seconds after the commit. Costs a checkpoint then.
    virtual void erase_traces() = 0;
    [[nodiscard]] virtual std::int64_t last_insert_id() const = 0;
    [[nodiscard]] virtual std::int64_t changes() const = 0;
    // Rows written since the connection was opened, rolled back or not.
    [[nodiscard]] virtual std::int64_t written() const = 0;
};

// Holds a statement for one use and resets it afterwards.
class Query {
 public:
    explicit Query(Statement* statement) : statement_(statement) {}
    Query(Query&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
    Query& operator=(Query&&) = delete;
    ~Query()
    {
        if (statement_ != nullptr) statement_->reset();
    }
    Statement* operator->() const { return statement_; }
    Statement& operator*() const { return *statement_; }

    [[nodiscard]] static Result<Query> prepare(Connection& connection, const char* sql)
    {
        auto statement = connection.prepare(sql);
        if (!statement) return fail(statement);
        return Query{*statement};
    }

 private:
    Statement* statement_;
};

// Opens connections to one database. `open_writer` runs the migrations that are missing.
class Database {
 public:
    virtual ~Database() = default;
    [[nodiscard]] virtual Result<std::unique_ptr<Connection>> open_writer() = 0;
    [[nodiscard]] virtual Result<std::unique_ptr<Connection>> open_reader() = 0;
    // A small step of what the backend wants done now and then (SQLite: a passive
    // checkpoint, from a reader's side). Blocking.
    virtual void maintain() = 0;
    // Whether a call is due though nothing is committed.
    [[nodiscard]] virtual bool wants_maintenance() const { return false; }
    // Whether a sync has failed since it was opened: what is on disk is then unknown, and
    // nothing may be acknowledged any more.
    [[nodiscard]] virtual bool is_broken() const { return false; }
    // Whether the disk had no room when something was to be written last.
    [[nodiscard]] virtual bool is_full() const { return false; }
    // What the first failure said.
    [[nodiscard]] virtual std::string broken_reason() const { return {}; }
};

}  // namespace entente::storage
