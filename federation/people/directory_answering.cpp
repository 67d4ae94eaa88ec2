// The part of Directory that reads this server's own aliases and list, and answers others.
#include <utility>

#include "federation/event_policy.hpp"
#include "federation/people/directory.hpp"
#include "protocol/channel_state.hpp"
#include "protocol/octets.hpp"
#include "storage/directory_store.hpp"

namespace entente::federation {

namespace {

using protocol::AliasAnswer;
using protocol::DirectoryAnswer;
using protocol::ListedChannel;
using storage::Connection;

std::size_t octets_of(const ListedChannel& listed)
{
    return listed.name.size() + listed.topic.size() + listed.avatar.size() + 512;
}

}  // namespace

Result<AliasAnswer> Directory::read_alias(Connection& db, std::string_view localpart,
                                          const MayKnow& may_know) const
{
    const auto unknown = [] { return refuse(Code::not_found, "no such alias"); };
    auto alias = storage::find_alias(db, localpart);
    if (!alias) return fail(alias);
    if (!*alias) return unknown();
    auto channel = storage::read_channel(db, (*alias)->channel);
    if (!channel) return fail(channel);
    auto meta = protocol::parse_state(channel->state, parts_.names);
    if (!meta) return fail(meta);
    if (!meta->is_public) {
        auto knows = may_know(db, channel->id);
        if (!knows) return fail(knows);
        if (!*knows) return unknown();
    }
    AliasAnswer answer;
    answer.channel = channel->name;
    answer.servers.push_back(channel->home);
    return answer;
}

Result<ListedChannel> Directory::read_listed(Connection& db, std::int64_t channel) const
{
    auto row = storage::read_channel(db, channel);
    if (!row) return fail(row);
    auto meta = protocol::parse_state(row->state, parts_.names);
    if (!meta) return fail(meta);
    auto members = storage::count_members(db, channel);
    if (!members) return fail(members);
    auto aliases = storage::aliases_of(db, channel);
    if (!aliases) return fail(aliases);
    ListedChannel listed;
    listed.channel = row->name;
    listed.name = std::move(meta->name);
    listed.topic = std::move(meta->topic);
    listed.avatar = std::move(meta->avatar);
    listed.history = std::move(meta->history);
    listed.encryption = std::move(meta->encryption);
    listed.members = *members;
    for (const auto& localpart : *aliases)
        listed.aliases.push_back("#" + localpart + "@" + parts_.self.str());
    return listed;
}

Result<DirectoryAnswer> Directory::read_page(Connection& db, const std::string& after) const
{
    auto ids = storage::listed_channels(db, parts_.self, after, directory_page_channels + 1);
    if (!ids) return fail(ids);
    DirectoryAnswer answer;
    std::size_t octets = 0;
    for (const auto id : *ids) {
        auto listed = read_listed(db, id);
        if (!listed) return fail(listed);
        octets += octets_of(*listed);
        const bool is_full =
            !answer.channels.empty() &&
            (answer.channels.size() == directory_page_channels || octets > directory_page_octets);
        if (is_full) {
            answer.next = protocol::to_base64url(answer.channels.back().channel.str());
            break;
        }
        answer.channels.push_back(std::move(*listed));
    }
    return answer;
}

asio::awaitable<Result<DirectoryAnswer>> Directory::own_page(std::string cursor, std::string who)
{
    auto after = protocol::from_base64url(cursor);
    if (!after) co_return refuse(Code::malformed, "?cursor: not one of ours");
    auto job = [this, from = std::move(*after)](Connection& db) { return read_page(db, from); };
    storage::Cause cause{std::move(who), 0};
    auto answer = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return answer;
}

asio::awaitable<net::Response> Directory::answer_alias(const net::Request& request,
                                                       const Admitted& admitted)
{
    auto allowed =
        ask_policies(parts_.policies,
                     {trust::policy::Action::directory_look_up, admitted.origin, admitted.tier,
                      parts_.self, trust::policy::ResourceKind::channel, request.captures.at(0)});
    if (!allowed) co_return net::problem_response(allowed.error(), parts_.clock.now_ms());
    auto job = [this, localpart = request.captures.at(0),
                asker = admitted.origin](Connection& db) -> Result<AliasAnswer> {
        // [QRY-1]
        const auto may_know = [&asker](Connection& on, std::int64_t channel) {
            return storage::has_someone_of(on, channel, asker);
        };
        return read_alias(db, localpart, may_know);
    };
    storage::Cause cause{admitted.origin.str(), 0};
    auto answer = co_await parts_.commits.read(std::move(job), std::move(cause));
    if (!answer) co_return net::problem_response(answer.error(), parts_.clock.now_ms());
    co_return net::json_answer(protocol::write_alias_answer(*answer));
}

asio::awaitable<net::Response> Directory::answer_page(const net::Request& request,
                                                      const Admitted& admitted)
{
    auto allowed = ask_policies(parts_.policies, {trust::policy::Action::directory_search,
                                                  admitted.origin, admitted.tier, parts_.self});
    if (!allowed) co_return net::problem_response(allowed.error(), parts_.clock.now_ms());
    auto cursor = request.parameter("cursor").value_or("");
    auto answer = co_await own_page(std::move(cursor), admitted.origin.str());
    if (!answer) co_return net::problem_response(answer.error(), parts_.clock.now_ms());
    co_return net::json_answer(protocol::write_directory_answer(*answer));
}

}  // namespace entente::federation
