// What the control routes share: captures and parameters that are read, answers that are
// written. For the sources of this folder only.
#pragma once

#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include "federation/identity.hpp"
#include "net/http_message.hpp"
#include "storage/log_reader.hpp"
#include "storage/stall_store.hpp"

namespace entente::daemon::control {

using Json = nlohmann::json;

// Pages of lists: ?after=NAME&limit=1–500, 100 where it is absent.
struct Page {
    std::string after;
    std::size_t limit = 100;
};
[[nodiscard]] Result<Page> page_of(const net::Request& request);
// The captures, by their place in the path. `malformed`.
[[nodiscard]] Result<protocol::ServerName> server_capture(const net::Request& request,
                                                          std::size_t place,
                                                          protocol::NameRules rules);
[[nodiscard]] Result<protocol::ChannelId> channel_capture(const net::Request& request,
                                                          std::size_t place,
                                                          protocol::NameRules rules);
[[nodiscard]] Result<std::int64_t> number_capture(const net::Request& request, std::size_t place);
// A whole number from 1 to `most`. `malformed`.
[[nodiscard]] Result<std::int64_t> whole_number(std::string_view text, std::int64_t most);
// ?name=true; anything else is no.
[[nodiscard]] bool has_flag(const net::Request& request, std::string_view name);

// What a list begins with: {"now","more"}; there may be more where the page is full.
[[nodiscard]] Json page_json(const Page& page, std::size_t found, protocol::Millis now);

[[nodiscard]] net::Response answer(const Json& json);
// With the error's detail: see control.hpp.
[[nodiscard]] net::Response refusal(Error error, protocol::Millis now);

[[nodiscard]] Json problem_json(const Error& error);
[[nodiscard]] Json channel_json(const storage::ChannelRow& channel, protocol::NameRules rules);
void add_stall(Json& json, const std::optional<storage::Stall>& stall);

}  // namespace entente::daemon::control
