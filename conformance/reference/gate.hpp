#pragma once

// Every signed request passes here: the checks of signed-requests.md, in their order, the answer
// being that of the first that fails. Nothing is charged to a server that it has not signed.

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "conformance/reference/clock.hpp"
#include "conformance/reference/discovery.hpp"
#include "conformance/reference/nonces.hpp"
#include "conformance/reference/refused.hpp"
#include "conformance/reference/signed_request.hpp"

namespace entente::conformance::reference {

// So many at once, and so many more a second.
struct Budget {
    double at_once = 0;
    double a_second = 0;
};

// What is left of budgets, by whose they are.
class Budgets {
 public:
    explicit Budgets(Budget budget) : budget_(budget) {}

    // False where nothing is left. `now` in ms.
    [[nodiscard]] bool spend(const std::string& whose, std::int64_t now);
    void refund(const std::string& whose);

 private:
    struct Left {
        double amount = 0;
        std::int64_t at = 0;
    };
    const Budget budget_;
    std::mutex mutex_;
    std::map<std::string, Left> left_;
};

struct Admission {
    Claim claim;
    // Its signature is right: what is answered is signed.
    bool is_proven = false;
    // Nothing where it may pass.
    std::optional<Refused> refused;
};

class Gate {
 public:
    Gate(std::string name, const Flags& flags, const PeerClock& clock, Discovery& discovery,
         Nonces& nonces);

    [[nodiscard]] Admission admit(const Request& request, const std::string& source);

 private:
    void check(const Request& request, const std::string& source, Admission& admission);
    void check_destination(const Request& request) const;
    void check_window(const Claim& claim) const;
    void check_origin(const Claim& claim) const;
    void check_digest(const Request& request) const;
    void check_signature(const Claim& claim, const std::string& key) const;

    const std::string name_;
    const Flags& flags_;
    const PeerClock& clock_;
    Discovery& discovery_;
    Nonces& nonces_;
    Budgets of_sources_;
    Budgets of_origins_;
};

}  // namespace entente::conformance::reference
