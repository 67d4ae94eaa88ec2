// How the client API writes people, devices and keys. Pure functions, but for the one read
// that two groups of routes share.
#pragma once

#include <string>
#include <vector>

#include "api/api.hpp"
#include "federation/people.hpp"
#include "storage/device_store.hpp"

namespace entente::api {

[[nodiscard]] std::string own_device_json(const storage::DeviceRow& device, bool is_current);
// {"counts":{kind:left},"fallback":[kind]}
[[nodiscard]] std::string key_counts_json(const std::vector<storage::KeyCount>& counts);
// The frame {"keys.low":{kind:left}}.
[[nodiscard]] std::string low_keys_frame(const std::vector<storage::KeyCount>& counts);
[[nodiscard]] std::string claimed_json(const std::vector<federation::ClaimResult>& results,
                                       protocol::Millis now);
// The frame {"device.message":[…]}.
[[nodiscard]] std::string mail_frame(const std::vector<federation::MailItem>& items);
// {"results":[…]}, of `sends` in their order.
[[nodiscard]] std::string sent_json(const std::vector<federation::DeviceSend>& sends,
                                    const std::vector<federation::SendResult>& results,
                                    protocol::Millis now);

// Of the device that calls.
asio::awaitable<Result<std::vector<storage::KeyCount>>> own_key_counts(Api& api, Caller caller);

}  // namespace entente::api
