#pragma once

// Octets and the spellings that the wire gives them. The runner links nothing of the daemon: a
// fault in the daemon's hashes or encodings would otherwise pass on both sides.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entente::conformance {

// base64url without padding (RFC 4648 section 5).
[[nodiscard]] std::string base64url(std::string_view octets);

// base64 with padding, as structured fields write octets (RFC 9651 section 4.1.8).
[[nodiscard]] std::string base64(std::string_view octets);

// Nothing for padding, another alphabet, or bits set behind the last octet.
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

[[nodiscard]] std::string hex(std::string_view octets);

// 32 octets.
[[nodiscard]] std::string sha256(std::string_view octets);

// From the system's generator; on a thread that has a Draw, from that.
[[nodiscard]] std::string random_octets(std::size_t count);
[[nodiscard]] std::string random_uuid();
// Always from the system's: for what a target remembers beyond a run, and must never meet again
// (names, transactions of accounts), even where a run is repeated from its seed.
[[nodiscard]] std::string fresh_octets(std::size_t count);
[[nodiscard]] std::string fresh_uuid();

// While one lives, what its thread draws follows from its seed: the same seed, the same octets in
// the same order. One at a time per thread.
class Draw {
 public:
    explicit Draw(std::string_view seed);
    ~Draw();
    Draw(const Draw&) = delete;
    Draw& operator=(const Draw&) = delete;

    [[nodiscard]] std::string octets(std::size_t count);

 private:
    const std::string key_;
    std::uint64_t drawn_ = 0;
};

// A UUIDv7 of `at` (ms since 1970) whose other bits are random (RFC 9562 section 5.7).
[[nodiscard]] std::string time_uuid(std::int64_t at);

// ms since 1970 by this machine's clock. What is sent is dated by the target's, see Trial.
[[nodiscard]] std::int64_t system_milliseconds();

}  // namespace entente::conformance
