// What can be wrong with a request before anybody reads what it says: its octets, its
// signature, its time, its origin. Each function breaks one thing that chance picks, as a
// case of conformance would; what the text itself says is the Liar's affair.
#pragma once

#include <string>

#include "federation/identity.hpp"
#include "net/http_message.hpp"
#include "tests/sim/chance.hpp"

namespace entente::sim {

// JSON that is broken, or broken JSON that is whole again: octets changed, cut off, twice,
// too deep, of the wrong kind.
[[nodiscard]] std::string with_broken_octets(std::string json, Chance& chance);
// A server document that is nobody's, or says what it must not.
[[nodiscard]] std::string with_broken_document(std::string json, Chance& chance);

class Forger {
 public:
    Forger(const federation::Identity& identity, const protocol::Clock& clock, std::uint64_t seed)
        : identity_(identity), clock_(clock), chance_(seed), random_(seed + 11)
    {
    }

    // `request` signed anew, with everything right.
    [[nodiscard]] net::Request sign(const std::string& to, net::Request request, std::string body);
    // With one thing wrong; `what` says which.
    [[nodiscard]] net::Request forge(const std::string& to, const net::Request& request,
                                     std::string& what);

 private:
    struct Signing {
        protocol::SigningKey key;
        std::string origin, destination, target, nonce;
        protocol::SigningTime time;
    };
    [[nodiscard]] Signing right(const std::string& to, const net::Request& request);
    static void put(net::Request& request, const Signing& signing, const std::string& body);
    void mistime(protocol::SigningTime& time);
    void disfigure(net::Request& request);

    const federation::Identity& identity_;
    const protocol::Clock& clock_;
    Chance chance_;
    SeededRandom random_;
    std::string last_nonce_;
};

}  // namespace entente::sim
