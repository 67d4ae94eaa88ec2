#pragma once

// What the cases of a run share: the target, its accounts and keys, the host on which their peers
// live, and the target's clock.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/host/dns.hpp"
#include "conformance/host/host.hpp"
#include "conformance/host/origin.hpp"
#include "conformance/target/accounts.hpp"
#include "conformance/target/connection.hpp"
#include "conformance/target/target.hpp"

namespace entente::conformance {

class World {
 public:
    // Throws std::runtime_error with what is wrong and what to do.
    explicit World(TargetFile file);

    [[nodiscard]] const TargetFile& file() const { return file_; }
    [[nodiscard]] const Door& door() const { return door_; }
    [[nodiscard]] Accounts& accounts() { return *accounts_; }
    [[nodiscard]] Host& host() { return host_; }
    // Null but in the sealed topology.
    [[nodiscard]] DnsServer* dns() { return dns_.get(); }
    [[nodiscard]] const Authority& authority() const { return authority_; }

    // The target's server document, as it was first fetched; and the octets of the public key
    // `kid` of it, empty where it has none.
    [[nodiscard]] nlohmann::json document() const;
    [[nodiscard]] std::string key_of(const std::string& kid);
    // Fetches the document anew. Throws std::runtime_error where there is none.
    void fetch_document();

    // ms since 1970 by the target's clock, as its Date fields say: they are of whole seconds, so
    // this is up to 1 s early.
    [[nodiscard]] std::int64_t now() const;
    // Learns from an answer that came just now.
    void learn_clock(const Answer& answer);

    // A server of a name of its own, served from now on.
    [[nodiscard]] std::shared_ptr<Origin> make_origin(
        const std::string& label, CertificateFault fault = CertificateFault::none);
    void end_origin(const Origin& origin);

    [[nodiscard]] bool has_hook(const std::string& name) const;

 private:
    TargetFile file_;
    Authority authority_;
    Door door_;
    Host host_;
    std::unique_ptr<DnsServer> dns_;
    std::unique_ptr<Accounts> accounts_;
    std::atomic<std::int64_t> ahead_{0};
    mutable std::mutex mutex_;
    nlohmann::json document_;
};

}  // namespace entente::conformance
