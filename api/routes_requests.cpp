// /requests: invitations, into dms among them, from servers that aren't trusted so far that they
// reach a user unasked. They wait until the user accepts, declines or reports them. Also joins of
// channels homed here that wait for a moderator, who lets in by an invitation, declines or reports.
#include <utility>

#include "api/api.hpp"
#include "api/asking.hpp"
#include "api/json_body.hpp"
#include "api/route_parts.hpp"
#include "api/wire.hpp"
#include "federation/people/reports.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/raw_members.hpp"
#include "storage/incoming_store.hpp"
#include "storage/join_request_store.hpp"
#include "storage/log_reader.hpp"

namespace entente::api {
namespace {

using RouteResult = asio::awaitable<Result<net::Response>>;
using storage::InvitationRow;

constexpr std::size_t max_request_body = 16 * 1024;

federation::Invitation shown(const InvitationRow& row)
{
    return {protocol::ChannelId::trusted(row.channel),
            protocol::ServerName::trusted(row.home),
            row.sender,
            row.name,
            row.kind,
            row.encryption,
            row.members,
            row.at};
}

protocol::Failure unknown_request()
{
    return refuse(Code::not_found, "no such request");
}

// What becomes of a request: `change` runs where there is one.
asio::awaitable<Result<InvitationRow>> settle(Api& api, protocol::UserId user, std::string channel,
                                              Result<void> (*change)(storage::Connection&,
                                                                     std::string_view,
                                                                     std::string_view))
{
    auto job = [user, channel,
                change](storage::WriteTransaction& transaction) -> Result<InvitationRow> {
        auto& db = transaction.db();
        auto row = storage::find_invitation(db, user.str(), channel);
        if (!row) return fail(row);
        if (!*row || !(*row)->is_held) return unknown_request();
        if (auto done = change(db, user.str(), channel); !done) return fail(done);
        return std::move(**row);
    };
    storage::Cause cause{user.str(), 0};
    auto row = co_await api.parts().commit.write(std::move(job), std::move(cause));
    co_return row;
}

struct Waiting {
    std::vector<InvitationRow> invitations;
    std::vector<storage::WaitingJoins> joins;
};

Result<Waiting> waiting_for(storage::Connection& db, const protocol::UserId& user)
{
    auto invitations = storage::requests_of(db, user.str());
    if (!invitations) return fail(invitations);
    auto joins = storage::waiting_joins(db, protocol::server_of(user), user.str());
    if (!joins) return fail(joins);
    return Waiting{std::move(*invitations), std::move(*joins)};
}

RouteResult list_requests(Api& api, Caller caller, const net::Request&)
{
    auto job = [user = caller.user](storage::Connection& db) { return waiting_for(db, user); };
    storage::Cause cause{caller.user.str(), 0};
    auto waiting = co_await api.parts().commit.read(std::move(job), std::move(cause));
    if (!waiting) co_return fail(waiting);
    std::string items = "[", joins = "[";
    for (const auto& row : waiting->invitations) append_item(items, invitation_json(shown(row)));
    for (const auto& row : waiting->joins)
        append_item(joins, R"({"channel":)" + protocol::json_string(row.channel) +
                               R"(,"waiting":)" + std::to_string(row.count) + "}");
    co_return json_response(
        200, R"({"requests":)" + items + R"(],"joins":)" + joins + R"(],"next":null})");
}

RouteResult accept_request(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto row = co_await settle(api, caller.user, channel->str(), storage::release_invitation);
    if (!row) co_return fail(row);
    co_return json_response(200, invitation_json(shown(*row)));
}

// The home isn't told: whoever invites strangers learns nothing of them.
RouteResult decline_request(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto row = co_await settle(api, caller.user, channel->str(), storage::drop_invitation);
    if (!row) co_return fail(row);
    co_return json_response(204, "");
}

// To the moderators of both servers; what is reported is declined by the caller.
asio::awaitable<Result<void>> hand_in(Api& api, Caller caller, federation::Actor actor,
                                      federation::Report made, std::size_t octets)
{
    auto allowed = ask_report(api, caller, made.user, octets);
    if (!allowed) co_return fail(allowed);
    auto counted = api.report_counts().take(caller.user.str(), api.now());
    if (!counted) co_return fail(counted);
    auto done = co_await api.people().report(std::move(actor), std::move(made));
    co_return done;
}

// Declined, and told to the moderators of both servers where the request says who it is from.
RouteResult report_request(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto object = object_text(request);
    if (!object) co_return fail(object);
    protocol::RawMembers members{*object, ""};
    federation::Actor actor{caller.user, caller.device, members.uuid("txn"), person_of(caller)};
    federation::Report made;
    made.reason = members.text("reason", federation::max_report_octets);
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto find = [user = caller.user,
                 name = channel->str()](storage::Connection& db) -> Result<InvitationRow> {
        auto row = storage::find_invitation(db, user.str(), name);
        if (!row) return fail(row);
        if (!*row || !(*row)->is_held) return unknown_request();
        return std::move(**row);
    };
    storage::Cause cause{caller.user.str(), 0};
    auto row = co_await api.parts().commit.read(std::move(find), std::move(cause));
    if (!row) co_return fail(row);
    auto user = protocol::parse_user_id(row->sender, api.options().names);
    if (!user) co_return refuse(Code::malformed, "the request doesn't say which user it is from");
    made.user = std::move(*user);
    made.channel = *channel;
    auto done =
        co_await hand_in(api, caller, std::move(actor), std::move(made), request.body.size());
    if (!done) co_return fail(done);
    auto dropped = co_await settle(api, caller.user, channel->str(), storage::drop_invitation);
    if (!dropped && dropped.error().code != Code::not_found) co_return fail(dropped);
    co_return json_response(201, "{}");
}

// The channel's row in a job of a moderator of it who is a user of ours. `not_home` where it is
// homed elsewhere: who waits is kept there alone.
Result<std::int64_t> moderated(storage::Connection& db, const protocol::ChannelId& channel,
                               const protocol::UserId& user)
{
    auto row = storage::read_channel(db, channel);
    if (!row) return fail(row);
    auto member = storage::read_member(db, row->id, user.str());
    if (!member) return fail(member);
    if (!*member || (*member)->standing > storage::Standing::owner)
        return refuse(Code::not_found, "no such channel");
    if ((*member)->standing < storage::Standing::moderator)
        return refuse(Code::forbidden, "for moderators of the channel");
    if (row->home != protocol::server_of(user))
        return refuse(Code::not_home, "joins wait at the channel's home, for its own moderators");
    return row->id;
}

RouteResult list_joins(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto job = [user = caller.user, name = *channel](
                   storage::Connection& db) -> Result<std::vector<storage::JoinRequest>> {
        auto id = moderated(db, name, user);
        if (!id) return fail(id);
        return storage::join_requests(db, *id);
    };
    storage::Cause cause{caller.user.str(), 0};
    auto rows = co_await api.parts().commit.read(std::move(job), std::move(cause));
    if (!rows) co_return fail(rows);
    std::string items = "[";
    for (const auto& row : *rows)
        append_item(items, R"({"user":)" + protocol::json_string(row.user) + R"(,"at":")" +
                               time_text(row.at) + "\"}");
    co_return json_response(200, R"({"requests":)" + items + R"(],"next":null})");
}

// `not_found` where nobody of that name waits.
asio::awaitable<Result<void>> drop_join(Api& api, protocol::UserId moderator,
                                        protocol::ChannelId channel, std::string who)
{
    storage::Cause cause{moderator.str(), 0};
    auto job = [moderator = std::move(moderator), channel = std::move(channel),
                who = std::move(who)](storage::WriteTransaction& transaction) -> Result<void> {
        auto id = moderated(transaction.db(), channel, moderator);
        if (!id) return fail(id);
        auto dropped = storage::drop_join_request(transaction.db(), *id, who);
        if (!dropped) return fail(dropped);
        return *dropped ? Result<void>{} : unknown_request();
    };
    auto dropped = co_await api.parts().commit.write(std::move(job), std::move(cause));
    co_return dropped;
}

RouteResult decline_join(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto object = object_text(request);
    if (!object) co_return fail(object);
    protocol::RawMembers members{*object, ""};
    auto who = members.text("user", protocol::max_name_octets);
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto dropped = co_await drop_join(api, caller.user, std::move(*channel), std::move(who));
    if (!dropped) co_return fail(dropped);
    co_return json_response(204, "");
}

// Declined, and told to the moderators of this server and the user's.
RouteResult report_join(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto object = object_text(request);
    if (!object) co_return fail(object);
    protocol::RawMembers members{*object, ""};
    federation::Actor actor{caller.user, caller.device, members.uuid("txn"), person_of(caller)};
    const auto who = members.text("user", protocol::max_name_octets);
    federation::Report made;
    made.reason = members.text("reason", federation::max_report_octets);
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto find = [user = caller.user, name = *channel,
                 who](storage::Connection& db) -> Result<void> {
        auto id = moderated(db, name, user);
        if (!id) return fail(id);
        auto waits = storage::has_join_request(db, *id, who);
        if (!waits) return fail(waits);
        return *waits ? Result<void>{} : unknown_request();
    };
    storage::Cause cause{caller.user.str(), 0};
    auto found = co_await api.parts().commit.read(std::move(find), std::move(cause));
    if (!found) co_return fail(found);
    made.user = protocol::UserId::trusted(who);
    made.channel = *channel;
    auto done =
        co_await hand_in(api, caller, std::move(actor), std::move(made), request.body.size());
    if (!done) co_return fail(done);
    auto dropped = co_await drop_join(api, caller.user, std::move(*channel), who);
    if (!dropped && dropped.error().code != Code::not_found) co_return fail(dropped);
    co_return json_response(201, "{}");
}

}  // namespace

void add_request_routes(net::Router& router, Api& api)
{
    const auto add = [&](const char* method, const char* pattern, std::size_t body,
                         CallerRoute route) {
        router.add({method, pattern, body, caller_route(api, route)});
    };
    add("GET", "/api/v1/requests", 0, list_requests);
    add("POST", "/api/v1/requests/{channel}/accept", max_request_body, accept_request);
    add("POST", "/api/v1/requests/{channel}/decline", max_request_body, decline_request);
    add("POST", "/api/v1/requests/{channel}/report", max_request_body, report_request);
    add("GET", "/api/v1/channels/{channel}/requests", 0, list_joins);
    add("POST", "/api/v1/channels/{channel}/requests/decline", max_request_body, decline_join);
    add("POST", "/api/v1/channels/{channel}/requests/report", max_request_body, report_join);
}

}  // namespace entente::api
