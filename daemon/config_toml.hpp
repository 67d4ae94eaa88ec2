// TOML text into ConfigValues with their lines: the only door to toml++, whose headers
// are costly to compile. Knows no key of ours.
#pragma once

#include <string_view>

#include <tl/expected.hpp>

#include "daemon/config_schema.hpp"
#include "daemon/config_value.hpp"

namespace entente::daemon {

// The root table, or the one place where the text stops being TOML. Nesting deeper than
// eight containers is a fault too.
[[nodiscard]] tl::expected<ConfigTable, Complaint> read_toml(std::string_view text);

}  // namespace entente::daemon
