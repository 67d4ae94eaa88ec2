// The settings that can be changed while the server runs: over the defaults of the process, what
// the database has. Holds what is valid now, and the public part of it as it is answered; a
// change is checked, written and put into the audit log in one transaction, and holds from its
// commit on. Which there are is setting_rules'. For the I/O executor.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "api/administration.hpp"
#include "api/setting_rules.hpp"
#include "protocol/log.hpp"
#include "storage/group_commit.hpp"
#include "storage/settings_store.hpp"

namespace entente::api {

struct SettingsParts {
    storage::GroupCommit& commit;
    trust::policy::Enforcer& policies;
    const protocol::Clock& clock;
    protocol::Log& log;
    protocol::ServerName server;
    SettingValues defaults;
    // Whenever other values hold.
    std::function<void(const SettingValues&)> changed;
};

// A setting as administrators see it; values are JSON.
struct ShownSetting {
    std::string key, value, fallback;
    // Where it is set: by whom, when, and what was set if that isn't valid (any more).
    std::optional<storage::SettingRow> row;
    bool is_valid = true;
};
struct ShownSettings {
    std::int64_t version = 0;
    std::vector<ShownSetting> settings;
};

// Answers GET /api/v1/config.
struct PublicConfig {
    std::string body;
    std::string etag;  // with its quotes
};

// Keys with their new values as JSON; nothing: unset.
using SettingChanges = std::map<std::string, std::optional<std::string>>;

class Settings {
 public:
    explicit Settings(SettingsParts parts);

    // Reads what is set. A value that isn't valid (any more) is left out, and a line of the log
    // says so.
    asio::awaitable<Result<void>> start();
    [[nodiscard]] const SettingValues& values() const { return values_; }
    [[nodiscard]] const PublicConfig& config() const { return config_; }
    [[nodiscard]] ShownSettings show() const;

    // All or none. `malformed`, its hint naming the key; `forbidden` as policies say;
    // `conflict` where the version isn't `expected`. What is so already is no change.
    asio::awaitable<Result<void>> change(Administrator by, SettingChanges changes,
                                         std::optional<std::int64_t> expected);

 private:
    struct Change;

    [[nodiscard]] Result<void> check(const SettingChanges& changes) const;
    void apply(const storage::SettingRows& stored);

    SettingsParts parts_;
    storage::SettingRows stored_;
    SettingValues values_;
    PublicConfig config_;
};

}  // namespace entente::api
