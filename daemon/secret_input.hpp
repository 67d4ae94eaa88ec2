// How a secret comes in: from a file, or typed on the terminal without being shown. Never an
// argument or a variable of the environment, which others on the machine can read. The caller
// wipes what it got.
#pragma once

#include <string>

#include "protocol/result.hpp"

namespace entente::daemon {

// The recovery secret that stands in `file`: alone, or as setup or recovery-kit wrote it,
// behind "recovery secret:". Empty `file`: asked for on the terminal; `forbidden` where there
// is none.
[[nodiscard]] Result<std::string> read_recovery_secret(const std::string& file);

}  // namespace entente::daemon
