#include "daemon/log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <nlohmann/json.hpp>

namespace entente::daemon {

namespace {

using protocol::LogField;
using protocol::LogLevel;

std::string_view name_of(LogLevel level)
{
    switch (level) {
        case LogLevel::debug: return "debug";
        case LogLevel::info: return "info";
        case LogLevel::warning: return "warning";
        case LogLevel::error: return "error";
    }
    return "error";
}

spdlog::level::level_enum spdlog_level(LogLevel level)
{
    switch (level) {
        case LogLevel::debug: return spdlog::level::debug;
        case LogLevel::info: return spdlog::level::info;
        case LogLevel::warning: return spdlog::level::warn;
        case LogLevel::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

// RFC 3339 with milliseconds, UTC.
std::string time_text(protocol::Millis at)
{
    using namespace std::chrono;
    const sys_time<milliseconds> point{milliseconds{at}};
    const auto day = floor<days>(point);
    const year_month_day date{day};
    const hh_mm_ss time{point - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       time.hours().count(), time.minutes().count(), time.seconds().count(),
                       time.subseconds().count());
}

// Quoted and escaped down to printable ASCII: terminals obey no octet of a stranger's,
// and direction marks can't make a line look like another.
std::string escaped(std::string_view value)
{
    using Json = nlohmann::json;
    auto text = Json(std::string(value)).dump(-1, ' ', true, Json::error_handler_t::replace);
    // JSON leaves DEL as it is.
    for (auto at = text.find('\x7f'); at != std::string::npos; at = text.find('\x7f', at)) {
        text.replace(at, 1, "\\u007f");
    }
    return text;
}

bool is_plain(std::string_view value)
{
    const auto fine = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("._-/:@#+%").find(c) != std::string_view::npos;
    };
    return !value.empty() && std::all_of(value.begin(), value.end(), fine);
}

// The message is a sentence of ours, but may carry a library's words.
std::string shown_message(std::string_view message)
{
    const auto printable = [](char c) { return c >= 0x20 && c < 0x7f; };
    if (std::all_of(message.begin(), message.end(), printable)) return std::string(message);
    return escaped(message);
}

// Counts lines by what they say, a minute at a time. Not thread-safe.
class SameLines {
 public:
    struct LeftOut {
        LogLevel level;
        std::string component;
        std::string message;
        int count;
    };

    // What was left out in the minute that has ended by `now`, once.
    std::vector<LeftOut> turn(protocol::Millis now)
    {
        std::vector<LeftOut> left_out;
        if (now >= begun_ && now < begun_ + minute_ms) return left_out;
        begun_ = now;
        for (auto& [said, line] : std::exchange(lines_, {})) {
            line.count -= same_lines_a_minute;
            if (line.count > 0) left_out.push_back(std::move(line));
        }
        return left_out;
    }

    [[nodiscard]] bool may_write(LogLevel level, std::string_view component,
                                 std::string_view message)
    {
        auto& line = lines_[std::string(component) + " " + std::string(message)];
        if (line.count == 0) line = {level, std::string(component), std::string(message), 0};
        return ++line.count <= same_lines_a_minute;
    }

 private:
    static constexpr protocol::Millis minute_ms = 60'000;

    protocol::Millis begun_ = 0;
    std::map<std::string, LeftOut> lines_;  // messages are sentences of ours: as many as there are
};

class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
    explicit FunctionSink(LineSink to) : sink_(std::move(to)) {}

 protected:
    void sink_it_(const spdlog::details::log_msg& message) override
    {
        sink_({message.payload.data(), message.payload.size()});
    }
    void flush_() override {}

 private:
    LineSink sink_;
};

// Lines are made here; spdlog takes them to their place, one thread at a time.
class SinkLog final : public LevelledLog {
 public:
    SinkLog(const LogConfig& config, const protocol::Clock& clock,
            std::unique_ptr<spdlog::sinks::sink> sink)
        : format_(config.format), clock_(clock), sink_(std::move(sink))
    {
        SinkLog::set_levels(config);
        sink_->set_formatter(
            std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc));
    }

    using Log::write;

    [[nodiscard]] bool enabled(LogLevel level, std::string_view component) const override
    {
        for (std::size_t i = 0; i < log_components.size(); ++i) {
            if (log_components[i] == component)
                return level >= levels_[i].load(std::memory_order_relaxed);
        }
        return level >= level_.load(std::memory_order_relaxed);
    }

    void set_levels(const LogConfig& config) override
    {
        level_.store(config.level, std::memory_order_relaxed);
        for (std::size_t i = 0; i < log_components.size(); ++i) {
            const auto own = config.components.find(std::string(log_components[i]));
            levels_[i].store(own == config.components.end() ? config.level : own->second,
                             std::memory_order_relaxed);
        }
    }

    void write(LogLevel level, std::string_view component, std::string_view message,
               std::span<const LogField> fields) override
    {
        if (!enabled(level, component)) return;
        if (level != LogLevel::debug && !count(level, component, message)) return;
        put(level, component, message, fields);
    }

 private:
    // False where there have been enough of its kind.
    bool count(LogLevel level, std::string_view component, std::string_view message)
    {
        std::vector<SameLines::LeftOut> left_out;
        bool may_write = false;
        {
            const std::lock_guard lock(mutex_);
            left_out = same_lines_.turn(clock_.now_ms());
            may_write = same_lines_.may_write(level, component, message);
        }
        for (const auto& line : left_out) {
            const std::vector<LogField> fields{{"left_out", line.count}};
            put(line.level, line.component, line.message, fields);
        }
        return may_write;
    }

    void put(LogLevel level, std::string_view component, std::string_view message,
             std::span<const LogField> fields)
    {
        const auto line = format_line(format_, clock_.now_ms(), level, component, message, fields);
        const spdlog::details::log_msg entry(
            spdlog::string_view_t(component.data(), component.size()), spdlog_level(level), line);
        sink_->log(entry);
        sink_->flush();
    }

    std::mutex mutex_;
    SameLines same_lines_;
    LogFormat format_;
    std::atomic<LogLevel> level_{LogLevel::info};
    std::array<std::atomic<LogLevel>, log_components.size()> levels_{};
    const protocol::Clock& clock_;
    std::unique_ptr<spdlog::sinks::sink> sink_;
};

std::string format_json(protocol::Millis at, LogLevel level, std::string_view component,
                        std::string_view message, std::span<const LogField> fields)
{
    nlohmann::ordered_json line;
    line["at"] = time_text(at);
    line["level"] = name_of(level);
    line["component"] = component;
    line["message"] = message;
    for (const auto& field : fields) line["fields"][std::string(field.name)] = field.value;
    return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string format_line(LogFormat format, protocol::Millis at, LogLevel level,
                        std::string_view component, std::string_view message,
                        std::span<const LogField> fields)
{
    if (format == LogFormat::json) return format_json(at, level, component, message, fields);
    auto line = fmt::format("{} {:<7} {}: {}", time_text(at), name_of(level), component,
                            shown_message(message));
    for (const auto& field : fields) {
        line += fmt::format(" {}={}", field.name,
                            is_plain(field.value) ? field.value : escaped(field.value));
    }
    return line;
}

std::unique_ptr<LevelledLog> make_logger(const LogConfig& config, const protocol::Clock& clock)
{
    return std::make_unique<SinkLog>(config, clock,
                                     std::make_unique<spdlog::sinks::stderr_sink_mt>());
}

std::unique_ptr<LevelledLog> make_logger(const LogConfig& config, const protocol::Clock& clock,
                                         LineSink sink)
{
    return std::make_unique<SinkLog>(config, clock,
                                     std::make_unique<FunctionSink>(std::move(sink)));
}

}  // namespace entente::daemon
