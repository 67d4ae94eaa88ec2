// The people and devices of this server's own users, and those of other servers by query:
// implements People. On the I/O thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "federation/direct/device_messages.hpp"
#include "federation/gate/signed_client.hpp"
#include "federation/log/home_log.hpp"
#include "federation/people.hpp"
#include "federation/people/announcer.hpp"
#include "federation/people/key_claims.hpp"
#include "federation/people/reports.hpp"
#include "federation/people/signals.hpp"
#include "federation/people/user_cache.hpp"
#include "net/task_group.hpp"
#include "storage/channel_log_store.hpp"
#include "trust/policy/enforcer.hpp"

namespace entente::federation {

// One signed request to another server.
using Ask = std::function<asio::awaitable<Result<Answer>>(ServerName server, std::string method,
                                                          std::string target, std::string body)>;

// Messages of a user to devices of one other server that wait to be sent there.
inline constexpr std::int64_t max_unsent_messages = 1'000;

struct LocalPeopleParts {
    const Identity& identity;
    storage::ChannelLogStore& store;
    storage::GroupCommit& commits;
    net::TaskGroup& tasks;
    const protocol::Clock& clock;
    protocol::Random& random;
    Ask ask;
    Wake wake;  // a peer is owed a direct event
    // A signal for the link of a peer.
    std::function<void(const ServerName& peer, const protocol::LiveSignal&)> pass_signal;
    trust::policy::Enforcer* policies = nullptr;  // nothing: nobody is asked
};

class LocalPeople final : public People {
 public:
    explicit LocalPeople(LocalPeopleParts parts);

    asio::awaitable<Result<protocol::ShownUser>> look_up(protocol::UserId user) override;
    asio::awaitable<Result<std::vector<ClaimResult>>> claim(protocol::UserId asker,
                                                            protocol::KeyClaims claims) override;
    asio::awaitable<Result<std::vector<SendResult>>> send(
        Actor actor, std::vector<DeviceSend> messages) override;
    asio::awaitable<Result<std::vector<MailItem>>> mail_after(protocol::UserId user,
                                                              protocol::Uuid device,
                                                              std::int64_t after,
                                                              std::size_t limit) override;
    asio::awaitable<Result<void>> acknowledge(protocol::UserId user, protocol::Uuid device,
                                              std::int64_t number) override;
    void changed(const protocol::UserId& user) override;
    asio::awaitable<Result<void>> signal(protocol::UserId user, Person person,
                                         std::vector<protocol::LiveSignal> signals) override;
    asio::awaitable<Result<void>> report(Actor actor, Report report) override;
    void listen(PeopleListener& listener) override { listeners_.push_back(&listener); }

    // Tells what was left to be told when the server stopped.
    void start() { announcer_.start(); }
    // The types of direct events that concern people and devices.
    void add_handlers(Direct& direct);

    // What other servers claim of our users and send to their devices comes to the same place.
    [[nodiscard]] KeyClaims& claims() { return claims_; }
    [[nodiscard]] DeviceMessages& messages() { return messages_; }
    [[nodiscard]] Signals& signals() { return signals_; }

 private:
    struct Gathering;
    // An own device's message on its way: written once, before the writer sees it.
    struct Outgoing {
        protocol::Event event;
        std::string content;
        protocol::DeviceMessage message;
        ServerName server;
        std::string note;
        std::optional<Error> problem;
    };
    [[nodiscard]] Outgoing draft(const Actor& actor, const DeviceSend& message,
                                 std::size_t index) const;
    [[nodiscard]] Result<SendResult> hand_in(storage::WriteTransaction& transaction,
                                             const Outgoing& outgoing,
                                             const protocol::UserId& sender);
    [[nodiscard]] Result<void> queue(storage::WriteTransaction& transaction,
                                     const Outgoing& outgoing, const protocol::UserId& sender);
    asio::awaitable<Result<protocol::ShownUser>> look_up_there(protocol::UserId user);
    asio::awaitable<void> claim_there(std::shared_ptr<Gathering> gathering, ServerName server,
                                      std::vector<std::size_t> places, protocol::KeyClaims claims);
    asio::awaitable<Result<std::vector<protocol::ClaimedKey>>> ask_for_keys(
        ServerName server, protocol::KeyClaims claims);
    [[nodiscard]] Result<void> take_change(storage::WriteTransaction& transaction,
                                           const VerifiedDirect& direct);
    asio::awaitable<void> tell_changed(protocol::UserId user);
    void tell(const std::function<void(PeopleListener&)>& what) const;

    LocalPeopleParts parts_;
    std::vector<PeopleListener*> listeners_;
    KeyClaims claims_;
    DeviceMessages messages_;
    Announcer announcer_;
    Signals signals_;
    Reports reports_;
    UserCache cache_;
};

}  // namespace entente::federation
