// What a server answers about its aliases and public channels (section 7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/names.hpp"

namespace entente::protocol {

// [QRY-6] Bounds of what is believed of another server's answer: longer lists are cut.
inline constexpr std::size_t max_alias_servers = 32;
inline constexpr std::size_t max_directory_channels = 1'000;
inline constexpr std::size_t max_directory_cursor_octets = 512;

struct AliasAnswer {
    ChannelId channel;
    std::vector<ServerName> servers;  // where a join can be handed in, the best first
};

struct ListedChannel {
    ChannelId channel;
    std::string name, topic, avatar, history, encryption;
    std::int64_t members = 0;
    std::vector<std::string> aliases;  // #localpart@server
};

struct DirectoryAnswer {
    std::vector<ListedChannel> channels;
    std::string next;  // the cursor of the next page; empty behind the last
};

[[nodiscard]] std::string write_alias_answer(const AliasAnswer& answer);
[[nodiscard]] std::string write_directory_answer(const DirectoryAnswer& answer);
// `malformed` where it can't be read; one bad channel of a directory is left out.
[[nodiscard]] Result<AliasAnswer> parse_alias_answer(std::string_view body, NameRules rules);
[[nodiscard]] Result<DirectoryAnswer> parse_directory_answer(std::string_view body,
                                                             NameRules rules);

}  // namespace entente::protocol
