// The list of servers that ActivityPub servers share as CSV (RFC 4180), read and written:
//   #domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate
// `silence` is quarantined, `suspend` is blocked, `noop` says nothing. What a column says beyond
// that isn't kept. Whoever wrote the list is no authority on its form: bad lines are left out
// and told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/names.hpp"
#include "trust/tier.hpp"

namespace entente::trust {

inline constexpr std::size_t max_list_octets = 8 * 1024 * 1024;
inline constexpr std::size_t max_list_entries = 100'000;
// Of a line in it, which quotes may spread over several.
inline constexpr std::size_t max_list_line_octets = 8 * 1024;
// Longer comments are cut.
inline constexpr std::size_t max_comment_octets = 512;
// Bad lines that are told one by one; of all of them the number is.
inline constexpr std::size_t max_bad_lines = 1'000;

// Of a list's name: letters, digits, '.', '_' and '-' of ASCII, one at least.
inline constexpr std::size_t max_list_name_octets = 64;

struct ListEntry {
    protocol::ServerName server;
    Tier tier = Tier::blocked;  // or quarantined
    std::string comment;
    std::string origin = {};  // the list's name, written and never read
    friend bool operator==(const ListEntry&, const ListEntry&) = default;
};

struct BadLine {
    std::size_t line = 0;  // from 1: where it begins
    std::string why;
    friend bool operator==(const BadLine&, const BadLine&) = default;
};

struct ServerList {
    std::vector<ListEntry> entries;  // in their order, each server once
    std::size_t ignored = 0;         // that say nothing: `noop`
    std::vector<BadLine> bad;        // the first of them
    std::size_t bad_lines = 0;       // all of them
};

// Empty lines count for nothing; the first line may name the columns, in any order, as long as a
// domain and a severity are among them. `too_large`; `malformed` where it isn't UTF-8, or where
// more than max_list_entries lines are bad.
[[nodiscard]] Result<ServerList> parse_server_list(std::string_view csv, protocol::NameRules rules);
[[nodiscard]] bool is_list_name(std::string_view text);
// With the header, and `#origin` as the last column. Requires: tiers below guest.
[[nodiscard]] std::string write_server_list(const std::vector<ListEntry>& entries);

}  // namespace entente::trust
