// Channels in memory, in the place of the federation floor: enough for the API's tests to
// see what it asks for and to time what becomes durable. All calls on the I/O executor.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "federation/channels.hpp"

namespace entente::api::testing {

using namespace federation;

class MemoryChannels final : public Channels {
 public:
    struct Log {
        NewChannel about;
        ClientEntries entries;
        std::set<std::string> members;
        std::set<std::string> invited;
        std::map<std::string, std::int64_t> visible_after;
    };

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
    void acknowledge(const UserId& user, const Uuid&, const ChannelId& channel,
                     std::int64_t seq) override
    {
        acknowledged.emplace_back(user.str(), channel.str(), seq);
    }
    void listen(CommitListener& listener) override { listeners_.push_back(&listener); }
    void forget_listeners() { listeners_.clear(); }

    // Appends entries of `type` by `sender` as one commit.
    void commit(const ChannelId& channel, const std::string& sender, const std::string& type,
                const std::vector<std::string>& contents);
    // A page is read, and while its reader waits for it this happens.
    std::function<void()> while_reading;
    // While the overdue ones are read this happens, and they are given as they were before.
    std::function<void()> while_reading_overdue;
    std::map<std::string, std::vector<Delivery>> late;  // by user
    std::optional<Error> refusal;                       // of every post and change
    std::optional<Stalled> stalled;                     // of every channel
    std::vector<std::tuple<std::string, std::string, std::int64_t>> acknowledged;
    std::vector<ChannelChange> changes;                                   // as they were asked for
    std::vector<Person> posters;                                          // of each post
    std::map<std::pair<std::string, std::string>, DirectChannel> direct;  // by user and peer
    CommitListener& listener() { return *listeners_.front(); }
    std::map<ChannelId, Log> logs;
    std::map<ChannelId, Moving> moves;
    std::map<std::string, Posted> by_txn;  // user and txn

 private:
    Result<Log*> open(const UserId& user, const ChannelId& channel);
    Result<Posted> append(const Actor& actor, const ChannelId& channel, const std::string& type,
                          const std::string& content);

    std::vector<CommitListener*> listeners_;
    std::map<std::string, ChannelId> created_;
    std::map<Hash, std::pair<ChannelId, std::int64_t>> events_;
    int next_ = 0;
};

}  // namespace entente::api::testing
