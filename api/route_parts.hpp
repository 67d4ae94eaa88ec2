// What several groups of routes read from a request and write into an answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/api.hpp"
#include "api/json_body.hpp"
#include "federation/channels.hpp"
#include "net/http_message.hpp"

namespace entente::api {

inline constexpr std::size_t max_reason_octets = 1024;  // of a kick, a ban, a deletion

// The caller with the body's `txn`; a missing or bad one is a breach of `members`.
[[nodiscard]] federation::Actor actor_of(const Caller& caller, Members& members);
// The same for a body that holds nothing else.
[[nodiscard]] Result<federation::Actor> actor_from_body(const Caller& caller,
                                                        const net::Request& request);
// The path's first {capture}; what can't name a channel is `not_found`.
[[nodiscard]] Result<protocol::ChannelId> channel_of(const Api& api, const net::Request& request);
// The body's `user`; what is no name@server is a breach of `members`.
[[nodiscard]] protocol::UserId user_of(const Api& api, Members& members);
// The path's second {capture}, an event id; what isn't one is `not_found`.
[[nodiscard]] Result<protocol::Hash> target_of(const net::Request& request);
[[nodiscard]] Result<std::int64_t> number_parameter(const net::Request& request,
                                                    std::string_view name, std::int64_t fallback,
                                                    std::int64_t least, std::int64_t most);
// What is wrong inside of a content is told by where that stands: "/content" or "/posts/3/content".
[[nodiscard]] Error within_content(Error error, std::string_view pointer);
// 201 with where the event stands.
[[nodiscard]] Result<net::Response> posted_response(const Api& api,
                                                    const Result<federation::Posted>& posted);

}  // namespace entente::api
