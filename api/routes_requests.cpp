// /requests: invitations, into dms among them, from servers that aren't trusted so far that they
// reach a user unasked. They wait until the user accepts, declines or reports them. Also joins that
// the moderators of a channel are asked about.
#include <utility>

#include "api/api.hpp"
#include "api/asking.hpp"
#include "api/json_body.hpp"
#include "api/route_parts.hpp"
#include "api/wire.hpp"
#include "federation/reports.hpp"
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

RouteResult list_requests(Api& api, Caller caller, const net::Request&)
{
    auto job = [user = caller.user](storage::Connection& db) {
        return storage::requests_of(db, user.str());
    };
    storage::Cause cause{caller.user.str(), 0};
    auto rows = co_await api.parts().commit.read(std::move(job), std::move(cause));
    if (!rows) co_return fail(rows);
    std::string items = "[";
    for (const auto& row : *rows) append_item(items, invitation_json(shown(row)));
    co_return json_response(200, R"({"requests":)" + items + R"(],"next":null})");
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

// Declined, and told to the moderators of both servers where the request says who it is from.
RouteResult report_request(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto text = json_text(request);
    if (!text) co_return fail(text);
    auto object = protocol::checked_object(*text);
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
    auto allowed = ask_report(api, caller, *user, text->size());
    if (!allowed) co_return fail(allowed);
    auto counted = api.report_counts().take(caller.user.str(), api.now());
    if (!counted) co_return fail(counted);
    made.user = std::move(*user);
    made.channel = *channel;
    auto done = co_await api.people().report(std::move(actor), std::move(made));
    if (!done) co_return fail(done);
    auto dropped = co_await settle(api, caller.user, channel->str(), storage::drop_invitation);
    if (!dropped && dropped.error().code != Code::not_found) co_return fail(dropped);
    co_return json_response(201, "{}");
}

// The channel's row in a job of a moderator of it who is a user of ours.
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

RouteResult decline_join(Api& api, Caller caller, const net::Request& request)
{
    auto channel = channel_of(api, request);
    if (!channel) co_return fail(channel);
    auto text = json_text(request);
    if (!text) co_return fail(text);
    auto object = protocol::checked_object(*text);
    if (!object) co_return fail(object);
    protocol::RawMembers members{*object, ""};
    auto who = members.text("user", protocol::max_name_octets);
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto job = [user = caller.user, name = *channel,
                who = std::move(who)](storage::WriteTransaction& transaction) -> Result<bool> {
        auto id = moderated(transaction.db(), name, user);
        if (!id) return fail(id);
        return storage::drop_join_request(transaction.db(), *id, who);
    };
    storage::Cause cause{caller.user.str(), 0};
    auto dropped = co_await api.parts().commit.write(std::move(job), std::move(cause));
    if (dropped && !*dropped) dropped = unknown_request();
    if (!dropped) co_return fail(dropped);
    co_return json_response(204, "");
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
}

}  // namespace entente::api
