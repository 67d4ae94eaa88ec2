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
constexpr const char* drop_keys = "DELETE FROM pin_key WHERE server = ?";
constexpr const char* put_key =
    "INSERT INTO pin_key (server, key, status, valid_from, replaced, revoked)"
    " VALUES (?, ?, ?, ?, ?, ?)";
constexpr const char* all_servers =
    "SELECT server, api, recovery, transaction_bytes, transaction_items, max_age, conflict,"
    " pinned_at FROM pin ORDER BY server";
constexpr const char* all_keys =
    "SELECT server, key, status, valid_from, replaced, revoked FROM pin_key"
    " ORDER BY server, valid_from, key";

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

Result<void> write_keys(Connection& connection, const trust::PinnedServer& server)
{
    {
        auto drop = Query::prepare(connection, drop_keys);
        if (!drop) return fail(drop);
        (*drop)->bind_text(0, server.server.str());
        auto dropped = (*drop)->run();
        if (!dropped) return dropped;
    }
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

}  // namespace

Result<void> put_pin(WriteTransaction& transaction, const trust::PinnedServer& server)
{
    if (!server.recovery) return fail(Code::internal, "pins: a pin without a recovery key");
    auto written = write_server(transaction.db(), server);
    if (!written) return written;
    return write_keys(transaction.db(), server);
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
    auto keys = Query::prepare(connection, all_keys);
    if (!keys) return fail(keys);
    for (;;) {
        auto row = (*keys)->step();
        if (!row) return fail(row);
        if (!*row) break;
        auto key = read_key(**keys);
        if (!key) return fail(key);
        auto place = places.find(std::string{(*keys)->text(0)});
        if (place != places.end()) pins[place->second].keys.push_back(std::move(*key));
    }
    return pins;
}

namespace {

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

asio::awaitable<Result<std::vector<trust::PinnedServer>>> PinStore::all()
{
    auto pins = co_await commits_.read(&read_pins);
    co_return pins;
}

}  // namespace entente::storage
