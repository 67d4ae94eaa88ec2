// Short forms for the stores' commonest uses of a statement. Nothing here knows a table.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "protocol/names.hpp"
#include "protocol/octets.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// A parameter that is bound as octets, not as text.
struct Blob {
    std::string_view octets;
};

namespace detail {
inline void bind_one(Statement& statement, int index, Blob value)
{
    statement.bind_blob(index, value.octets);
}
inline void bind_one(Statement& statement, int index, std::string_view value)
{
    statement.bind_text(index, value);
}
template <std::integral Integer>
void bind_one(Statement& statement, int index, Integer value)
{
    statement.bind(index, static_cast<std::int64_t>(value));
}
}  // namespace detail

// The statement with its parameters bound in order.
template <class... Parameters>
[[nodiscard]] Result<Query> bound(Connection& db, const char* sql, const Parameters&... parameters)
{
    auto query = Query::prepare(db, sql);
    if (!query) return fail(query);
    [[maybe_unused]] int index = 0;
    (detail::bind_one(**query, index++, parameters), ...);
    return query;
}

// Runs a statement that gives no rows.
template <class... Parameters>
[[nodiscard]] Result<void> run(Connection& db, const char* sql, const Parameters&... parameters)
{
    auto query = bound(db, sql, parameters...);
    if (!query) return fail(query);
    return (*query)->run();
}

// `read(Statement&)` for every row.
template <class Read, class... Parameters>
[[nodiscard]] auto all_rows(Connection& db, const char* sql, Read read,
                            const Parameters&... parameters)
    -> Result<std::vector<std::invoke_result_t<Read&, Statement&>>>
{
    auto query = bound(db, sql, parameters...);
    if (!query) return fail(query);
    std::vector<std::invoke_result_t<Read&, Statement&>> rows;
    for (;;) {
        auto row = (*query)->step();
        if (!row) return fail(row);
        if (!*row) return rows;
        rows.push_back(read(**query));
    }
}

// `read(Statement&)` for the first row, nothing where there is none.
template <class Read, class... Parameters>
[[nodiscard]] auto one_row(Connection& db, const char* sql, Read read,
                           const Parameters&... parameters)
    -> Result<std::optional<std::invoke_result_t<Read&, Statement&>>>
{
    using Row = std::optional<std::invoke_result_t<Read&, Statement&>>;
    auto query = bound(db, sql, parameters...);
    if (!query) return fail(query);
    auto row = (*query)->step();
    if (!row) return fail(row);
    if (!*row) return Row{};
    return Row{read(**query)};
}

// Whether there is any row.
template <class... Parameters>
[[nodiscard]] Result<bool> has_row(Connection& db, const char* sql, const Parameters&... parameters)
{
    auto query = bound(db, sql, parameters...);
    if (!query) return fail(query);
    return (*query)->step();
}

[[nodiscard]] inline protocol::Hash hash_from(std::string_view blob)
{
    protocol::Hash hash{};
    if (blob.size() == hash.size()) std::memcpy(hash.data(), blob.data(), hash.size());
    return hash;
}

[[nodiscard]] inline protocol::Uuid uuid_from(std::string_view blob)
{
    protocol::Uuid uuid;
    if (blob.size() == uuid.octets.size())
        std::memcpy(uuid.octets.data(), blob.data(), blob.size());
    return uuid;
}

}  // namespace entente::storage
