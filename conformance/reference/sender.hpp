#pragma once

// One signed transaction to another server, and whether what came back is an answer at all: signed
// by that server, for this very request [SIG-1, SIG-10]. Holds no lock.

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "conformance/reference/caller.hpp"
#include "conformance/reference/discovery.hpp"
#include "conformance/reference/identity.hpp"

namespace entente::conformance::reference {

// A connection that is kept between two transactions.
struct KeptConnection {
    std::unique_ptr<Stream> stream;
    std::string where;
    std::string rest;
};

struct Outcome {
    // 0: no answer.
    int status = 0;
    // Of a 200 that counts; null otherwise.
    nlohmann::json body;
    // Of a refusal; empty where it has no problem document.
    std::string code;
    // s; what the field says.
    std::optional<std::int64_t> retry_after;
};

class Sender {
 public:
    Sender(const Caller& caller, Discovery& discovery, const Identity& identity,
           const PeerClock& clock, const Flags& flags);

    [[nodiscard]] Outcome send(const std::string& server, const ServerDocument& document,
                               const std::string& body, KeptConnection& kept);

 private:
    [[nodiscard]] Request make_request(const std::string& server, const ServerDocument& document,
                                       const std::string& body);
    [[nodiscard]] bool is_signed(const Answer& answer, const Request& request,
                                 const std::string& server);
    [[nodiscard]] Outcome outcome_of(const Answer& answer, const Request& request,
                                     const std::string& server);

    const Caller& caller_;
    Discovery& discovery_;
    const Identity& identity_;
    const PeerClock& clock_;
    const Flags& flags_;
};

}  // namespace entente::conformance::reference
