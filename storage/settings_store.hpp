// What superadmins have set while the server runs. Knows no setting: which there are and what
// they may be is api/setting_rules'. Functions over a connection, for jobs of GroupCommit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/result.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

struct SettingRow {
    std::string key;
    std::string value;  // JSON
    std::string by;     // as in the audit log
    protocol::Millis at = 0;
};
struct SettingRows {
    std::int64_t version = 0;  // rises with every change
    std::vector<SettingRow> rows;
};
[[nodiscard]] Result<SettingRows> read_settings(Connection& db);
[[nodiscard]] Result<void> put_setting(Connection& db, const SettingRow& row);
// Nothing to do where it isn't set.
[[nodiscard]] Result<void> drop_setting(Connection& db, const std::string& key);
[[nodiscard]] Result<void> raise_settings_version(Connection& db);

}  // namespace entente::storage
