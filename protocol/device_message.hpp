// The content of a direct event `device.message` [INBOX-12]: which device it is for, and a
// JSON object that nobody between the two devices reads.
#pragma once

#include <string>
#include <string_view>

#include "protocol/names.hpp"
#include "protocol/result.hpp"

namespace entente::protocol {

inline constexpr std::size_t max_device_message_octets = 60 * 1024;

struct DeviceMessage {
    Uuid device;
    std::string body;  // a JSON object, its octets
};

// `salt` in base64url [EVT-6].
[[nodiscard]] std::string write_device_message(const DeviceMessage& message, std::string_view salt);
// Of a content that has passed check_content; `malformed`.
[[nodiscard]] Result<DeviceMessage> parse_device_message(std::string_view content);

}  // namespace entente::protocol
