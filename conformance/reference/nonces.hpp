#pragma once

// Nonces that were used, until their requests have expired [SIG-4]. The memory is in the journal,
// so it survives every end of the process; what was forgotten is known by a time that never
// decreases.

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "conformance/reference/flags.hpp"
#include "conformance/reference/journal.hpp"
#include "conformance/reference/signed_request.hpp"

namespace entente::conformance::reference {

class Nonces {
 public:
    Nonces(const Flags& flags, Journal& journal) : flags_(flags), journal_(journal) {}

    // {"is":"nonce"} and {"is":"swept"}.
    void replay(const nlohmann::json& record);
    // Throws Refused("replayed") or Refused("unavailable"). `now` in s.
    void spend(const Claim& claim, const Request& request, std::int64_t now);
    [[nodiscard]] std::size_t size() const;

 private:
    void sweep(std::int64_t now);
    [[nodiscard]] std::string name_of(const Claim& claim, const Request& request) const;

    const Flags& flags_;
    Journal& journal_;
    mutable std::mutex mutex_;
    // To when the request expires, s.
    std::map<std::string, std::int64_t> spent_;
    std::multimap<std::int64_t, std::string> by_expiry_;
    // Of a mutant that holds so many and no more.
    std::deque<std::string> in_order_;
    // Nothing that expires up to then is remembered.
    std::int64_t swept_ = 0;
};

}  // namespace entente::conformance::reference
