#include "storage/pin_store.hpp"

#include <unordered_map>

#include "storage/driver.hpp"

namespace entente::storage {

namespace {

constexpr const char* put_server =
    "INSERT INTO pin (server, api, recovery, transaction_bytes, transaction_items, max_age,"
    " conflict, pinned_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (server) DO UPDATE SET api = excluded.api, recovery = excluded.recovery,"
    " transaction_bytes = excluded.transaction_bytes,"
    " transaction_items = excluded.transaction_items, max_age = excluded.max_age,"
    " conflict = excluded.conflict, pinned_at = excluded.pinned_at";
constexpr const char* drop_server = "DELETE FROM pin WHERE server = ?";
// Whoever has a row of `server` has had an event taken, has a part in a channel or is owed
// something.
constexpr const char* select_related =
    "SELECT EXISTS (SELECT 1 FROM server WHERE name = ?1)"
    " OR EXISTS (SELECT 1 FROM standing WHERE server = ?1)"
    " OR EXISTS (SELECT 1 FROM tier_entry WHERE source IN (0, 1, 2) AND server = ?1)"
    " OR EXISTS (SELECT 1 FROM peering WHERE server = ?1)";
constexpr const char* drop_keys = "DELETE FROM pin_key WHERE server = ?";
constexpr const char* put_key =
    "INSERT INTO pin_key (server, key, status, valid_from, replaced, revoked)"
    " VALUES (?, ?, ?, ?, ?, ?)";
constexpr const char* drop_statements = "DELETE FROM pin_statement WHERE server = ?";
constexpr const char* put_statement =
    "INSERT INTO pin_statement (server, position, statement, received_at, standing)"
    " VALUES (?, ?, ?, ?, ?)";
constexpr const char* drop_refused = "DELETE FROM pin_refused WHERE server = ?";
constexpr const char* put_refused =
    "INSERT INTO pin_refused (server, key) VALUES (?, ?) ON CONFLICT DO NOTHING";
constexpr const char* all_servers =
    "SELECT server, api, recovery, transaction_bytes, transaction_items, max_age, conflict,"
    " pinned_at FROM pin ORDER BY server";
constexpr const char* all_keys =
    "SELECT server, key, status, valid_from, replaced, revoked FROM pin_key"
    " ORDER BY server, valid_from, key";
constexpr const char* all_statements =
    "SELECT server, statement, received_at, standing FROM pin_statement"
    " ORDER BY server, position";
constexpr const char* all_refused = "SELECT server, key FROM pin_refused ORDER BY server, key";

Result<void> write_server(Connection& connection, const trust::PinnedServer& server)
{
    auto query = Query::prepare(connection, put_server);
    if (!query) return fail(query);
    (*query)
        ->bind_text(0, server.server.str())
        .bind_text(1, server.api)
        .bind_blob(2, server.recovery->octets())
        .bind(3, static_cast<std::int64_t>(server.limits.bytes))
        .bind(4, static_cast<std::int64_t>(server.limits.items))
        .bind(5, server.max_age)
        .bind(6, server.conflict ? 1 : 0)
        .bind(7, server.pinned_at);
    return (*query)->run();
}

Result<void> drop_of(Connection& connection, const char* sql, const protocol::ServerName& server)
{
    auto drop = Query::prepare(connection, sql);
    if (!drop) return fail(drop);
    (*drop)->bind_text(0, server.str());
    return (*drop)->run();
}

Result<void> write_keys(Connection& connection, const trust::PinnedServer& server)
{
    if (auto dropped = drop_of(connection, drop_keys, server.server); !dropped) return dropped;
    for (const auto& key : server.keys) {
        auto query = Query::prepare(connection, put_key);
        if (!query) return fail(query);
        (*query)
            ->bind_text(0, server.server.str())
            .bind_blob(1, key.key.octets())
            .bind(2, static_cast<std::int64_t>(key.status))
            .bind(3, key.from)
            .bind(4, key.until)
            .bind(5, key.revoked_at);
        auto written = (*query)->run();
        if (!written) return written;
    }
    return {};
}

Result<void> write_statements(Connection& connection, const trust::PinnedServer& server)
{
    if (auto dropped = drop_of(connection, drop_statements, server.server); !dropped)
        return dropped;
    std::int64_t position = 0;
    for (const auto& held : server.statements) {
        auto query = Query::prepare(connection, put_statement);
        if (!query) return fail(query);
        (*query)
            ->bind_text(0, server.server.str())
            .bind(1, position++)
            .bind_text(2, held.statement.text)
            .bind(3, held.received_at)
            .bind(4, static_cast<std::int64_t>(held.standing));
        auto written = (*query)->run();
        if (!written) return written;
    }
    return {};
}

Result<void> write_refused(Connection& connection, const trust::PinnedServer& server)
{
    if (auto dropped = drop_of(connection, drop_refused, server.server); !dropped) return dropped;
    for (const auto& key : server.refused) {
        auto query = Query::prepare(connection, put_refused);
        if (!query) return fail(query);
        (*query)->bind_text(0, server.server.str()).bind_blob(1, key.octets());
        auto written = (*query)->run();
        if (!written) return written;
    }
    return {};
}

// What we wrote ourselves was a valid key then; if it isn't now, the file is damaged.
Result<protocol::PublicKey> stored_key(std::string_view octets)
{
    auto key = protocol::PublicKey::from_octets(octets);
    if (!key) return fail(Code::internal, "pins: a stored key is damaged: " + key.error().detail);
    return key;
}

Result<trust::PinnedServer> read_server(const Statement& row)
{
    auto recovery = stored_key(row.blob(2));
    if (!recovery) return fail(recovery);
    trust::PinnedServer server;
    server.server = protocol::ServerName::trusted(std::string{row.text(0)});
    server.api = std::string{row.text(1)};
    server.recovery = *recovery;
    server.limits.bytes = static_cast<std::size_t>(row.integer(3));
    server.limits.items = static_cast<std::size_t>(row.integer(4));
    server.max_age = row.integer(5);
    server.conflict = row.integer(6) != 0;
    server.pinned_at = row.integer(7);
    return server;
}

Result<trust::PinnedKey> read_key(const Statement& row)
{
    auto key = stored_key(row.blob(1));
    if (!key) return fail(key);
    auto status = row.integer(2);
    if (status < 0 || status > static_cast<std::int64_t>(trust::KeyStatus::revoked)) {
        return fail(Code::internal, "pins: a stored key has the status " + std::to_string(status));
    }
    return trust::PinnedKey{*key, static_cast<trust::KeyStatus>(status), row.integer(3),
                            row.integer(4), row.integer(5)};
}

Result<trust::HeldStatement> read_statement(const Statement& row)
{
    auto statement = protocol::reread_statement(row.text(1));
    if (!statement) {
        return fail(Code::internal,
                    "pins: a stored statement is damaged: " + statement.error().detail);
    }
    auto standing = row.integer(3);
    if (standing < 0 || standing > static_cast<std::int64_t>(trust::Standing::stands)) {
        return fail(Code::internal,
                    "pins: a stored statement has the standing " + std::to_string(standing));
    }
    return trust::HeldStatement{std::move(*statement), row.integer(2),
                                static_cast<trust::Standing>(standing)};
}

// Runs `sql`, whose first column is a server, and hands each row to `take` with its pin.
template <class Take>
Result<void> for_each_row(Connection& connection, const char* sql,
                          const std::unordered_map<std::string, std::size_t>& places,
                          std::vector<trust::PinnedServer>& pins, Take take)
{
    auto rows = Query::prepare(connection, sql);
    if (!rows) return fail(rows);
    for (;;) {
        auto row = (*rows)->step();
        if (!row) return fail(row);
        if (!*row) return {};
        auto place = places.find(std::string{(*rows)->text(0)});
        if (place == places.end()) continue;
        Result<void> taken = take(pins[place->second], **rows);
        if (!taken) return taken;
    }
}

}  // namespace

Result<void> put_pin(WriteTransaction& transaction, const trust::PinnedServer& server)
{
    if (!server.recovery) return fail(Code::internal, "pins: a pin without a recovery key");
    auto written = write_server(transaction.db(), server);
    if (!written) return written;
    auto keys = write_keys(transaction.db(), server);
    if (!keys) return keys;
    auto statements = write_statements(transaction.db(), server);
    if (!statements) return statements;
    return write_refused(transaction.db(), server);
}

Result<std::vector<trust::PinnedServer>> read_pins(Connection& connection)
{
    std::vector<trust::PinnedServer> pins;
    std::unordered_map<std::string, std::size_t> places;
    auto servers = Query::prepare(connection, all_servers);
    if (!servers) return fail(servers);
    for (;;) {
        auto row = (*servers)->step();
        if (!row) return fail(row);
        if (!*row) break;
        auto server = read_server(**servers);
        if (!server) return fail(server);
        places.emplace(server->server.str(), pins.size());
        pins.push_back(std::move(*server));
    }
    auto keys = for_each_row(connection, all_keys, places, pins,
                             [](trust::PinnedServer& pin, const Statement& row) -> Result<void> {
                                 auto key = read_key(row);
                                 if (!key) return fail(key);
                                 pin.keys.push_back(std::move(*key));
                                 return {};
                             });
    if (!keys) return fail(keys);
    auto statements =
        for_each_row(connection, all_statements, places, pins,
                     [](trust::PinnedServer& pin, const Statement& row) -> Result<void> {
                         auto statement = read_statement(row);
                         if (!statement) return fail(statement);
                         pin.statements.push_back(std::move(*statement));
                         return {};
                     });
    if (!statements) return fail(statements);
    auto refused = for_each_row(connection, all_refused, places, pins,
                                [](trust::PinnedServer& pin, const Statement& row) -> Result<void> {
                                    auto key = stored_key(row.blob(1));
                                    if (!key) return fail(key);
                                    pin.refused.push_back(*key);
                                    return {};
                                });
    if (!refused) return fail(refused);
    return pins;
}

namespace {

Result<bool> is_related(Connection& connection, const protocol::ServerName& server)
{
    auto query = Query::prepare(connection, select_related);
    if (!query) return fail(query);
    (*query)->bind_text(0, server.str());
    auto row = (*query)->step();
    if (!row) return fail(row);
    return (*query)->integer(0) != 0;
}

struct DropUnrelated {
    std::vector<protocol::ServerName> servers;
    Result<std::vector<protocol::ServerName>> operator()(WriteTransaction& transaction)
    {
        std::vector<protocol::ServerName> gone;
        for (const auto& server : servers) {
            auto related = is_related(transaction.db(), server);
            if (!related) return fail(related);
            if (*related) continue;
            for (const auto* sql : {drop_keys, drop_statements, drop_refused, drop_server}) {
                auto dropped = drop_of(transaction.db(), sql, server);
                if (!dropped) return fail(dropped);
            }
            gone.push_back(server);
        }
        return gone;
    }
};

struct PutPin {
    trust::PinnedServer server;
    Result<void> operator()(WriteTransaction& transaction) { return put_pin(transaction, server); }
};

}  // namespace

asio::awaitable<Result<void>> PinStore::put(trust::PinnedServer server)
{
    PutPin job{std::move(server)};
    auto written = co_await commits_.write(std::move(job));
    co_return written;
}

asio::awaitable<Result<std::vector<protocol::ServerName>>> PinStore::drop_unrelated(
    std::vector<protocol::ServerName> servers)
{
    DropUnrelated job{std::move(servers)};
    auto gone = co_await commits_.write(std::move(job));
    co_return gone;
}

asio::awaitable<Result<std::vector<trust::PinnedServer>>> PinStore::all()
{
    auto pins = co_await commits_.read(&read_pins);
    co_return pins;
}

}  // namespace entente::storage
