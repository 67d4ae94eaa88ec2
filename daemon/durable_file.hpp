// Files that must be there whole after a crash, and be nobody else's to read: written
// beside their place, synced, moved into it, the folder synced.
#pragma once

#include <string>
#include <string_view>

#include "protocol/result.hpp"

namespace entente::daemon {

enum class IfThere { refuse, replace };

// Mode 0600. `conflict` where `path` exists and IfThere is refuse; else `internal` with the
// system's reason.
[[nodiscard]] Result<void> write_private_file(const std::string& path, std::string_view content,
                                              IfThere if_there);
// At most `max_octets` (`too_large`); `not_found`, or `forbidden` for a link or what isn't a file.
[[nodiscard]] Result<std::string> read_private_file(const std::string& path,
                                                    std::size_t max_octets);
// Makes `path` with mode 0700, and the folders above it with 0755, where they are missing.
[[nodiscard]] Result<void> make_private_folder(const std::string& path);

}  // namespace entente::daemon
