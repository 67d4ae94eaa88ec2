#pragma once

// What the peer's users have written for channels that are homed elsewhere, until the home has
// numbered or refused it; and what their programs are told of it [RETRY-1, RETRY-2]. Called with
// the peer's lock held.

#include <deque>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/reference/flags.hpp"
#include "conformance/reference/journal.hpp"

namespace entente::conformance::reference {

struct Unsent {
    std::string id;
    std::string octets;
    std::string content;
    bool is_join = false;
};

class Outbox {
 public:
    Outbox(const Flags& flags, Journal& journal) : flags_(flags), journal_(journal) {}

    // {"is":"unsent"} and {"is":"settled"}.
    void replay(const nlohmann::json& record);
    void add(const std::string& channel, const Unsent& unsent);
    // "accepted" or "rejected".
    void settle(const std::string& channel, const std::string& id, const std::string& standing);

    // Of a channel, in the order in which it was written.
    [[nodiscard]] const std::deque<Unsent>& of(const std::string& channel) const;
    [[nodiscard]] std::vector<std::string> channels() const;
    // "pending", "accepted" or "rejected"; empty where the event was never here.
    [[nodiscard]] std::string standing_of(const std::string& id) const;

 private:
    const Flags& flags_;
    Journal& journal_;
    std::map<std::string, std::deque<Unsent>> unsent_;
    std::map<std::string, std::string> standings_;
};

}  // namespace entente::conformance::reference
