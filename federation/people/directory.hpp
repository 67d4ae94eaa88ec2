// Aliases and public channels: this server's own, for its users and, by signed queries, for
// other servers; other servers', by asking them. Keeps nothing of what others answer.
#pragma once

#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "federation/channels.hpp"
#include "federation/gate/gate.hpp"
#include "federation/gate/signed_client.hpp"
#include "net/http_message.hpp"
#include "protocol/directory_answers.hpp"
#include "storage/group_commit.hpp"
#include "storage/log_reader.hpp"
#include "trust/policy/enforcer.hpp"

namespace entente::federation {

inline constexpr std::size_t max_aliases_per_channel = 16;
// A page ends with whichever comes first; its first channel always fits.
inline constexpr std::size_t directory_page_channels = 50;
inline constexpr std::size_t directory_page_octets = 256 * 1024;
// Questions to other servers that may be under way; more are `rate_limited`.
inline constexpr std::size_t max_lookups = 64;
// Of another server's answer.
inline constexpr std::size_t max_directory_answer = 1024 * 1024;

// A signed GET of `target` at another server.
using AskServer = std::function<asio::awaitable<Result<Answer>>(ServerName, std::string target)>;

struct DirectoryParts {
    ServerName self;
    protocol::NameRules names;
    storage::GroupCommit& commits;
    const protocol::Clock& clock;
    AskServer ask;
    trust::policy::Enforcer* policies = nullptr;  // nothing: nobody is asked
};

class Directory {
 public:
    explicit Directory(DirectoryParts parts) : parts_(std::move(parts)) {}

    // By a moderator of a channel that is homed here: `not_found`, `forbidden`, `not_home`;
    // `conflict` where the alias names another channel. Twice is once.
    asio::awaitable<Result<void>> set_alias(protocol::UserId user, protocol::Alias alias,
                                            protocol::ChannelId channel, Person person = {});
    asio::awaitable<Result<void>> drop_alias(protocol::UserId user, protocol::Alias alias,
                                             Person person = {});

    // `not_found` also where the user, or this server, may not know of the channel;
    // `unavailable` where the alias's server gives no answer.
    asio::awaitable<Result<protocol::AliasAnswer>> look_up(protocol::UserId user,
                                                           protocol::Alias alias);
    // A page of the public channels of `server`; `cursor` is "" or the page before's `next`.
    asio::awaitable<Result<protocol::DirectoryAnswer>> page(ServerName server, std::string cursor);

    // GET /federation/v1/aliases/{localpart}
    asio::awaitable<net::Response> answer_alias(const net::Request& request,
                                                const Admitted& admitted);
    // GET /federation/v1/directory?cursor=
    asio::awaitable<net::Response> answer_page(const net::Request& request,
                                               const Admitted& admitted);

 private:
    // Who may know of a channel that isn't public.
    using MayKnow = std::function<Result<bool>(storage::Connection& db, std::int64_t channel)>;

    struct Naming {
        protocol::UserId user;
        Person person;
        trust::policy::Action action;
    };
    [[nodiscard]] Result<void> put(storage::Connection& db, const Naming& by,
                                   const protocol::Alias& alias,
                                   const protocol::ChannelId& channel) const;
    [[nodiscard]] Result<void> drop(storage::Connection& db, const Naming& by,
                                    const protocol::Alias& alias) const;
    // And what policies say.
    [[nodiscard]] Result<void> check_moderator(storage::Connection& db,
                                               const storage::ChannelRow& channel,
                                               const Naming& by) const;
    [[nodiscard]] Result<protocol::AliasAnswer> read_alias(storage::Connection& db,
                                                           std::string_view localpart,
                                                           const MayKnow& may_know) const;
    [[nodiscard]] Result<protocol::DirectoryAnswer> read_page(storage::Connection& db,
                                                              const std::string& after) const;
    [[nodiscard]] Result<protocol::ListedChannel> read_listed(storage::Connection& db,
                                                              std::int64_t channel) const;
    asio::awaitable<Result<protocol::DirectoryAnswer>> own_page(std::string cursor,
                                                                std::string who);
    asio::awaitable<Result<std::string>> ask(ServerName server, std::string target);

    DirectoryParts parts_;
    std::size_t lookups_ = 0;  // under way
};

}  // namespace entente::federation
