// Signals [INBOX-5]: typing, presence, read marks. What passes by and is never kept in a log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/names.hpp"
#include "protocol/result.hpp"

namespace entente::protocol {

enum class SignalType : std::uint8_t { typing, presence, read };
[[nodiscard]] std::string_view to_text(SignalType type);
[[nodiscard]] std::optional<SignalType> signal_type_from(std::string_view text);

// `online`, `away` or `offline`.
[[nodiscard]] bool is_presence(std::string_view text);

struct LiveSignal {
    SignalType type = SignalType::typing;
    ChannelId channel;
    UserId user;
    bool on = false;       // typing
    std::string status;    // presence
    std::int64_t seq = 0;  // read: up to this entry

    // Of those with the same key the latest counts alone.
    [[nodiscard]] std::string key() const;
};

[[nodiscard]] std::string write_signal(const LiveSignal& signal);
// An object that has passed check_json. `malformed`; `unsupported` for another type.
[[nodiscard]] Result<LiveSignal> parse_signal(std::string_view object, NameRules rules);

}  // namespace entente::protocol
