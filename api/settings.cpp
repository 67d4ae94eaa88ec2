#include "api/settings.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "protocol/json_rules.hpp"
#include "protocol/octets.hpp"

namespace entente::api {

namespace {

using nlohmann::json;
using protocol::json_string;

constexpr std::size_t etag_characters = 22;  // 132 bits

const storage::SettingRow* row_of(const storage::SettingRows& stored, std::string_view key)
{
    const auto found = std::ranges::find(stored.rows, key, &storage::SettingRow::key);
    return found == stored.rows.end() ? nullptr : &*found;
}

void add_text(std::string& out, const char* name, const std::string& text)
{
    if (text.empty()) return;
    if (!out.ends_with('{')) out += ',';
    out += std::string("\"") + name + "\":" + json_string(text);
}

// What anybody may know; no more than clients need before there is an account.
PublicConfig public_config(const protocol::ServerName& server, const SettingValues& values)
{
    std::string out = R"({"server":)" + json_string(server.str());
    out += R"(,"registration":{"mode":)" + json_string(to_text(values.registration));
    out += R"(},"branding":{)";
    add_text(out, "name", values.name);
    add_text(out, "description", values.description);
    add_text(out, "colour", values.colour);
    add_text(out, "contact", values.contact);
    out += R"(},"limits":{"media_bytes":)" + std::to_string(values.media_bytes);
    out += R"(,"media_bytes_per_user_and_day":)" + std::to_string(values.media_bytes_a_day);
    out += R"(,"channels_per_user_and_day":)" + std::to_string(values.channels_a_day);
    out += R"(,"reports_per_user_and_day":)" + std::to_string(values.reports_a_day);
    out += R"(,"requests_per_user":)" + std::to_string(values.requests_per_user) + "}}";
    auto etag =
        '"' + protocol::to_base64url(protocol::sha256(out)).substr(0, etag_characters) + '"';
    return {std::move(out), std::move(etag)};
}

}  // namespace

// One change, as the writer runs it. Gives what is stored then, or nothing where that is the
// same as before.
struct Settings::Change {
    Administrator by;
    SettingChanges changes;
    std::optional<std::int64_t> expected;
    trust::policy::Enforcer& policies;
    protocol::ServerName server;
    protocol::Millis now = 0;
    std::function<void(const storage::SettingRows&)> apply;

    Result<void> operator()(storage::WriteTransaction& transaction) const
    {
        auto& db = transaction.db();
        // Each for itself: what a policy says of one setting holds in whatever company it comes.
        for (const auto& [name, value] : changes) {
            const Act act{trust::policy::Action::settings_change,
                          trust::policy::ResourceKind::setting, name};
            if (auto allowed = check_act(db, policies, server, by, act, now); !allowed)
                return allowed;
        }
        auto before = storage::read_settings(db);
        if (!before) return fail(before);
        if (expected && *expected != before->version)
            return refuse(Code::conflict, "/version: the settings have changed since");
        const auto details = record(*before);
        if (details.empty()) return {};
        if (auto written = write(db, *before); !written) return written;
        json noted{{"changes", details}, {"version", before->version + 1}};
        auto appended = storage::append_audit(
            db, server, now, {by.name, "settings.change", "settings", noted.dump()});
        if (!appended) return fail(appended);
        auto after = storage::read_settings(db);
        if (!after) return fail(after);
        transaction.after_commit([apply = apply, after = std::move(*after)] { apply(after); });
        return {};
    }

    [[nodiscard]] json record(const storage::SettingRows& before) const
    {
        json details = json::object();
        for (const auto& [key, value] : changes) {
            const auto* row = row_of(before, key);
            const bool is_same = row == nullptr ? !value : value && row->value == *value;
            if (is_same) continue;
            details[key] = {{"before", row == nullptr ? json() : json::parse(row->value)},
                            {"after", value ? json::parse(*value) : json()}};
        }
        return details;
    }

    [[nodiscard]] Result<void> write(storage::Connection& db,
                                     const storage::SettingRows& before) const
    {
        for (const auto& [key, value] : changes) {
            const auto* row = row_of(before, key);
            if (value && row != nullptr && row->value == *value) continue;
            auto done = value ? storage::put_setting(db, {key, *value, by.name, now})
                              : storage::drop_setting(db, key);
            if (!done) return done;
        }
        return storage::raise_settings_version(db);
    }
};

Settings::Settings(SettingsParts parts) : parts_(std::move(parts)), values_(parts_.defaults)
{
    config_ = public_config(parts_.server, values_);
}

asio::awaitable<Result<void>> Settings::start()
{
    auto job = [](storage::Connection& db) { return storage::read_settings(db); };
    auto stored = co_await parts_.commit.read(std::move(job));
    if (!stored) co_return fail(stored);
    apply(*stored);
    co_return Result<void>{};
}

void Settings::apply(const storage::SettingRows& stored)
{
    auto values = parts_.defaults;
    for (const auto& row : stored.rows) {
        const auto* rule = find_setting(row.key);
        auto taken = rule == nullptr ? refuse(Code::malformed, "no such setting")
                                     : take_setting(values, parts_.defaults, *rule, row.value);
        if (!taken)
            protocol::log_warning(parts_.log, "api",
                                  "a stored setting isn't valid and has no effect",
                                  {{"setting", row.key}, {"reason", taken.error().hint}});
    }
    stored_ = stored;
    values_ = std::move(values);
    config_ = public_config(parts_.server, values_);
    parts_.changed(values_);
}

ShownSettings Settings::show() const
{
    ShownSettings shown;
    shown.version = stored_.version;
    for (const auto& rule : setting_rules()) {
        ShownSetting one{
            std::string(rule.key), rule.show(values_), rule.show(parts_.defaults), {}, true};
        if (const auto* row = row_of(stored_, rule.key)) {
            one.row = *row;
            auto scratch = parts_.defaults;
            one.is_valid = take_setting(scratch, parts_.defaults, rule, row->value).has_value();
        }
        shown.settings.push_back(std::move(one));
    }
    return shown;
}

Result<void> Settings::check(const SettingChanges& changes) const
{
    auto scratch = parts_.defaults;
    for (const auto& [key, value] : changes) {
        const auto* rule = find_setting(key);
        // One that this version doesn't know may be unset all the same.
        if (rule == nullptr && (value || row_of(stored_, key) == nullptr))
            return refuse(Code::malformed, "/settings/" + key + ": no such setting");
        if (!value) continue;
        auto fits = take_setting(scratch, parts_.defaults, *rule, *value);
        if (!fits) return refuse(Code::malformed, "/settings/" + key + ": " + fits.error().hint);
    }
    return {};
}

asio::awaitable<Result<void>> Settings::change(Administrator by, SettingChanges changes,
                                               std::optional<std::int64_t> expected)
{
    if (auto checked = check(changes); !checked) co_return checked;
    Change job{std::move(by),
               std::move(changes),
               expected,
               parts_.policies,
               parts_.server,
               parts_.clock.now_ms(),
               [this](const storage::SettingRows& stored) { apply(stored); }};
    auto done = co_await parts_.commit.write(std::move(job));
    co_return done;
}

}  // namespace entente::api
