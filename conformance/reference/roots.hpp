#pragma once

// The signed roots of a body, and the proofs that point at them [EVT-7, EVT-10 to EVT-12]. Each
// root is verified once, before anything else is done, since its key may have to be fetched.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/reference/discovery.hpp"
#include "conformance/reference/flags.hpp"
#include "conformance/reference/identity.hpp"

namespace entente::conformance::reference {

struct ReadRoot {
    enum class State { right, wrong, unknown_key, revoked };
    State state = State::wrong;
    // server#keyid
    std::string server;
    std::string key_id;
    std::string hash;
    std::int64_t size = 0;
    std::int64_t at = 0;
    // Its key is known by what a slice shows alone [LOG-6].
    bool vouched = false;
    std::string text;
};

// What a slice shows of others' keys: octets by server#keyid.
using ShownKeys = std::map<std::string, std::string>;

class Roots {
 public:
    // Of a body whose `roots` is a list, or absent. Keys are those that may seal, or those that
    // verify logs.
    Roots(const nlohmann::json& body, bool for_logs, const ShownKeys& shown, Discovery& discovery,
          const Identity& identity, const Flags& flags);

    // Throws Refused("malformed") where the body as a whole is. `items`: how many it has.
    void check_use(const nlohmann::json& body, std::size_t items) const;

    // The root that a proof points at, to which it leads from `leaf`. Throws Refused
    // ("signature-invalid", or "key-revoked") where it doesn't, or where the root isn't `server`'s.
    [[nodiscard]] const ReadRoot& prove(const std::string& leaf, const nlohmann::json& proof,
                                        const std::string& server) const;
    // As `prove`, but a root under a key that isn't known is given back as such.
    [[nodiscard]] const ReadRoot& find(const nlohmann::json& proof) const;

 private:
    [[nodiscard]] ReadRoot read(const std::string& text, bool for_logs, const ShownKeys& shown,
                                Discovery& discovery, const Identity& identity) const;
    [[nodiscard]] bool leads(const std::string& leaf, const nlohmann::json& proof,
                             const ReadRoot& root) const;

    const Flags& flags_;
    std::vector<ReadRoot> roots_;
};

}  // namespace entente::conformance::reference
