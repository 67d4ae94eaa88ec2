#include "tests/sim/trace.hpp"

#include <cstdio>

namespace entente::sim {

void Trace::say(std::string_view who, std::string_view what)
{
    const auto elapsed = time_.elapsed_ms();
    std::string line =
        std::to_string(elapsed / 1000) + "." + std::to_string(elapsed % 1000 + 1000).substr(1);
    line.append(" ").append(who).append(": ").append(what);
    for (auto at = line.find(folder_); at != std::string::npos; at = line.find(folder_, at))
        line.erase(at, folder_.size());
    for (const char octet : line) {
        hash_ ^= static_cast<unsigned char>(octet);
        hash_ *= 0x100000001b3;
    }
    if (printing_ != Printing::nothing) std::printf("%s\n", line.c_str());
}

void Trace::show(std::string_view body) const
{
    if (printing_ == Printing::bodies && !body.empty())
        std::printf("    %.*s\n", static_cast<int>(body.size()), body.data());
}

void Trace::fault(std::string_view what)
{
    say("FAULT", what);
    faults_.emplace_back(what);
}

void TraceLog::write(protocol::LogLevel /*level*/, std::string_view component,
                     std::string_view message, std::span<const protocol::LogField> fields)
{
    std::string line;
    line.append("[").append(component).append("] ").append(message);
    for (const auto& field : fields)
        line.append(" ").append(field.name).append("=").append(field.value);
    trace_.say(name_, line);
}

}  // namespace entente::sim
