// Where every room says what happened: a level, a component, a sentence and named values.
// Rooms see this interface only; what becomes of a line (text or JSON, which levels of
// which component) is decided by daemon/log. Nothing here does I/O.
//
// Secrets, tokens, contents of messages and addresses of users have no place in a line.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace entente::protocol {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// A named value of a line. The name is a constant of ours (`snake_case`), the value may be
// anything, also what a stranger sent: who writes the line escapes it.
struct LogField {
    std::string_view name;
    std::string value;

    LogField(std::string_view field_name, std::string field_value)
        : name(field_name), value(std::move(field_value))
    {
    }
    LogField(std::string_view field_name, std::string_view field_value)
        : name(field_name), value(field_value)
    {
    }
    LogField(std::string_view field_name, const char* field_value)
        : name(field_name), value(field_value)
    {
    }
    template <std::integral T>
    LogField(std::string_view field_name, T field_value) : name(field_name)
    {
        if constexpr (std::same_as<T, bool>) {
            value = field_value ? "true" : "false";
        } else {
            value = std::to_string(field_value);
        }
    }
};

// Thread-safe; a call may wait for the terminal or the file, never for the network.
// `component` is the room or part that speaks, such as "inbox" or "peer_link": a constant.
class Log {
 public:
    virtual ~Log() = default;
    // Ask before a line that is costly to make; `write` asks by itself.
    [[nodiscard]] virtual bool enabled(LogLevel level, std::string_view component) const = 0;
    virtual void write(LogLevel level, std::string_view component, std::string_view message,
                       std::span<const LogField> fields) = 0;

    using Fields = std::initializer_list<LogField>;

    void write(LogLevel level, std::string_view component, std::string_view message,
               Fields fields = {})
    {
        if (!enabled(level, component)) return;
        write(level, component, message, std::span<const LogField>(fields.begin(), fields.size()));
    }
};

// In a coroutine: no call of these stands in an expression with co_await.
inline void log_debug(Log& log, std::string_view component, std::string_view message,
                      Log::Fields fields = {})
{
    log.write(LogLevel::debug, component, message, fields);
}

inline void log_info(Log& log, std::string_view component, std::string_view message,
                     Log::Fields fields = {})
{
    log.write(LogLevel::info, component, message, fields);
}

inline void log_warning(Log& log, std::string_view component, std::string_view message,
                        Log::Fields fields = {})
{
    log.write(LogLevel::warning, component, message, fields);
}

inline void log_error(Log& log, std::string_view component, std::string_view message,
                      Log::Fields fields = {})
{
    log.write(LogLevel::error, component, message, fields);
}

// Forgets everything: for tests and for tools that have no log.
class NullLog final : public Log {
 public:
    using Log::write;
    [[nodiscard]] bool enabled(LogLevel, std::string_view) const override { return false; }
    void write(LogLevel, std::string_view, std::string_view, std::span<const LogField>) override {}
};

}  // namespace entente::protocol
