// Files that verbs read and write, whole.
#pragma once

#include <cstddef>
#include <string>

#include "protocol/result.hpp"

namespace entente::daemon::ctl {

// At most `most` octets and one more, by which a longer file is told. `not_found`, `unavailable`.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t most);
// A new one, 0600: what is there already stays. `unavailable`.
[[nodiscard]] Result<void> write_new_file(const std::string& path, const std::string& text);

}  // namespace entente::daemon::ctl
