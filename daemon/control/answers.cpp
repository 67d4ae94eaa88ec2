#include "daemon/control/answers.hpp"

#include <charconv>

#include "protocol/channel_state.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/problem.hpp"

namespace entente::daemon::control {

namespace {

constexpr std::int64_t most_of_a_page = 500;

}  // namespace

Result<std::int64_t> whole_number(std::string_view text, std::int64_t most)
{
    std::int64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || at != end || value < 1 || value > most)
        return refuse(Code::malformed, "not a number from 1 to " + std::to_string(most));
    return value;
}

Result<Page> page_of(const net::Request& request)
{
    Page page;
    page.after = request.parameter("after").value_or("");
    const auto limit = request.parameter("limit");
    if (!limit) return page;
    auto value = whole_number(*limit, most_of_a_page);
    if (!value) return fail(value);
    page.limit = static_cast<std::size_t>(*value);
    return page;
}

Result<protocol::ServerName> server_capture(const net::Request& request, std::size_t place,
                                            protocol::NameRules rules)
{
    return protocol::parse_server_name(request.captures.at(place), rules);
}

Result<protocol::ChannelId> channel_capture(const net::Request& request, std::size_t place,
                                            protocol::NameRules rules)
{
    return protocol::parse_channel_id(request.captures.at(place), rules);
}

Result<std::int64_t> number_capture(const net::Request& request, std::size_t place)
{
    return whole_number(request.captures.at(place), protocol::max_json_integer);
}

bool has_flag(const net::Request& request, std::string_view name)
{
    return request.parameter(name) == "true";
}

Json page_json(const Page& page, std::size_t found, protocol::Millis now)
{
    return {{"now", now}, {"more", found == page.limit}};
}

net::Response answer(const Json& json)
{
    net::Response response;
    // What a peer said may stand in a problem's detail, and that need not be UTF-8.
    response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    return response;
}

net::Response refusal(Error error, protocol::Millis now)
{
    if (error.hint.empty()) error.hint = error.detail;
    return net::problem_response(error, now);
}

Json problem_json(const Error& error)
{
    Json json{{"code", protocol::code_name(error.code)}, {"detail", error.detail}};
    if (error.retry_after > 0) json["retry_after"] = error.retry_after;
    return json;
}

Json channel_json(const storage::ChannelRow& channel, protocol::NameRules rules)
{
    Json json{{"channel", channel.name.str()}, {"home", channel.home.str()},
              {"epoch", channel.epoch},        {"seq", channel.seq},
              {"hash", channel.hash},          {"at", channel.at},
              {"floor", channel.floor},        {"frozen", channel.frozen}};
    // Of a log that has no entry yet there is no state.
    if (const auto state = protocol::parse_state(channel.state, rules)) {
        json["kind"] = state->kind;
        json["name"] = state->name;
    }
    return json;
}

void add_stall(Json& json, const std::optional<storage::Stall>& stall)
{
    if (stall) json["stalled"] = {{"since", stall->since}, {"problem", stall->problem}};
}

}  // namespace entente::daemon::control
