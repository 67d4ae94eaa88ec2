#include "storage/sqlite/connection.hpp"

namespace entente::storage {
namespace {

// A null pointer would bind NULL in place of the empty text.
const char* data_of(std::string_view value)
{
    return value.empty() ? "" : value.data();
}

}  // namespace

Statement& SqliteStatement::note(int outcome)
{
    if (outcome != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = outcome;
    return *this;
}

Statement& SqliteStatement::bind(int index, std::int64_t value)
{
    return note(sqlite3_bind_int64(statement_, index + 1, value));
}

Statement& SqliteStatement::bind_text(int index, std::string_view value)
{
    return note(sqlite3_bind_text64(statement_, index + 1, data_of(value), value.size(),
                                    SQLITE_TRANSIENT, SQLITE_UTF8));
}

Statement& SqliteStatement::bind_blob(int index, std::string_view value)
{
    return note(
        sqlite3_bind_blob64(statement_, index + 1, data_of(value), value.size(), SQLITE_TRANSIENT));
}

Statement& SqliteStatement::bind_null(int index)
{
    return note(sqlite3_bind_null(statement_, index + 1));
}

Result<bool> SqliteStatement::step()
{
    if (bind_error_ != SQLITE_OK) return tl::unexpected(connection_.error(bind_error_));
    if (connection_.has_lost_transaction()) {
        return fail(Code::unavailable, "SQLite has rolled the transaction back");
    }
    const int outcome = sqlite3_step(statement_);
    if (outcome == SQLITE_ROW) return true;
    if (outcome == SQLITE_DONE) return false;
    auto error = connection_.error(outcome);
    sqlite3_reset(statement_);
    return tl::unexpected(std::move(error));
}

Result<void> SqliteStatement::run()
{
    auto stepped = step();
    sqlite3_reset(statement_);
    if (!stepped) return fail(stepped);
    return {};
}

void SqliteStatement::reset()
{
    sqlite3_reset(statement_);
}

void SqliteStatement::clear()
{
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    bind_error_ = SQLITE_OK;
}

std::int64_t SqliteStatement::integer(int column) const
{
    return sqlite3_column_int64(statement_, column);
}

std::string_view SqliteStatement::text(int column) const
{
    const auto* data = sqlite3_column_text(statement_, column);
    if (data == nullptr) return {};
    return {reinterpret_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view SqliteStatement::blob(int column) const
{
    const auto* data = sqlite3_column_blob(statement_, column);
    if (data == nullptr) return {};
    return {static_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool SqliteStatement::is_null(int column) const
{
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

}  // namespace entente::storage
