// Channels that are held here, and proofs of their entries.
#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"
#include "storage/move_store.hpp"
#include "storage/peer_reader.hpp"

namespace entente::daemon {

namespace {

using control::Json;

struct ReadChannels {
    control::Page page;

    Result<std::vector<storage::ChannelRow>> operator()(storage::Connection& db)
    {
        return storage::channels_after(db, page.after, page.limit);
    }
};

struct ChannelDetails {
    storage::ChannelRow row;
    std::int64_t members = 0;
    std::vector<storage::CursorRow> cursors;
    std::optional<storage::Stall> stall;
    std::optional<storage::MoveRow> move;
};

struct ReadChannel {
    protocol::ChannelId channel;

    Result<ChannelDetails> operator()(storage::Connection& db)
    {
        auto row = storage::read_channel(db, channel);
        if (!row) return fail(row);
        auto members = storage::count_members(db, row->id);
        if (!members) return fail(members);
        auto cursors = storage::cursors_of(db, row->id);
        if (!cursors) return fail(cursors);
        auto stall = storage::find_stall(db, row->id);
        if (!stall) return fail(stall);
        auto move = storage::find_move(db, row->id);
        if (!move) return fail(move);
        return ChannelDetails{std::move(*row), *members, std::move(*cursors), std::move(*stall),
                              std::move(*move)};
    }
};

Json move_json(const storage::MoveRow& move)
{
    Json json{{"home", move.home.str()}, {"as", move.user}};
    if (move.seq > 0) json["seq"] = move.seq;
    if (!move.problem.empty()) json["problem"] = move.problem;
    return json;
}

}  // namespace

void Control::add_channel_routes(net::Router& router)
{
    router.add({"GET", "/control/v1/channels", 0,
                [this](const net::Request& request) { return channels(request); }});
    router.add({"GET", "/control/v1/channels/{channel}", 0,
                [this](const net::Request& request) { return channel(request); }});
    router.add({"GET", "/control/v1/channels/{channel}/entries/{seq}/proof", 0,
                [this](const net::Request& request) { return prove(request); }});
}

asio::awaitable<net::Response> Control::channels(const net::Request& request)
{
    auto page = control::page_of(request);
    if (!page) co_return control::refusal(page.error(), parts_.clock.now_ms());
    ReadChannels job{*page};
    auto rows = co_await parts_.commits.read(std::move(job));
    if (!rows) co_return control::refusal(rows.error(), parts_.clock.now_ms());
    auto json = control::page_json(*page, rows->size(), parts_.clock.now_ms());
    auto& list = json["channels"] = Json::array();
    for (const auto& row : *rows) list.push_back(control::channel_json(row, parts_.identity.names));
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::channel(const net::Request& request)
{
    auto name = control::channel_capture(request, 0, parts_.identity.names);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    ReadChannel job{*name};
    auto details = co_await parts_.commits.read(std::move(job));
    if (!details) co_return control::refusal(details.error(), parts_.clock.now_ms());
    auto json = control::channel_json(details->row, parts_.identity.names);
    json["members"] = details->members;
    json["now"] = parts_.clock.now_ms();
    control::add_stall(json, details->stall);
    if (details->move) json["move"] = move_json(*details->move);
    json["followers"] = Json::array();
    const bool is_home = details->row.home == parts_.identity.name;
    for (const auto& cursor : details->cursors) {
        // Of a follower that the home has said nothing of nothing is known.
        if (!is_home && cursor.seq <= cursor.floor) continue;
        Json follower{{"server", cursor.server.str()}, {"seq", cursor.seq}};
        if (cursor.until > 0) follower["until"] = cursor.until;
        json["followers"].push_back(std::move(follower));
    }
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::prove(const net::Request& request)
{
    auto name = control::channel_capture(request, 0, parts_.identity.names);
    if (!name) co_return control::refusal(name.error(), parts_.clock.now_ms());
    auto seq = control::number_capture(request, 1);
    if (!seq) co_return control::refusal(seq.error(), parts_.clock.now_ms());
    auto proof = co_await parts_.prover.prove(*name, *seq, control::has_flag(request, "content"));
    if (!proof) co_return control::refusal(proof.error(), parts_.clock.now_ms());
    net::Response response;
    response.body = protocol::write_entry_proof(*proof);
    co_return response;
}

}  // namespace entente::daemon
