// All of ententd behind its main: the command line, the checks, the life of one server on
// one I/O thread until a signal ends it.
#pragma once

#include "daemon/stores.hpp"

namespace entente::daemon {

// The exit code. Once per process: it takes signals.
[[nodiscard]] int run_program(int argc, const char* const* argv, StoragePlatform platform = {});

}  // namespace entente::daemon
