#include "tests/e2e/support/control.hpp"

#include "storage/log_reader.hpp"
#include "storage/query.hpp"
#include "storage/run_codec.hpp"
#include "storage/sqlite/database.hpp"

namespace entente::e2e {

namespace {

constexpr char select_run[] =
    "SELECT last, first, body FROM run WHERE channel = ? AND last >= ? ORDER BY last LIMIT 1";
constexpr char update_run[] = "UPDATE run SET body = ? WHERE channel = ? AND last = ?";

struct RunRow {
    std::int64_t last, first;
    std::string body;
};

RunRow read_run(storage::Statement& row)
{
    return {row.integer(0), row.integer(1), std::string(row.blob(2))};
}

template <class T>
T need(Result<T> result, const char* what)
{
    if (!result) throw Broken(std::string(what) + ": " + result.error().detail);
    return std::move(*result);
}

}  // namespace

Told control(const Node& node, std::vector<std::string> arguments)
{
    arguments.insert(arguments.begin(), "ententctl");
    arguments.insert(arguments.end(), {"--json", "--config", node.config_file()});
    auto finished = run_program(arguments);
    Told told;
    told.exit_code = finished.exit_code;
    told.json = nlohmann::json::parse(finished.output, nullptr, false);
    if (told.json.is_discarded()) told.json = nullptr;
    told.output = std::move(finished.output);
    return told;
}

void tamper(const Node& node, const std::string& channel, std::int64_t seq,
            const std::function<void(protocol::Entry&)>& change)
{
    if (node.is_running()) throw Broken("a running server's database is its own");
    auto database = storage::make_sqlite_database(node.folder() + "/data/entente.sqlite",
                                                  storage::sqlite_migrations());
    auto db = need(database->open_writer(), "open");
    const auto row =
        need(storage::read_channel(*db, protocol::ChannelId::trusted(channel)), "channel");
    const auto run = need(storage::one_row(*db, select_run, read_run, row.id, seq), "run").value();
    auto entries = need(storage::decode_entries(run.body), "entries");
    change(entries.at(static_cast<std::size_t>(seq - run.first)));
    std::string body;
    for (const auto& entry : entries) storage::append_entry(body, entry);
    if (auto begun = db->begin(); !begun) throw Broken(begun.error().detail);
    auto done = storage::run(*db, update_run, storage::Blob{body}, row.id, run.last);
    if (!done) throw Broken(done.error().detail);
    if (auto committed = db->commit(); !committed) throw Broken(committed.error().detail);
}

}  // namespace entente::e2e
