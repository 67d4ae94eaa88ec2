#pragma once

// Fetching a server's document: one delegation at most, 64 KiB, 10 s in all [DISC-1, DISC-2].

#include <string>

#include <nlohmann/json.hpp>

#include "conformance/reference/caller.hpp"

namespace entente::conformance::reference {

// The JSON of what `server` publishes; whether it is usable isn't judged here. Throws Refused.
[[nodiscard]] nlohmann::json fetch_document(const std::string& server, const Caller& caller,
                                            const Flags& flags);

}  // namespace entente::conformance::reference
