#pragma once

// Direct events: outside of channels, covered by the request's signature, applied at most once per
// origin and txn [INBOX-4]. Called with the peer's lock held.

#include <map>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "conformance/reference/clock.hpp"
#include "conformance/reference/events.hpp"
#include "conformance/reference/flags.hpp"
#include "conformance/reference/journal.hpp"

namespace entente::conformance::reference {

class Direct {
 public:
    Direct(const Flags& flags, const PeerClock& clock, Journal& journal)
        : flags_(flags), clock_(clock), journal_(journal)
    {
    }

    // {"is":"direct"}
    void replay(const nlohmann::json& record);
    // The results of all direct events of a transaction, in their order.
    [[nodiscard]] nlohmann::json take(const nlohmann::json& items, const std::string& origin);

 private:
    [[nodiscard]] const char* apply(const ReadEvent& event, const std::string& origin);

    const Flags& flags_;
    const PeerClock& clock_;
    Journal& journal_;
    // By origin and txn: the event that was applied.
    std::map<std::string, std::string> applied_;
};

}  // namespace entente::conformance::reference
