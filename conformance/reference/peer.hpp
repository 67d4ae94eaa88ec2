#pragma once

// The reference peer: a small, whole and right server of the protocol, in memory, with a journal.
// What it leaves out is said by flags, and by nothing else.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "conformance/reference/channels.hpp"
#include "conformance/reference/client_api.hpp"
#include "conformance/reference/gate.hpp"
#include "conformance/reference/http_server.hpp"
#include "conformance/reference/inbox.hpp"
#include "conformance/reference/links.hpp"
#include "conformance/reference/queries.hpp"
#include "conformance/reference/settings.hpp"

namespace entente::conformance::reference {

class Peer {
 public:
    // Serves from now on. Throws std::runtime_error.
    explicit Peer(const Settings& settings);
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    // What a hook asks for; the JSON that it prints.
    [[nodiscard]] nlohmann::json obey(const std::string& hook, const nlohmann::json& input);

 private:
    void replay(const nlohmann::json& record);
    [[nodiscard]] Answer serve(const Request& request, const std::string& source);
    [[nodiscard]] Answer serve_federation(Request request, const std::string& source);
    // Throws Refused.
    [[nodiscard]] nlohmann::json answer(const Request& request, const std::string& origin);
    [[nodiscard]] nlohmann::json metrics();

    const Settings settings_;
    const Flags flags_;
    PeerClock clock_;
    Journal journal_;
    Identity identity_;
    Caller caller_;
    Discovery discovery_;
    Nonces nonces_;
    Gate gate_;

    // Guards the channels, the outbox and the links.
    std::mutex mutex_;
    std::condition_variable changed_;
    Channels channels_;
    Outbox outbox_;
    Sender sender_;
    Links links_;
    Inbox inbox_;
    Queries queries_;
    ClientApi client_api_;
    std::unique_ptr<HttpServer> server_;
};

}  // namespace entente::conformance::reference
