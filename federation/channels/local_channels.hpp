// The channels of this server's own users: implements Channels over the log store, the
// home's rules and the outgoing submissions.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "federation/channels.hpp"
#include "federation/channels/device_cursors.hpp"
#include "federation/log/home_log.hpp"
#include "federation/log/succession.hpp"
#include "federation/notices.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/group_commit.hpp"
#include "trust/policy/enforcer.hpp"

namespace entente::federation {

struct LocalChannelsOptions {
    std::int64_t max_unsent = 1'000;  // submissions per user and home [RETRY-3]
    std::size_t max_content_octets = 60 * 1024;
};

struct LocalChannelsParts {
    const Identity& identity;
    storage::ChannelLogStore& store;
    HomeLog& home;
    storage::GroupCommit& commits;
    storage::EventIndex& events;
    Notices& notices;
    DeviceCursors& devices;
    const protocol::Clock& clock;
    protocol::Random& random;
    Wake wake;  // a peer is owed a submission
    LocalChannelsOptions options;
    Succession* succession = nullptr;             // nothing: no channel moves
    trust::policy::Enforcer* policies = nullptr;  // nothing: nobody is asked
};

class LocalChannels final : public Channels {
 public:
    explicit LocalChannels(LocalChannelsParts parts);

    asio::awaitable<Result<ChannelId>> create(Actor actor, NewChannel channel) override;
    asio::awaitable<Result<Posted>> invite(Actor actor, ChannelId channel, UserId invitee) override;
    asio::awaitable<Result<Posted>> join(Actor actor, ChannelId channel) override;
    asio::awaitable<Result<Posted>> leave(Actor actor, ChannelId channel) override;
    asio::awaitable<Result<Posted>> change(Actor actor, ChannelId channel,
                                           ChannelChange change) override;
    asio::awaitable<Result<Moving>> move(Actor actor, ChannelId channel, ServerName home) override;
    asio::awaitable<Result<Moving>> moving(UserId user, ChannelId channel) override;
    asio::awaitable<Result<std::optional<DirectChannel>>> find_direct(UserId user,
                                                                      UserId peer) override;
    asio::awaitable<Result<DirectChannel>> make_direct(Actor actor, UserId peer,
                                                       NewChannel about) override;
    asio::awaitable<Result<Posted>> post(Actor actor, ChannelId channel,
                                         std::string content) override;
    asio::awaitable<std::vector<Result<Posted>>> post_all(std::vector<Post> posts) override;
    asio::awaitable<Result<std::vector<ChannelSummary>>> list(UserId user) override;
    asio::awaitable<Result<ChannelSummary>> get(UserId user, ChannelId channel) override;
    asio::awaitable<Result<std::vector<ChannelMember>>> members(UserId user, ChannelId channel,
                                                                std::string after,
                                                                std::size_t limit) override;
    asio::awaitable<Result<std::vector<Invitation>>> invitations(UserId user) override;
    asio::awaitable<Result<ClientEntries>> page_after(UserId user, ChannelId channel,
                                                      std::int64_t after, PageSize size) override;
    asio::awaitable<Result<ClientEntries>> page_before(UserId user, ChannelId channel,
                                                       std::int64_t before, PageSize size) override;
    asio::awaitable<Result<Delivery>> delivery(UserId user, Hash event_id) override;
    asio::awaitable<Result<std::vector<Delivery>>> overdue(UserId user) override;
    void acknowledge(const UserId& user, const Uuid& device, const ChannelId& channel,
                     std::int64_t seq) override
    {
        parts_.devices.note(user, device, channel, seq);
    }
    void listen(CommitListener& listener) override { parts_.notices.add(listener); }

 private:
    // An own user's event on its way: parsed once, before the writer sees it.
    struct Draft {
        protocol::Event event;
        std::string content;
        UserId user;
        Person person;
    };
    [[nodiscard]] Result<Draft> draft(const Actor& actor, const ChannelId& channel,
                                      ChannelChange change) const;
    // `invitation`, if any, is by the creator too, and follows at once. What the fold or policies
    // refuse of either is told here.
    [[nodiscard]] Result<Draft> draft_creation(const Actor& actor, const ChannelId& name,
                                               const NewChannel& channel,
                                               const Draft* invitation = nullptr) const;
    // Of an event that somebody else orders, or this server later: policies are asked now.
    [[nodiscard]] Result<void> permit(const Draft& draft, const ServerName& home,
                                      const storage::LiveChannel* channel, bool is_invited) const;
    [[nodiscard]] Result<void> permit_move(storage::Connection& db, const Actor& actor,
                                           const ChannelId& channel);
    // The log of a new channel, its first entry appended. An error may leave the channel begun:
    // who goes on in the same transaction abandons it.
    [[nodiscard]] Result<storage::LiveChannel*> begin(storage::WriteTransaction& transaction,
                                                      const Draft& creation);
    [[nodiscard]] Result<DirectChannel> begin_direct(storage::WriteTransaction& transaction,
                                                     const Draft& creation, const Draft& invitation,
                                                     const UserId& peer);
    [[nodiscard]] Result<Posted> apply(storage::WriteTransaction& transaction, const Draft& draft);
    [[nodiscard]] Result<void> take_allowance(storage::Connection& db, const UserId& user,
                                              std::int64_t home);
    [[nodiscard]] Result<Posted> submit(storage::WriteTransaction& transaction, const Draft& draft,
                                        const ServerName& home);
    [[nodiscard]] Result<std::optional<Posted>> find_repeat(storage::WriteTransaction& transaction,
                                                            const Draft& draft);
    // `conflict` where what came first under the txn is something else.
    [[nodiscard]] Result<void> check_same(std::string_view first,
                                          const std::optional<std::string>& first_content,
                                          const Draft& draft) const;
    // The channel that was created under the same txn, for a dm with the same invitation.
    [[nodiscard]] Result<std::optional<ChannelId>> find_created(storage::Connection& db,
                                                                const Draft& creation,
                                                                const Draft* invitation);
    [[nodiscard]] Result<ServerName> home_for(const Draft& draft) const;
    [[nodiscard]] Result<ChannelSummary> summary(storage::Connection& db, std::int64_t channel,
                                                 const UserId& user) const;

    LocalChannelsParts parts_;
    // By user and home: how many more submissions may wait, at least. On the writer's thread.
    std::map<std::pair<std::string, std::int64_t>, std::int64_t> allowances_;
};

}  // namespace entente::federation
