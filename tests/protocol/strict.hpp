// The rules of a server that allows no test names.
#pragma once

#include "protocol/names.hpp"

namespace entente::protocol {

inline constexpr NameRules strict{};

}  // namespace entente::protocol
