// What a run did, line by line: hashed, so that two runs of a seed can be compared, and
// printed where somebody wants to read it. A claim that doesn't hold ends up here too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/log.hpp"
#include "tests/sim/timeline.hpp"

namespace entente::sim {

enum class Printing : std::uint8_t { nothing, steps, bodies };

class Trace {
 public:
    // `folder` is where the run's files are: its name differs between runs, and isn't said.
    Trace(const Timeline& time, std::string folder, Printing printing)
        : time_(time), folder_(std::move(folder)), printing_(printing)
    {
    }

    void say(std::string_view who, std::string_view what);
    // What was sent: for the reader's eyes, no part of the hash.
    void show(std::string_view body) const;
    // Something that must not be. The run goes on, and has failed.
    void fault(std::string_view what);

    [[nodiscard]] std::uint64_t hash() const { return hash_; }
    [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }

 private:
    const Timeline& time_;
    std::string folder_;
    Printing printing_;
    std::uint64_t hash_ = 0xcbf29ce484222325;
    std::vector<std::string> faults_;
};

// A machine's log as lines of the trace.
class TraceLog final : public protocol::Log {
 public:
    TraceLog(Trace& trace, std::string name) : trace_(trace), name_(std::move(name)) {}
    using Log::write;
    [[nodiscard]] bool enabled(protocol::LogLevel level, std::string_view) const override
    {
        return level >= protocol::LogLevel::info;
    }
    void write(protocol::LogLevel level, std::string_view component, std::string_view message,
               std::span<const protocol::LogField> fields) override;

 private:
    Trace& trace_;
    std::string name_;
};

}  // namespace entente::sim
