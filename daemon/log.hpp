// The daemon's log: lines as text or JSON on standard error, levels by component. Values
// are escaped, whatever a stranger put into them; no line is split or forged by one. Of lines
// that say the same of other values so many are written in a minute, since what strangers do
// may be behind each, and the rest is counted; only debug lines are written all.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "daemon/config.hpp"
#include "protocol/clock.hpp"
#include "protocol/log.hpp"

namespace entente::daemon {

// The parts that write: what log.components can name.
inline constexpr std::array<std::string_view, 8> log_components{
    "api", "channel_log", "daemon", "discovery", "gate", "links", "storage", "trust"};

inline constexpr int same_lines_a_minute = 60;

class LevelledLog : public protocol::Log {
 public:
    // From now on, for whoever writes. Thread-safe; the format stays.
    virtual void set_levels(const LogConfig& config) = 0;
};

// Writes to standard error, each line at once. `clock` must outlive the log.
[[nodiscard]] std::unique_ptr<LevelledLog> make_logger(const LogConfig& config,
                                                       const protocol::Clock& clock);

// The same for a place of the caller's, which gets whole lines without their end; for tests.
using LineSink = std::function<void(std::string_view line)>;
[[nodiscard]] std::unique_ptr<LevelledLog> make_logger(const LogConfig& config,
                                                       const protocol::Clock& clock, LineSink sink);

// One line without its end.
[[nodiscard]] std::string format_line(LogFormat format, protocol::Millis at,
                                      protocol::LogLevel level, std::string_view component,
                                      std::string_view message,
                                      std::span<const protocol::LogField> fields);

}  // namespace entente::daemon
