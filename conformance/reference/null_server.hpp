#pragma once

// Servers that keep nothing: each says the same to every request of a peer, whatever it is. They
// show a plausible document and let people log in, so that cases can begin; a case that asks
// whether something forbidden happens must not pass on them.

#include <memory>
#include <string>
#include <string_view>

#include "conformance/host/host.hpp"
#include "conformance/reference/settings.hpp"

namespace entente::conformance::reference {

enum class NullKind { always_200, always_401, always_500, closes, hangs, echoes };
constexpr NullKind all_nulls[] = {NullKind::always_200, NullKind::always_401, NullKind::always_500,
                                  NullKind::closes,     NullKind::hangs,      NullKind::echoes};
[[nodiscard]] std::string_view name_of(NullKind kind);

// Serves until it ends. Throws std::runtime_error where it can't.
[[nodiscard]] std::unique_ptr<Host> start_null(const Settings& settings, NullKind kind);

}  // namespace entente::conformance::reference
