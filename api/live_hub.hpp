// Who of the connected devices hears what: an index of followers by channel, user and
// session, fed by what became durable. Serialises a commit once for all who get it.
// Reads nothing from the store; what a follower missed, it reads itself. For the I/O
// executor.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "api/follower.hpp"
#include "federation/channels.hpp"
#include "federation/people.hpp"

namespace entente::api {

class LiveHub final : public federation::CommitListener, public federation::PeopleListener {
 public:
    LiveHub(federation::Channels& channels, federation::People& people)
        : channels_(channels), people_(people)
    {
    }

    // Registered until the pointer's last copy goes.
    [[nodiscard]] std::shared_ptr<Follower> connect(Caller caller, asio::any_io_executor io);
    // Ends the sockets of that session.
    void end_session(const protocol::Uuid& session);
    [[nodiscard]] std::size_t followers() const { return followers_; }

    void entries_committed(
        const protocol::ChannelId& channel,
        const std::shared_ptr<const federation::ClientEntries>& entries) override;
    void delivery_changed(const protocol::ChannelId& channel, const protocol::UserId& author,
                          const federation::Posted& posted) override;
    void delivered_to(const protocol::ChannelId& channel, const protocol::ServerName& server,
                      std::int64_t seq) override;
    void membership_changed(const protocol::UserId& user) override;
    void channel_frozen(const protocol::ChannelId& channel, bool frozen) override;
    void channel_stalled(const protocol::ChannelId& channel,
                         const std::optional<federation::Stalled>& stalled) override;
    void keys_low(const federation::LowKeys& low) override;
    void mail_came(const protocol::UserId& user, const protocol::Uuid& device) override;
    void user_changed(const protocol::UserId& user,
                      const std::vector<protocol::UserId>& audience) override;
    void signalled(const protocol::LiveSignal& signal) override;

 private:
    template <class Key>
    using Index = std::unordered_map<Key, std::set<Follower*>>;

    [[nodiscard]] bool add(Follower& follower, const protocol::ChannelId& channel);
    void disconnect(Follower* follower);
    [[nodiscard]] std::vector<Follower*> those_on(const protocol::UserId& user,
                                                  const protocol::Uuid& device) const;

    federation::Channels& channels_;
    federation::People& people_;
    protocol::SharedRoom room_{queue_room};  // for what waits for all sockets
    Index<protocol::ChannelId> by_channel_;
    Index<protocol::UserId> by_user_;
    Index<protocol::Uuid> by_session_;
    std::unordered_map<protocol::UserId, std::size_t> followed_by_;  // over all sockets
    std::size_t followers_ = 0;
};

}  // namespace entente::api
