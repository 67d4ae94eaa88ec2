#include "api/wire.hpp"

#include <chrono>
#include <cstdio>
#include <utility>

#include "protocol/json_rules.hpp"
#include "protocol/octets.hpp"
#include "protocol/problem.hpp"
#include "protocol/slice.hpp"

namespace entente::api {
namespace {

using protocol::json_string;

void add_text(std::string& out, std::string_view name, std::string_view value)
{
    if (out.back() != '{') out += ',';
    out += '"';
    out += name;
    out += "\":";
    protocol::append_json_string(out, value);
}

// `value` is JSON already.
void add_raw(std::string& out, std::string_view name, std::string_view value)
{
    if (out.back() != '{') out += ',';
    out += '"';
    out += name;
    out += "\":";
    out += value;
}

void add_flag(std::string& out, std::string_view name, bool value)
{
    add_raw(out, name, value ? "true" : "false");
}

void add_posted(std::string& out, const federation::Posted& posted, protocol::Millis now)
{
    add_text(out, "event", protocol::to_base64url(posted.event_id));
    add_text(out, "status", to_text(posted.state));
    if (posted.state == federation::DeliveryState::accepted)
        add_raw(out, "seq", std::to_string(posted.seq));
    if (posted.problem) add_raw(out, "problem", protocol::problem_json(*posted.problem, now));
    if (posted.overdue) add_flag(out, "overdue", true);
}

void add_marks(std::string& out, std::uint8_t marks)
{
    std::string list;
    for (const auto name : protocol::names_of_marks(marks)) {
        list += list.empty() ? "[\"" : ",\"";
        list += name;
        list += '"';
    }
    add_raw(out, "marks", list + "]");
}

void add_stalled(std::string& out, const federation::Stalled& stalled)
{
    std::string value = "{";
    add_text(value, "since", time_text(stalled.since));
    add_raw(value, "problem", protocol::problem_json(stalled.problem, 0));
    add_raw(out, "stalled", value + "}");
}

// Whether octets from a channel's log can be embedded as they stand. They come from its home, which
// may be hostile, and an entry that breaks a rule of form is held all the same [LOG-1]: its octets
// could end the entry and write others, in anybody's name.
bool is_json_object(std::string_view text)
{
    const auto begin = text.find_first_not_of(" \t\r\n");
    return begin != std::string_view::npos && text[begin] == '{' && protocol::check_json(text);
}

}  // namespace

std::string time_text(protocol::Millis at)
{
    using namespace std::chrono;
    const sys_time<milliseconds> point{milliseconds{at}};
    const auto day = floor<days>(point);
    const year_month_day date{day};
    const hh_mm_ss time{point - day};
    char text[64];
    const int size = std::snprintf(
        text, sizeof text, "%04d-%02u-%02uT%02lld:%02lld:%02lld.%03lldZ",
        static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()), static_cast<long long>(time.hours().count()),
        static_cast<long long>(time.minutes().count()),
        static_cast<long long>(time.seconds().count()),
        static_cast<long long>(time.subseconds().count()));
    return {text, static_cast<std::size_t>(size)};
}

std::string_view to_text(federation::DeliveryState state)
{
    switch (state) {
        case federation::DeliveryState::pending: return "pending";
        case federation::DeliveryState::accepted: return "accepted";
        case federation::DeliveryState::rejected: return "rejected";
    }
    return "pending";
}

std::string entry_json(const protocol::ChannelId& channel, const federation::ClientEntry& entry)
{
    std::string out = "{";
    out.reserve(entry.event.size() + (entry.content ? entry.content->size() : 0) + 256);
    add_text(out, "channel", channel.str());
    add_raw(out, "seq", std::to_string(entry.seq));
    add_text(out, "at", time_text(entry.at));
    add_text(out, "id", protocol::to_base64url(entry.event_id));
    add_raw(out, "event", is_json_object(entry.event) ? std::string_view{entry.event} : "{}");
    const bool has_content = entry.content && is_json_object(*entry.content);
    add_raw(out, "content", has_content ? std::string_view{*entry.content} : "null");
    if (entry.deleted_by != 0) add_raw(out, "deleted_by", std::to_string(entry.deleted_by));
    if (entry.expired) add_flag(out, "expired", true);
    if (entry.marks != 0) add_marks(out, entry.marks);
    return out + "}";
}

std::string posted_json(const federation::Posted& posted, protocol::Millis now)
{
    std::string out = "{";
    add_posted(out, posted, now);
    return out + "}";
}

std::string moved_json(const protocol::ChannelId& channel, const federation::Posted& posted)
{
    std::string out = "{";
    add_text(out, "channel", channel.str());
    add_posted(out, posted, 0);
    return out + "}";
}

std::string frozen_json(const protocol::ChannelId& channel, bool frozen)
{
    std::string out = "{";
    add_text(out, "channel", channel.str());
    add_flag(out, "frozen", frozen);
    return out + "}";
}

std::string stalled_json(const protocol::ChannelId& channel,
                         const std::optional<federation::Stalled>& stalled)
{
    std::string out = "{";
    add_text(out, "channel", channel.str());
    if (stalled)
        add_stalled(out, *stalled);
    else
        add_raw(out, "stalled", "null");
    return out + "}";
}

std::string result_json(std::string_view txn, const Result<federation::Posted>& result,
                        protocol::Millis now)
{
    std::string out = "{";
    add_text(out, "txn", txn);
    if (result) {
        add_posted(out, *result, now);
    } else {
        add_text(out, "status", "refused");
        add_raw(out, "problem", refusal_json(result.error(), now));
    }
    return out + "}";
}

std::string delivery_json(const federation::Delivery& delivery, protocol::Millis now)
{
    std::string out = "{";
    add_text(out, "channel", delivery.channel.str());
    const federation::Posted posted{delivery.event_id, delivery.state, delivery.seq,
                                    delivery.problem, delivery.overdue};
    add_posted(out, posted, now);
    std::string servers = "{";
    for (const auto& [server, has_it] : delivery.servers) add_flag(servers, server, has_it);
    add_raw(out, "servers", servers + "}");
    return out + "}";
}

std::string moving_json(const federation::Moving& moving, protocol::Millis now)
{
    std::string out = "{";
    add_text(out, "home", moving.home.str());
    add_text(out, "status", to_text(moving.state));
    if (moving.seq > 0) add_raw(out, "seq", std::to_string(moving.seq));
    if (moving.problem) add_raw(out, "problem", protocol::problem_json(*moving.problem, now));
    return out + "}";
}

std::string summary_json(const federation::ChannelSummary& channel)
{
    std::string out = "{";
    add_text(out, "channel", channel.channel.str());
    add_text(out, "home", channel.home.str());
    add_text(out, "kind", channel.kind);
    add_text(out, "name", channel.name);
    add_text(out, "topic", channel.topic);
    add_text(out, "history", channel.history);
    add_text(out, "retention", channel.retention);
    add_text(out, "encryption", channel.encryption);
    std::string successors = "[";
    for (const auto& server : channel.successors)
        append_item(successors, protocol::json_string(server));
    add_raw(out, "successors", successors + "]");
    add_flag(out, "public", channel.is_public);
    add_text(out, "role", protocol::to_text(channel.role));
    add_raw(out, "latest", std::to_string(channel.latest));
    add_raw(out, "visible_after", std::to_string(channel.visible_after));
    add_raw(out, "members", std::to_string(channel.member_count));
    add_flag(out, "frozen", channel.frozen);
    add_raw(out, "read", std::to_string(channel.read));
    if (channel.stalled) add_stalled(out, *channel.stalled);
    return out + "}";
}

std::string member_json(const federation::ChannelMember& member)
{
    std::string out = "{";
    add_text(out, "user", member.user);
    if (member.invited)
        add_flag(out, "invited", true);
    else
        add_text(out, "role", protocol::to_text(member.role));
    return out + "}";
}

std::string invitation_json(const federation::Invitation& invitation)
{
    std::string out = "{";
    add_text(out, "channel", invitation.channel.str());
    add_text(out, "home", invitation.home.str());
    add_text(out, "from", invitation.from);
    add_text(out, "name", invitation.name);
    add_text(out, "kind", invitation.kind);
    add_text(out, "encryption", invitation.encryption);
    add_raw(out, "members", std::to_string(invitation.members));
    add_text(out, "at", time_text(invitation.at));
    return out + "}";
}

net::Response json_response(int status, std::string body)
{
    net::Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

std::string refusal_json(const Error& error, protocol::Millis now)
{
    return net::problem_response(error, now).body;
}

void append_item(std::string& array, std::string_view item)
{
    if (!array.empty() && array.back() != '[') array += ',';
    array += item;
}

}  // namespace entente::api
