#include "storage/settings_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char select_settings[] = "SELECT key, value, by, at FROM setting ORDER BY key";
constexpr char select_version[] = "SELECT version FROM setting_version";
constexpr char upsert_setting[] =
    "INSERT INTO setting (key, value, by, at) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
    "value = excluded.value, by = excluded.by, at = excluded.at";
constexpr char delete_setting[] = "DELETE FROM setting WHERE key = ?";
constexpr char update_version[] = "UPDATE setting_version SET version = version + 1";

}  // namespace

Result<SettingRows> read_settings(Connection& db)
{
    auto version = one_row(db, select_version, [](Statement& row) { return row.integer(0); });
    if (!version) return fail(version);
    const auto read = [](Statement& row) {
        return SettingRow{std::string(row.text(0)), std::string(row.text(1)),
                          std::string(row.text(2)), row.integer(3)};
    };
    auto rows = all_rows(db, select_settings, read);
    if (!rows) return fail(rows);
    return SettingRows{version->value_or(0), std::move(*rows)};
}

Result<void> put_setting(Connection& db, const SettingRow& row)
{
    return run(db, upsert_setting, row.key, row.value, row.by, row.at);
}

Result<void> drop_setting(Connection& db, const std::string& key)
{
    return run(db, delete_setting, key);
}

Result<void> raise_settings_version(Connection& db)
{
    return run(db, update_version);
}

}  // namespace entente::storage
