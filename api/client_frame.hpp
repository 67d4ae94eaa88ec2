// The frames that a client sends over its WebSocket. Form only: who may do what is the
// channels' business. Unknown members are ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/names.hpp"
#include "protocol/result.hpp"
#include "protocol/signal.hpp"

namespace entente::api {

inline constexpr std::size_t max_posts_a_frame = 1000;
inline constexpr std::size_t max_have_a_frame = 10'000;
inline constexpr std::size_t max_signals_a_frame = 100;

// One of an array of posts; where it can't be read, why.
struct FramePost {
    std::string txn_text;  // as it came, at most 64 octets, for the result
    protocol::Uuid txn;
    protocol::ChannelId channel;
    std::string content;    // a JSON object
    std::size_t index = 0;  // in its frame
    std::optional<Error> error;
};

struct ClientFrame {
    bool ping = false;
    bool follow_all = false;
    using Cursors = std::vector<std::pair<protocol::ChannelId, std::int64_t>>;
    Cursors follow;
    Cursors have;  // how far the device has each channel
    std::optional<std::vector<FramePost>> posts;
    std::optional<std::int64_t> ack;            // of messages to the device, cumulative
    std::vector<protocol::LiveSignal> signals;  // without their user
};

// `malformed` with a JSON pointer; a bad post is no error of the frame.
[[nodiscard]] Result<ClientFrame> parse_client_frame(std::string_view text,
                                                     protocol::NameRules names);

}  // namespace entente::api
