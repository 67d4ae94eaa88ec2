// Messages to single devices: numbered from 1 without holes, kept until the device has
// acknowledged them, bounded. Functions over a connection, for jobs of GroupCommit; those
// that write need the writer's, inside a transaction, and write nothing where they fail.
// What a message says is nobody's business here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/result.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

// Of a device. One source, a user of ours or another server, gets half of it at most.
inline constexpr std::int64_t max_mailbox_messages = 5'000;
inline constexpr std::int64_t max_mailbox_octets = 8 * 1024 * 1024;
// Beyond that, for the news that one of the device's own messages was refused.
inline constexpr std::int64_t refusal_room = 1'000;
// What a message is counted as beside its body.
inline constexpr std::int64_t message_overhead_octets = 256;

struct MailRow {
    std::int64_t number = 0;
    std::string source;         // whose share it takes
    std::string sender;         // a user
    std::string sender_device;  // a UUID, or empty
    protocol::Millis at = 0;    // the author's server's
    std::string problem;        // not empty: one of the device's own was refused, and why
    std::string body;           // JSON
};

// Gives it the next number, which it returns. `rate_limited` where the mailbox, or what of it
// is the source's, is full.
[[nodiscard]] Result<std::int64_t> put_mail(Connection& db, std::int64_t device,
                                            const MailRow& row);
// Behind `after` in rising order; the first whatever its size.
[[nodiscard]] Result<std::vector<MailRow>> read_mail(Connection& db, std::int64_t device,
                                                     std::int64_t after, std::size_t limit,
                                                     std::size_t octets);
// Forgets those up to `number`; `malformed` for one that was never given, nothing to do for
// one that was acknowledged before.
[[nodiscard]] Result<void> acknowledge_mail(Connection& db, std::int64_t device,
                                            std::int64_t number);

}  // namespace entente::storage
