// The checks that every signed request passes, in the order of section 3: cheap before
// costly, since any stranger can start them. What the request wants is not its business:
// JSON and items come after it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "federation/discovery/discovery.hpp"
#include "federation/figures.hpp"
#include "federation/identity.hpp"
#include "net/router.hpp"
#include "protocol/message_signature.hpp"
#include "storage/group_commit.hpp"
#include "storage/nonce_window.hpp"
#include "trust/budgets.hpp"
#include "trust/policy/enforcer.hpp"
#include "trust/tiers.hpp"

namespace entente::federation {

// Who a request is proven to be from.
struct Admitted {
    ServerName origin;
    KeyRef key;
    trust::Tier tier = trust::Tier::guest;
    std::string signature_field;  // the request's `Signature`, for the answer [SIG-10]
    // What proves the request: 64 octets, and those that they sign.
    std::string signature = {};
    std::string signature_base = {};
    // Octets that its origin has been charged for the request's body.
    std::int64_t octets_charged = 0;
};

// What a request is charged as, besides a request.
enum class Cost : std::uint8_t { none, look_up, media };

// What runs behind the gate.
using SignedHandler = std::function<asio::awaitable<net::Response>(net::Request&, const Admitted&)>;

struct GateParts {
    const Identity& identity;
    Discovery& discovery;
    storage::NonceWindow& nonces;  // blocking: used on `pool` only
    asio::any_io_executor pool;
    storage::GroupCommit& commits;  // its readers digest large bodies
    const trust::Tiers& tiers;
    trust::Budgets& budgets;
    const protocol::Clock& clock;
    trust::policy::Enforcer* policies = nullptr;  // nothing: nobody is asked
    Figures* figures = nullptr;                   // nothing: nothing is counted
};

class Gate {
 public:
    explicit Gate(GateParts parts);

    // `volatile_nonce`: for a GET, whose nonce needn't survive a restart [SIG-4].
    asio::awaitable<Result<Admitted>> admit(net::Request& request, bool volatile_nonce);

    // A route's handler: admits, charges `cost` to the origin, runs `handler`, signs its answer and
    // charges its octets, and signs refusals too where the signature had been proven.
    [[nodiscard]] net::Handler guard(SignedHandler handler, bool volatile_nonce,
                                     Cost cost = Cost::none);

    // Call about once a minute: forgets expired nonces, of both windows.
    asio::awaitable<Result<void>> sweep();

    // Called with every proven origin, after discovery has heard of it: wakes peer links.
    void on_proven(std::function<void(const ServerName&)> observer);

 private:
    struct Examined {
        Result<Admitted> admitted;
        std::string proven_by;  // the Signature field, once the signature has been verified
    };
    asio::awaitable<Examined> examine(net::Request& request, bool volatile_nonce);
    // Up to the signature.
    asio::awaitable<Result<protocol::RequestSignature>> verify(net::Request& request,
                                                               std::string source);
    // Behind it: nonce, budgets, policies.
    asio::awaitable<Result<Admitted>> let_in(const net::Request& request,
                                             protocol::RequestSignature signature,
                                             bool volatile_nonce, std::string source);
    asio::awaitable<net::Response> pass(net::Request& request, SignedHandler handler,
                                        bool volatile_nonce, Cost cost);
    void count_refusal(const Error& error);
    [[nodiscard]] Result<void> charge(const Admitted& admitted, Cost cost);
    std::int64_t charge_octets(const Admitted& admitted, const std::string& body);

    [[nodiscard]] Result<void> check_sizes(const net::Request& request) const;
    [[nodiscard]] Result<protocol::RequestSignature> check_syntax(
        const net::Request& request) const;
    [[nodiscard]] Result<trust::Tier> check_tier(const ServerName& claimed) const;
    [[nodiscard]] Admitted admitted_as(const protocol::RequestSignature& signature) const;
    asio::awaitable<Result<void>> check_digest(net::Request& request, std::string source);
    asio::awaitable<Result<void>> spend_nonce(protocol::RequestSignature signature,
                                              bool volatile_nonce);

    GateParts parts_;
    std::unique_ptr<storage::NonceWindow> volatile_nonces_;
    std::function<void(const ServerName&)> proven_;
};

// [NAME-3] `malformed` for an octet that is percent-encoded without need, or a bad escape.
[[nodiscard]] Result<void> check_path(std::string_view path);

}  // namespace entente::federation
