// Takes statements into the pins of a server: reads them, leaves out what is held, early or
// forged, keeps to the bounds, and says what follows. Pure; whether a document agrees with
// the outcome is key_ring's to judge.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "trust/resolution.hpp"

namespace entente::trust {

// [KEY-2] Statements that name or were signed by a key that isn't known yet. The oldest goes.
inline constexpr std::size_t max_waiting_statements = 64;
// [KEY-12] Proven statements of a server, signed by its signing keys and by its recovery keys:
// bounded apart, so that a stolen signing key can't use up the room of the recovery key's word.
// Where one is full, those from which nothing follows go first, the oldest before others; then
// no new one is taken.
inline constexpr std::size_t max_statements_by_keys = 256;
inline constexpr std::size_t max_statements_by_recovery = 256;
// New statements read in one go: each costs up to three signature checks. More than fit in a
// server document.
inline constexpr std::size_t max_statements_at_once = 256;
// [KEY-2] How far ahead of our clock a statement's `at` may be.
inline constexpr Millis max_statement_ahead_ms = 60'000;

// `texts` are JWS, of which some may be anything at all; `pins` has a recovery key.
[[nodiscard]] Resolution take_statements(PinnedServer& pins, const std::vector<std::string>& texts,
                                         Millis now);

}  // namespace entente::trust
