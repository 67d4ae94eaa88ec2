// The audit log as a chain: how an entry is hashed, how the log is written out, and how a
// file of it is judged by somebody who has nothing but the file. Each entry names the hash of
// the one before, so that none can be changed, left out or slipped in without all behind it
// being made anew; the server's signature over the last one shows where the end was cut off.
// Pure; stores nothing (storage/audit_store.hpp). docs/reference/audit-log.md has the form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/clock.hpp"
#include "protocol/ed25519.hpp"
#include "protocol/names.hpp"
#include "protocol/result.hpp"

namespace entente::trust {

inline constexpr std::size_t max_audit_name_octets = 320;  // actor and object
inline constexpr std::size_t max_audit_act_octets = 64;
inline constexpr std::size_t max_audit_details_octets = 16 * 1024;
// A line of an export: the longest entry, with every octet of a name escaped.
inline constexpr std::size_t max_audit_line_octets = 32 * 1024;

struct AuditEntry {
    std::int64_t seq = 0;  // from 1, without holes
    protocol::Millis at = 0;
    std::string actor;     // a user's id, or "operator": who asked over the control socket
    std::string act;       // "user.ban"
    std::string object;    // what it was done to: a user's id, a channel's, a report's number
    std::string details;   // a JSON object, members in order, without blanks
    std::string previous;  // the hash before this one; empty with seq 1
    std::string hash;
    friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

// Where the log ends; seq 0 and no hash where it is empty.
struct AuditHead {
    std::int64_t seq = 0;
    std::string hash;
    friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

// Whether it can stand in the log: bounds, no control characters in names, `details` an object
// under the JSON rules. `malformed`, `too_large`.
[[nodiscard]] Result<void> check_audit_entry(const AuditEntry& entry);
// SHA-256 over the entry and `previous`, 43 characters of base64url. Of an entry that passes
// check_audit_entry: no member can hold the newline that divides them.
[[nodiscard]] std::string audit_hash(const protocol::ServerName& server, const AuditEntry& entry);

// The lines of an export, each without its newline: what it is, an entry each, and at its end
// the head, signed by the server.
[[nodiscard]] std::string audit_first_line(const protocol::ServerName& server);
[[nodiscard]] std::string audit_entry_line(const AuditEntry& entry);
[[nodiscard]] std::string audit_last_line(const protocol::ServerName& server, const AuditHead& head,
                                          protocol::Millis at, const protocol::SigningKey& key);

// Judges an export line by line, in memory that doesn't grow with it. After a refusal the rest
// says nothing any more.
class AuditReader {
 public:
    struct Signed {
        protocol::KeyRef key;
        protocol::Millis at = 0;
    };

    // `malformed`, its hint a sentence that names the first entry that doesn't follow; the
    // number alone is `broken_at`.
    [[nodiscard]] Result<void> take(std::string_view line);
    // Behind the last line: `malformed` where the end is missing.
    [[nodiscard]] Result<void> finish() const;

    // The entry that didn't follow, or would have been next.
    [[nodiscard]] std::int64_t broken_at() const { return head_.seq + 1; }
    [[nodiscard]] const protocol::ServerName& server() const { return server_; }
    [[nodiscard]] const AuditHead& head() const { return head_; }
    [[nodiscard]] const std::optional<AuditEntry>& entry() const { return entry_; }  // the last
    [[nodiscard]] const std::optional<Signed>& signature() const { return signed_; }

 private:
    [[nodiscard]] Result<void> take_first(std::string_view line);
    [[nodiscard]] Result<void> take_entry(std::string_view line);
    [[nodiscard]] Result<void> take_last(std::string_view jws, std::string_view x);

    protocol::ServerName server_;
    AuditHead head_;
    std::optional<AuditEntry> entry_;
    std::optional<Signed> signed_;
};

}  // namespace entente::trust
