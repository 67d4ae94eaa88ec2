// The body of POST /devices/messages. Form and sizes only.
#pragma once

#include <string_view>
#include <vector>

#include "federation/people.hpp"
#include "protocol/names.hpp"
#include "protocol/result.hpp"

namespace entente::api {

inline constexpr std::size_t max_device_sends = 100;  // in a request
inline constexpr std::size_t max_device_send_octets = 1024 * 1024;

struct DeviceSends {
    protocol::Uuid txn;
    std::vector<federation::DeviceSend> messages;
};

// `malformed` with a JSON pointer, `too_large`.
[[nodiscard]] Result<DeviceSends> parse_device_sends(std::string_view text,
                                                     protocol::NameRules names);

}  // namespace entente::api
