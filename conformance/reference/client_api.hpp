#pragma once

// What the two people of this peer can do: as much of Entente's client API as the runner uses.
// Called with the peer's lock held.

#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "conformance/reference/channels.hpp"
#include "conformance/reference/outbox.hpp"
#include "conformance/wire/message.hpp"

namespace entente::conformance::reference {

class ClientApi {
 public:
    // `touched` is called with a channel in which there is something to send.
    ClientApi(Channels& channels, Outbox& outbox, const Identity& identity, const Flags& flags,
              const PeerClock& clock, std::function<void(const std::string&)> touched);

    // `request.target` begins with /api/v1.
    [[nodiscard]] Answer serve(const Request& request);

 private:
    [[nodiscard]] nlohmann::json log_in(const nlohmann::json& body) const;
    // Throws Refused("not-found") where the token is nobody's.
    [[nodiscard]] std::string user_of(const Request& request) const;
    [[nodiscard]] std::string token_of(const std::string& localpart) const;
    [[nodiscard]] nlohmann::json act(const std::string& user, const std::string& channel,
                                     const std::string& what, const nlohmann::json& body);
    // The event's id. Throws Refused.
    [[nodiscard]] std::string write(const std::string& user, const std::string& channel,
                                    const std::string& type, const nlohmann::json& content,
                                    const std::string& target = {});
    [[nodiscard]] nlohmann::json read(const std::string& user, const std::string& channel,
                                      const std::string& query);

    Channels& channels_;
    Outbox& outbox_;
    const Identity& identity_;
    const Flags& flags_;
    const PeerClock& clock_;
    const std::function<void(const std::string&)> touched_;
};

}  // namespace entente::conformance::reference
