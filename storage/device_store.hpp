// People's profiles and their devices as other people see them, and the keys that devices
// hand out. Functions over a connection, for jobs of GroupCommit; those that write need the
// writer's, inside a transaction, and write nothing where they fail. What a key says is
// nobody's business here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "protocol/octets.hpp"
#include "protocol/result.hpp"
#include "storage/driver.hpp"

namespace entente::storage {

inline constexpr std::size_t max_keys_of_a_kind = 200;    // one-time keys that wait
inline constexpr std::size_t max_key_kinds = 8;           // of a device
inline constexpr std::int64_t low_keys = 20;              // fewer: the device is told
inline constexpr std::int64_t max_claim_answers = 5'000;  // remembered of one asker
inline constexpr protocol::Millis claim_memory_ms = 10 * 60'000;

// --- people and devices --------------------------------------------------------------

struct Profile {
    std::string name, avatar;
};
[[nodiscard]] Result<Profile> profile_of(Connection& db, std::int64_t user);
[[nodiscard]] Result<void> set_profile(Connection& db, std::int64_t user, const Profile& profile);

struct DeviceRow {
    std::int64_t id = 0;
    protocol::Uuid device;
    std::string key;  // the octets of its Ed25519 key
    std::string name;
    protocol::Millis created_at = 0;
    std::string keys;  // what it has published; empty: nothing
};
// Those that aren't revoked, the oldest first.
[[nodiscard]] Result<std::vector<DeviceRow>> devices_of(Connection& db, std::int64_t user);
// The row of a device that isn't revoked, of a user who is neither suspended nor
// banned; nothing where there is none.
[[nodiscard]] Result<std::optional<std::int64_t>> find_device(Connection& db,
                                                              std::string_view localpart,
                                                              const protocol::Uuid& device);
[[nodiscard]] Result<void> rename_device(Connection& db, std::int64_t user,
                                         const protocol::Uuid& device,
                                         std::string_view name);  // `not_found`
// Ends its sessions, whose ids it returns, and forgets its keys and messages. The device's
// id is never taken again. `not_found` where it is revoked already.
[[nodiscard]] Result<std::vector<protocol::Uuid>> revoke_device(Connection& db, std::int64_t user,
                                                                const protocol::Uuid& device,
                                                                protocol::Millis now);

// --- keys ----------------------------------------------------------------------------

struct OneTimeKey {
    std::string kind;
    std::int64_t number = 0;
    std::string key;  // JSON
};
struct FallbackKey {
    std::string kind;
    std::string key;
};
struct KeyUpload {
    std::optional<std::string> keys;  // takes the place of what was published
    std::vector<OneTimeKey> one_time;
    std::vector<FallbackKey> fallback;
};
// Numbers of a kind rise: one that is not above all that were ever there is taken for a
// repeat and changes nothing. `too_large` over the bounds above.
[[nodiscard]] Result<void> upload_keys(Connection& db, std::int64_t device, KeyUpload upload);

struct KeyCount {
    std::string kind;
    std::int64_t left = 0;
    bool has_fallback = false;
};
[[nodiscard]] Result<std::vector<KeyCount>> key_counts(Connection& db, std::int64_t device);

// The next one-time key, which then is gone, else the fallback, else nothing.
struct TakenKey {
    std::string key;
    bool is_fallback = false;
    std::int64_t left = 0;
};
[[nodiscard]] Result<std::optional<TakenKey>> take_key(Connection& db, std::int64_t device,
                                                       std::string_view kind);
// The fallback, whatever one-time keys there are: takes nothing.
[[nodiscard]] Result<std::optional<TakenKey>> fallback_key(Connection& db, std::int64_t device,
                                                           std::string_view kind);

struct ClaimAnswer {
    protocol::Hash claims{};
    std::string answer;
};
[[nodiscard]] Result<std::optional<ClaimAnswer>> find_claim_answer(Connection& db,
                                                                   std::string_view asker,
                                                                   const protocol::Uuid& txn);
// Beyond max_claim_answers the asker's oldest are forgotten, though not at every call.
[[nodiscard]] Result<void> remember_claim_answer(Connection& db, std::string_view asker,
                                                 const protocol::Uuid& txn,
                                                 const ClaimAnswer& answer, protocol::Millis now);
[[nodiscard]] Result<void> forget_claim_answers_before(Connection& db, protocol::Millis at);

}  // namespace entente::storage
