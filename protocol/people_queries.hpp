// Section 7's queries about people and their devices, read and written: the claim of
// one-time keys, and what a server says of its users. Keys are JSON objects whose octets
// nobody here reads: they are what devices show each other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/names.hpp"
#include "protocol/result.hpp"

namespace entente::protocol {

inline constexpr std::size_t max_key_octets = 8 * 1024;  // one key, or what a device publishes
inline constexpr std::size_t max_claims = 50;            // in one request
inline constexpr std::size_t max_claim_body_octets = 32 * 1024;
inline constexpr std::size_t max_devices_in_answer = 256;
inline constexpr std::size_t max_profile_name_octets = 256;
inline constexpr std::size_t max_avatar_octets = 320;  // a media id with its server

// What a key is for: 1–32 of `a-z 0-9 -`, such as `x3dh` or `mls`.
[[nodiscard]] bool is_key_kind(std::string_view text);

struct KeyClaim {
    UserId user;
    Uuid device;
    std::string kind;
};

// One request's claims under one `txn`: a repeat of it gets the same answer.
struct KeyClaims {
    Uuid txn;
    std::vector<KeyClaim> claims;
};

// `malformed`, `too_large` for more than 50 claims; none is malformed.
[[nodiscard]] Result<KeyClaims> parse_key_claims(std::string_view body, NameRules rules);
[[nodiscard]] std::string write_key_claims(const KeyClaims& claims);

// What a claim came to. Without a key there was none: no such user, device or kind, or all
// are used up and there is no fallback.
struct ClaimedKey {
    KeyClaim claim;
    std::string key;  // JSON; empty: none
    bool is_fallback = false;
};

// In the order of the claims, one for each [QRY-8].
[[nodiscard]] std::string write_claimed_keys(const std::vector<ClaimedKey>& keys);
// A peer's answer to `claims`: `malformed` where it doesn't fit them.
[[nodiscard]] Result<std::vector<ClaimedKey>> parse_claimed_keys(
    std::string_view body, const std::vector<KeyClaim>& claims, NameRules rules);

struct ShownDevice {
    Uuid device;
    std::string key;   // its Ed25519 key, base64url
    std::string keys;  // JSON; empty: it has published none
};

struct ShownUser {
    UserId user;
    std::string name, avatar;
    std::vector<ShownDevice> devices;
};

[[nodiscard]] std::string write_user(const ShownUser& user);
// `malformed`; of `asked` alone.
[[nodiscard]] Result<ShownUser> parse_user(std::string_view body, const UserId& asked,
                                           NameRules rules);

}  // namespace entente::protocol
