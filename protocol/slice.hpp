// Entries, the hash chain and slices (section 5).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/event.hpp"
#include "protocol/problem.hpp"
#include "protocol/proofs.hpp"

namespace entente::protocol {

// What the holder of an entry found out about it: for display, never for the fold.
enum class Mark : std::uint8_t {
    late = 1,         // sealed more than 24 h from the entry's time [EVT-7]
    key_revoked = 2,  // under a key that had been revoked by then [KEY-7]
    key_retired = 4,  // under one that had been replaced for more than 7 days
    no_effect = 8,    // the home should not have taken it [MEM-2]
    unverified = 16,  // only the home vouches for its author's key [LOG-6]
    withheld = 32     // the content is gone, and nothing says by whose right [MEM-4]
};
// In the words of the client API, in the order above.
[[nodiscard]] std::vector<std::string_view> names_of_marks(std::uint8_t marks);
[[nodiscard]] constexpr std::uint8_t bit(Mark mark)
{
    return static_cast<std::uint8_t>(mark);
}

// One entry as it travels. Exactly one of content, deleted_by, expired says what
// became of the content.
struct Entry {
    Millis at = 0;      // the home's time; never decreases
    std::string event;  // octets
    std::optional<std::string> content;
    std::int64_t deleted_by = 0;  // the seq that erased it; 0 where none did
    bool expired = false;
    std::uint8_t marks = 0;  // bits of Mark; a holder's own, and no part of what travels
    friend bool operator==(const Entry&, const Entry&) = default;
};

// base64url text; `previous` is empty before the first.
[[nodiscard]] std::string entry_hash(const ChannelId& channel, std::int64_t epoch, std::int64_t seq,
                                     Millis at, std::string_view previous, const Hash& event_id);

struct Position {
    std::int64_t seq = 0;
    std::string hash;
    friend bool operator==(const Position&, const Position&) = default;
};

// [LOG-6] Keys that a slice may show, and statements with each: as many as a server keeps of
// another [KEY-12].
inline constexpr std::size_t max_shown_keys = 64;
inline constexpr std::size_t max_shown_statements = 576;

// [LOG-6] a key shown for a server whose own word the receiver lacks.
struct ShownKey {
    ServerName server;
    std::optional<std::string> key_x;     // the public JWK's x
    std::vector<std::string> statements;  // JWS

    // Whose key it is by its thumbprint; whether it is an acceptable one is not looked at.
    [[nodiscard]] std::optional<KeyRef> ref() const;
};

struct Slice {
    ChannelId channel;
    std::int64_t epoch = 1;
    Position after;
    std::vector<Entry> entries;
    std::vector<Seal> seals;
    Checkpoint checkpoint;
    std::int64_t latest = 0;
    std::int64_t floor = 0;  // where the log begins for the receiver [QRY-2]; 0: from entry 1 on
    std::map<std::string, std::int64_t> acks;  // follower server → seq; empty: not said
    std::vector<ShownKey> keys;
};

enum class SliceStatus : std::uint8_t {
    ok,
    gap,
    need_keys,
    need_snapshot,
    not_following,
    fork,
    ahead,
    superseded,
    deferred,
    refused
};
[[nodiscard]] std::string_view to_text(SliceStatus status);
[[nodiscard]] std::optional<SliceStatus> slice_status_from(std::string_view text);

// [LOG-2] what a follower answers: a cumulative, durable acknowledgement.
struct SliceResult {
    std::string channel;  // text: echoes even what can't be parsed
    SliceStatus status = SliceStatus::ok;
    std::int64_t epoch = 1;
    Position have;
    std::vector<std::string> kids;   // need_keys
    std::optional<Position> agrees;  // ahead
    std::int64_t retry_after = 0;    // deferred
    std::optional<Error> problem;    // refused, deferred
};

}  // namespace entente::protocol
