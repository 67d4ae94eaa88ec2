#include "daemon/check_database.hpp"

#include <filesystem>

#include "daemon/key_folder.hpp"
#include "daemon/key_memory.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite/database.hpp"

namespace entente::daemon {

namespace {

Result<void> check_room(const std::string& data)
{
    std::error_code failed;
    const auto room = std::filesystem::space(data, failed);
    if (failed || room.available >= least_room_octets) return {};
    return fail(Code::unavailable,
                "the disk of the data folder " + data + " is full; make room on it");
}

Result<void> check_contents(const Config& config)
{
    const auto file = config.storage.sqlite_path();
    auto db = storage::open_to_look(file);
    if (!db) return fail(db);
    auto fit = storage::check_migrations(**db, storage::sqlite_migrations());
    if (!fit) return fail(fit.error().code, file + ": " + fit.error().detail);
    const auto keys = KeyFolder(config.server.keys).load(config.server.name, config.name_rules());
    if (!keys) return fail(keys);
    auto newest = check_newest(**db, *keys);
    // A database of before there was such a memory has no objection.
    if (!newest && newest.error().code == Code::forbidden) return newest;
    return {};
}

}  // namespace

std::vector<std::string> check_database(const Config& config)
{
    std::vector<std::string> faults;
    for (const auto& fit : {check_room(config.server.data), check_contents(config)})
        if (!fit) faults.push_back(fit.error().detail);
    return faults;
}

}  // namespace entente::daemon
