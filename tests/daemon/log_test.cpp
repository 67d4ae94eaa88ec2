// The log: formats, levels by component, and values that try to be more than values.
#include "daemon/log.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

namespace entente::daemon {
namespace {

using protocol::LogField;
using protocol::LogLevel;

constexpr protocol::Millis moment = 1'763'683'200'123;  // 2025-11-21T00:00:00.123Z

class FixedClock final : public protocol::Clock {
 public:
    [[nodiscard]] protocol::Millis now_ms() const override { return now; }
    protocol::Millis now = moment;
};

std::string text_line(std::string_view message, const std::vector<LogField>& fields)
{
    return format_line(LogFormat::text, moment, LogLevel::info, "inbox", message, fields);
}

TEST(Log, TextLinesHaveTimeLevelComponentMessageAndFields)
{
    EXPECT_EQ(
        text_line("took a transaction", {{"origin", "a.example"}, {"items", 3}, {"fresh", true}}),
        "2025-11-21T00:00:00.123Z info    inbox: took a transaction origin=a.example items=3 "
        "fresh=true");
}

TEST(Log, JsonLinesAreOneObjectEach)
{
    const std::vector<LogField> fields{{"origin", "a.example"}, {"items", 3}};
    EXPECT_EQ(
        format_line(LogFormat::json, moment, LogLevel::warning, "inbox", "slow", fields),
        R"({"at":"2025-11-21T00:00:00.123Z","level":"warning","component":"inbox","message":"slow",)"
        R"("fields":{"origin":"a.example","items":"3"}})");
}

TEST(Log, ValuesThatAreNotPlainAreQuotedAndEscaped)
{
    EXPECT_EQ(text_line("x", {{"v", "two words"}}).substr(41), " v=\"two words\"");
    EXPECT_EQ(text_line("x", {{"v", ""}}).substr(41), " v=\"\"");
    EXPECT_EQ(text_line("x", {{"v", "a=b"}}).substr(41), " v=\"a=b\"");
    EXPECT_EQ(text_line("x", {{"v", "a\n2025 error x: y"}}).substr(41),
              " v=\"a\\n2025 error x: y\"");
    EXPECT_EQ(text_line("x", {{"v", "\x1b[2J\x7f"}}).substr(41), " v=\"\\u001b[2J\\u007f\"");
    EXPECT_EQ(text_line("x", {{"v", "\xe2\x80\xae"}}).substr(41), " v=\"\\u202e\"");
    EXPECT_EQ(text_line("x", {{"v", "\xff"}}).substr(41), " v=\"\\ufffd\"");
}

RC_GTEST_PROP(Log, NoValueSplitsALineOrLeavesPrintableAscii,
              (const std::string& value, const std::string& message))
{
    const std::vector<LogField> fields{{"v", value}};
    for (const auto format : {LogFormat::text, LogFormat::json}) {
        const auto line = format_line(format, moment, LogLevel::error, "c", message, fields);
        const bool printable =
            std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
        RC_ASSERT(printable || format == LogFormat::json);
        const bool one_line = line.find('\n') == std::string::npos;
        RC_ASSERT(one_line);
        if (format == LogFormat::json) RC_ASSERT(nlohmann::json::accept(line));
    }
}

TEST(Log, LevelsAreThoseOfTheComponentElseTheGeneralOne)
{
    const FixedClock clock;
    std::vector<std::string> lines;
    LogConfig config;
    config.level = LogLevel::warning;
    config.components = {{"links", LogLevel::debug}, {"gate", LogLevel::error}};
    const auto log =
        make_logger(config, clock, [&](std::string_view line) { lines.emplace_back(line); });

    protocol::log_debug(*log, "links", "one");
    protocol::log_debug(*log, "storage", "two");
    protocol::log_warning(*log, "storage", "three");
    protocol::log_warning(*log, "gate", "four");
    protocol::log_error(*log, "gate", "five", {{"n", 5}});

    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0], "2025-11-21T00:00:00.123Z debug   links: one");
    EXPECT_EQ(lines[1], "2025-11-21T00:00:00.123Z warning storage: three");
    EXPECT_EQ(lines[2], "2025-11-21T00:00:00.123Z error   gate: five n=5");
    EXPECT_TRUE(log->enabled(LogLevel::debug, "links"));
    EXPECT_FALSE(log->enabled(LogLevel::info, "storage"));
}

TEST(Log, NewLevelsCountFromThenOn)
{
    const FixedClock clock;
    std::vector<std::string> lines;
    LogConfig config;
    const auto log =
        make_logger(config, clock, [&](std::string_view line) { lines.emplace_back(line); });
    protocol::log_debug(*log, "links", "unheard");
    config.components = {{"links", LogLevel::debug}};
    config.level = LogLevel::error;
    log->set_levels(config);
    protocol::log_debug(*log, "links", "heard");
    protocol::log_warning(*log, "gate", "unheard");
    log->set_levels({});
    protocol::log_debug(*log, "links", "unheard");
    protocol::log_info(*log, "gate", "heard too");
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_TRUE(lines[0].ends_with("links: heard"));
    EXPECT_TRUE(lines[1].ends_with("gate: heard too"));
}

// A stranger with a thousand names fills no disk.
TEST(Log, LinesThatSayTheSameAreCountedBeyondSixtyAMinute)
{
    FixedClock clock;
    std::vector<std::string> lines;
    LogConfig config;
    config.components = {{"gate", LogLevel::debug}};
    const auto log =
        make_logger(config, clock, [&](std::string_view line) { lines.emplace_back(line); });
    const auto write = [&](int count) {
        for (int i = 0; i < count; ++i)
            protocol::log_warning(*log, "discovery", "pinned", {{"server", i}});
    };
    write(same_lines_a_minute + 7);
    EXPECT_EQ(lines.size(), 60U);
    // What says something else, and what an operator has asked for, is none of that.
    protocol::log_warning(*log, "discovery", "key-conflict");
    protocol::log_warning(*log, "links", "pinned");
    EXPECT_EQ(lines.size(), 62U);
    for (int i = 0; i < 100; ++i) protocol::log_debug(*log, "gate", "refused");
    EXPECT_EQ(lines.size(), 162U);

    clock.now += 59'999;
    write(1);
    EXPECT_EQ(lines.size(), 162U);
    clock.now += 1;
    write(61);
    ASSERT_EQ(lines.size(), 162U + 1 + 60);
    EXPECT_EQ(lines[162], "2025-11-21T00:01:00.123Z warning discovery: pinned left_out=8");
    EXPECT_EQ(lines[163], "2025-11-21T00:01:00.123Z warning discovery: pinned server=0");
    // A clock that is set back begins another minute.
    clock.now -= 3'600'000;
    write(1);
    EXPECT_EQ(lines.size(), 162U + 61 + 2);
}

TEST(Log, ALoggerForStandardErrorWritesThere)
{
    const FixedClock clock;
    const auto log = make_logger(LogConfig{}, clock);
    testing::internal::CaptureStderr();
    protocol::log_info(*log, "net", "listening", {{"port", 8448}});
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "2025-11-21T00:00:00.123Z info    net: listening port=8448\n");
}

// A part that isn't listed could not be named in log.components.
TEST(LogComponents, AreThoseThatWrite)
{
    const std::regex call(
        R"re(log(?:_(?:debug|info|warning|error)|\.write)\(\s*[^,"]+,\s*"([a-z_]+)")re");
    std::set<std::string_view> silent(log_components.begin(), log_components.end());
    for (const auto* room : {"api", "daemon", "federation", "net", "storage", "trust"}) {
        const auto folder = std::filesystem::path(ENTENTE_SOURCE_DIR) / room;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            if (entry.path().extension() != ".cpp") continue;
            std::ifstream stream(entry.path());
            const std::string text{std::istreambuf_iterator<char>(stream), {}};
            for (std::sregex_iterator at(text.begin(), text.end(), call), end; at != end; ++at) {
                const auto part = (*at)[1].str();
                EXPECT_TRUE(std::ranges::find(log_components, part) != log_components.end())
                    << part << " in " << entry.path();
                silent.erase(part);
            }
        }
    }
    EXPECT_TRUE(silent.empty()) << *silent.begin() << " writes no log";
}

}  // namespace
}  // namespace entente::daemon
