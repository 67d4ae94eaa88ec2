// The part of PeerLink that sends one transaction and deals with what comes of it. The rest of
// the class is in peer_link.cpp.
#include <algorithm>
#include <iterator>
#include <utility>

#include "federation/links/lacked_floors.hpp"
#include "federation/links/peer_link.hpp"
#include "federation/log/shown_keys.hpp"
#include "federation/long_octets.hpp"
#include "storage/vouched_store.hpp"

namespace entente::federation {

namespace {

// [LOG-6] Of statements that go with one channel's slices: more than all of one server take.
constexpr std::size_t max_statement_octets = 256 * 1024;

constexpr char inbox_target[] = "/federation/v1/inbox";

// [INBOX-7] A transaction costs four signatures however much it carries: a busy link lets
// more gather, one that carries little sends at once.
constexpr std::size_t busy_items = 8;
constexpr Millis busy_interval_ms = 5;

// Channels whose slices carry keys.
constexpr std::size_t max_channels_with_keys = 1'000;

// Nothing was said, or nothing of the peer as such.
bool is_of_one_transaction(const Error& error)
{
    return error.retry_after == 0 && (error.code == Code::timeout || error.code == Code::internal ||
                                      error.code == Code::unavailable);
}

std::vector<protocol::ShownKey> keys_sent(const BatchDraft& draft, const std::string& channel)
{
    const auto part = std::ranges::find_if(
        draft.logs, [&](const LogPart& log) { return log.channel.name.str() == channel; });
    return part == draft.logs.end() ? std::vector<protocol::ShownKey>{} : part->keys;
}

// A server's statements stand with its first key, whichever they lead to. What has no room is
// left out: then the home vouches for that server's keys.
void show_statements_once(std::vector<protocol::ShownKey>& keys)
{
    std::set<ServerName> shown;
    std::size_t octets = 0;
    for (auto& key : keys) {
        std::size_t size = 0;
        for (const auto& statement : key.statements) size += statement.size();
        const bool is_first = size > 0 && shown.insert(key.server).second;
        if (!is_first || octets + size > max_statement_octets) {
            key.statements.clear();
            continue;
        }
        octets += size;
    }
}

}  // namespace

asio::awaitable<void> PeerLink::carry(std::shared_ptr<PeerLink> link, std::shared_ptr<Lane> lane)
{
    struct Ending {
        PeerLink& link;
        Lane& lane;
        ~Ending() { link.lane_ended(lane); }
    };
    const Ending ending{*link, *lane};
    auto settled = co_await link->exchange(lane->draft, std::move(lane->body));
    lane->is_settled = true;
    if (!settled) {
        link->looks_at_all_ = true;
        link->not_delivered(*lane, settled.error());
        co_return;
    }
    co_await link->delivered(lane, std::move(*settled));
}

void PeerLink::lane_ended(const Lane& lane)
{
    std::erase_if(lanes_, [&](const auto& one) { return one.get() == &lane; });
    // By an exception: a bug of ours must not be met again at once.
    if (!lane.is_settled) {
        looks_at_all_ = true;
        begin_wait(backoff_.after(Error{Code::internal, "", {}, 0}));
    }
    // What it has kept back may go.
    nudge();
}

asio::awaitable<Result<Settled>> PeerLink::exchange(const BatchDraft& draft, std::string body)
{
    auto answer = co_await parts_.client.send(peer_, "POST", inbox_target, std::move(body));
    if (!answer) co_return tl::unexpected<Error>{without_time(answer.error())};
    if (answer->is_signed) parts_.answered(peer_);
    if (answer->status != 200) {
        auto problem = answer->problem.value_or(
            Error{Code::unavailable, "status " + std::to_string(answer->status), {}, 0});
        co_return Result<Settled>{tl::unexpect, std::move(problem)};
    }
    auto result = co_await read_result(std::move(answer->body));
    // What a peer's answer says can't be read like a refusal of ours: it is as no answer.
    if (!result)
        co_return fail(Code::unavailable, "an answer that can't be read: " + result.error().detail);
    auto settled = co_await parts_.settlement.settle(peer_, draft, std::move(*result));
    if (!settled) co_return fail(Code::unavailable, settled.error().detail);
    co_return settled;
}

// Snapshots make it long: then it is read where it holds up nobody.
asio::awaitable<Result<protocol::TransactionResult>> PeerLink::read_result(std::string body)
{
    const auto rules = parts_.identity.names;
    if (body.size() <= long_octets) co_return protocol::parse_result(body, rules);
    storage::Cause cause{peer_.str(), body.size()};
    auto job = [body = std::move(body), rules](storage::Connection&) {
        return protocol::parse_result(body, rules);
    };
    auto result = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return result;
}

// Lanes that fail together have found out one thing: the first has told it. Where others were
// answered meanwhile it is this transaction that can't be delivered, and they needn't wait.
void PeerLink::not_delivered(const Lane& lane, const Error& error)
{
    if (lane.failures != failures_) return;
    if (lane.answers == answers_ || !is_of_one_transaction(error))
        return failed(error, lane.draft.items);
    holds_.hold(lane.draft);
    parts_.log.write(protocol::LogLevel::info, "links",
                     "a transaction was not delivered, while others were",
                     {{"peer", peer_.str()},
                      {"problem", protocol::code_name(error.code)},
                      {"detail", error.detail}});
}

asio::awaitable<void> PeerLink::delivered(std::shared_ptr<Lane> lane, Settled settled)
{
    note_logs_left(settled.logs_left);
    note_answer(*lane, settled);
    for (const auto& advanced : settled.advanced) parts_.advanced(advanced);
    for (const auto& [channel, kids] : settled.keys_wanted)
        co_await show_keys(channel, kids, keys_sent(lane->draft, channel));
    for (const auto& channel : settled.moves_wanted) show_move(channel);
    if (parts_.said) {
        for (const auto& word : settled.words) parts_.said(peer_, word);
    }
    if (std::exchange(was_away_, false)) co_await ask_about_all();
    if (!settled.wants_snapshot.empty()) {
        // What else it carried needn't wait for them.
        lane->channels.clear();
        for (const auto& [channel, wanted] : settled.wants_snapshot) lane->channels.insert(channel);
        lane->has_direct = lane->has_signals = false;
        nudge();
        co_await fetch_snapshots(std::move(settled.wants_snapshot));
    }
    const auto spent = parts_.clock.now_ms() - lane->begun;
    if (lane->draft.items < busy_items || spent >= busy_interval_ms || wait_) co_return;
    Wait rest;
    rest.time = std::chrono::milliseconds(busy_interval_ms - spent);
    begin_wait(rest);
}

void PeerLink::note_answer(const Lane& lane, const Settled& settled)
{
    ++answers_;
    if (lane.failures == failures_) {
        is_back();
    } else {
        // What was sent before the last failure tells that the peer is there, and no more.
        heard();
    }
    for (const auto& part : lane.draft.logs) {
        const auto& channel = part.channel.name.str();
        if (lane.heartbeats.contains(channel)) acks_due_.erase(channel);
        if (part.shows_move) moves_due_.erase(channel);
        // What the peer puts off is asked again.
        if (!settled.held_logs.contains(channel)) questions_.erase(channel);
    }
    if (settled.progress) halvings_ = std::max(0, halvings_ - 1);
    holds_.remember(lane.draft, settled);
}

// [LOG-2] Without the result of the join the follower fetches the snapshot, as of where its log
// begins if the home still can tell [QRY-13].
asio::awaitable<void> PeerLink::fetch_snapshots(std::map<std::string, WantedSnapshot> channels)
{
    for (const auto& [channel, wanted] : channels) {
        auto answer = co_await fetch_snapshot(parts_.client, parts_.commits, parts_.identity.names,
                                              peer_, channel, wanted.floor.value_or(0));
        const bool is_over = !answer && answer.error().code == Code::not_found && wanted.seq > 0;
        if (!answer && !is_over) continue;
        auto begun =
            is_over ? co_await parts_.settlement.pass_over(wanted)
                    : co_await parts_.settlement.begin(peer_, std::move(*answer), wanted.floor);
        if (!begun)
            protocol::log_warning(parts_.log, "links", "a snapshot was not taken",
                                  {{"peer", peer_.str()}, {"channel", channel}});
    }
}

// [LOG-6] What is pinned here is shown, for who doesn't know the server, and the statements
// that lead to it, for who knows an earlier key. As long as the link lives: the next slice
// would need the same.
asio::awaitable<void> PeerLink::show_keys(std::string channel, std::vector<std::string> kids,
                                          std::vector<protocol::ShownKey> sent)
{
    std::vector<protocol::ShownKey> shown;
    std::vector<protocol::KeyRef> unpinned;
    for (const auto& kid : kids) {
        auto ref = protocol::parse_key_ref(kid, parts_.identity.names);
        if (!ref) continue;
        if (const auto* key = parts_.discovery.ring().find_key(*ref))
            shown.push_back(
                {ref->server, key->key.x(), parts_.discovery.statements_of(ref->server)});
        else
            unpinned.push_back(std::move(*ref));
    }
    // What a former home vouched for, its next one does.
    auto job = [unpinned](storage::Connection& db) -> Result<std::vector<protocol::ShownKey>> {
        std::vector<protocol::ShownKey> found;
        for (const auto& ref : unpinned) {
            auto x = storage::find_vouched_key(db, ref.str());
            if (!x) return fail(x);
            if (*x) found.push_back({ref.server, std::move(**x), {}});
        }
        return found;
    };
    if (!unpinned.empty()) {
        auto vouched = co_await parts_.commits.read(std::move(job));
        if (vouched) std::ranges::move(*vouched, std::back_inserter(shown));
    }
    const auto lacks = [](const ShownKeys& keys, const protocol::ShownKey& key) {
        const auto ref = key.ref();
        return ref && !keys.has(*ref);
    };
    const ShownKeys went(sent);
    const bool has_room = keys_.contains(channel) || keys_.size() < max_channels_with_keys;
    // Without one that it hasn't been shown it would ask the same again.
    if (!has_room ||
        std::ranges::none_of(shown, [&](const auto& key) { return lacks(went, key); })) {
        holds_.hold_log(channel);
        co_return;
    }
    auto all = keys_[channel];
    const ShownKeys kept(keys_[channel]);
    for (const auto& key : shown) {
        if (lacks(kept, key)) all.push_back(key);
    }
    // Where all have no room at once they take turns, and not without a wait.
    if (all.size() > max_keys_shown) {
        all = std::move(shown);
        holds_.hold_log(channel);
    }
    show_statements_once(all);
    keys_[channel] = std::move(all);
}

// [SUC-6] Who doesn't believe it after that is asked again when its wait is over.
void PeerLink::show_move(const std::string& channel)
{
    if (moves_shown_.erase(channel) > 0) {
        holds_.hold_log(channel);
        return;
    }
    moves_shown_.insert(channel);
    moves_due_.insert(channel);
}

// [LOG-8] What it held before it was away may be what it holds no longer.
asio::awaitable<void> PeerLink::ask_about_all()
{
    auto job = [self = parts_.identity.name, peer = peer_](storage::Connection& db) {
        return storage::followings(db, self, peer.str());
    };
    auto followed = co_await parts_.commits.read(std::move(job));
    // The next hour's heartbeats are there all the same.
    if (!followed) co_return;
    for (const auto& following : *followed) questions_.insert(following.channel.str());
}

}  // namespace entente::federation
