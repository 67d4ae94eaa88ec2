// How long the texts of requests may be, for both ways of asking: routes and frames.
#pragma once

#include <cstddef>

namespace entente::api {

inline constexpr std::size_t max_user_octets = 320;     // localpart@server, with room
inline constexpr std::size_t max_channel_octets = 300;  // id@server
inline constexpr std::size_t max_channel_name_octets = 1'024;
inline constexpr std::size_t max_server_octets = 253;
inline constexpr std::size_t max_word_octets = 64;  // one of a closed list
inline constexpr std::size_t max_device_name_octets = 100;

}  // namespace entente::api
