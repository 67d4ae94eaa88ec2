// An entry as the stores hand it out: with its place and the id of its event, which the
// stored octets determine.
#pragma once

#include <cstdint>

#include "protocol/slice.hpp"

namespace entente::storage {

struct StoredEntry {
    std::int64_t seq = 0;
    protocol::Hash event_id{};
    protocol::Entry entry;
};

}  // namespace entente::storage
