// A folder of files named by ids that we have made: written beside their place, synced and
// moved into it, so that one that is there is whole. Blocking: for a pool's threads.
#pragma once

#include <string>
#include <string_view>

#include "protocol/result.hpp"

namespace entente::storage {

class MediaFolder {
 public:
    explicit MediaFolder(std::string path) : path_(std::move(path)) {}

    // Durable when it returns. `id` is of A-Z a-z 0-9 - _, at least two. `unavailable` for
    // whatever the disk says: nothing of it is left then.
    [[nodiscard]] Result<void> write(std::string_view id, std::string_view octets) const;
    // `not_found`; `too_large` over `max_octets`; `unavailable`.
    [[nodiscard]] Result<std::string> read(std::string_view id, std::size_t max_octets) const;

 private:
    [[nodiscard]] std::string folder_of(std::string_view id) const;

    std::string path_;
};

}  // namespace entente::storage
