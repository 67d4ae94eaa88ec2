#include "federation/peer_link.hpp"

#include <algorithm>
#include <utility>

#include "federation/long_octets.hpp"

namespace entente::federation {

namespace {

constexpr char inbox_target[] = "/federation/v1/inbox";
constexpr Millis ack_interval_ms = 2'000;
constexpr Millis longest_hold_ms = 3'600'000;
constexpr int most_halvings = 9;
constexpr Millis signal_interval_ms = 1'000;
constexpr std::size_t most_signals = 200;  // in one transaction
constexpr std::size_t most_signal_octets = 32 * 1024;

// [INBOX-7] A transaction costs four signatures however much it carries: a busy link lets
// more gather, one that carries little sends at once.
constexpr std::size_t busy_items = 8;
constexpr Millis busy_interval_ms = 5;

// Events travel as JSON strings: quotes and backslashes double at worst.
constexpr std::size_t octet_share = 3;

// Channels whose slices carry keys.
constexpr std::size_t max_channels_with_keys = 1'000;

// Below it a batch would have no room to share; one event always goes.
constexpr std::size_t least_octets = 1'024;

}  // namespace

PeerLink::PeerLink(LinkParts parts, ServerName peer, asio::any_io_executor executor,
                   protocol::SharedRoom& room)
    : parts_(std::move(parts)),
      peer_(std::move(peer)),
      wakeup_(executor),
      room_(room),
      backoff_(parts_.backoff, parts_.random)
{
}

void PeerLink::wake()
{
    woken_ = true;
    wakeup_.notify();
}

void PeerLink::heard()
{
    heard_ = true;
    wakeup_.notify();
}

void PeerLink::urge()
{
    urged_ = true;
    wakeup_.notify();
}

LinkState PeerLink::state() const
{
    return {next_try_, backoff_.failures(), problem_};
}

void PeerLink::acks_due(const std::string& channel)
{
    acks_due_.try_emplace(channel, parts_.clock.now_ms() + ack_interval_ms);
    wake();
}

void PeerLink::ask(const std::string& channel)
{
    questions_.insert(channel);
    held_logs_.erase(channel);
    wake();
}

void PeerLink::signal(const std::string& key, std::string json)
{
    if (is_down_) return;
    const bool is_first = signals_.empty();
    if (signals_.push(key, std::move(json)) && is_first) wake();
}

bool PeerLink::are_signals_due() const
{
    return !signals_.empty() && signals_due_ <= parts_.clock.now_ms();
}

void PeerLink::add_signals(BatchDraft& draft, const BatchLimits& limits)
{
    if (signals_.empty() || (draft.empty() && !are_signals_due())) return;
    if (draft.items >= limits.items) return;
    draft.signals =
        signals_.take(std::min(limits.items - draft.items, most_signals), most_signal_octets);
    draft.items += draft.signals.size();
    signals_due_ = parts_.clock.now_ms() + signal_interval_ms;
}

asio::awaitable<void> PeerLink::run()
{
    for (;;) {
        woken_ = false;
        auto wait = co_await deliver();
        if (!wait) {
            // Something may have come while the last batch was read.
            if (woken_ || are_signals_due()) continue;
            wait = until_hold_ends();
            if (!wait) co_return;
        }
        if (wait->time.count() > 0) co_await pause(*wait);
    }
}

asio::awaitable<void> PeerLink::pause(Wait wait)
{
    heard_ = urged_ = false;
    const auto end = parts_.clock.now_ms() + wait.time.count();
    struct Waiting {
        Millis& next_try;
        ~Waiting() { next_try = 0; }
    };
    const Waiting waiting{next_try_};
    next_try_ = end;
    for (;;) {
        const auto left = end - parts_.clock.now_ms();
        if (left <= 0) co_return;
        co_await wakeup_.wait_for(std::chrono::milliseconds(left));
        if (urged_ || (heard_ && wait.ends_when_heard)) {
            backoff_.reset();
            co_return;
        }
        if (woken_ && wait.ends_with_new_work) co_return;
    }
}

// What a peer says it takes bounds a batch, and so do our own limits: nobody makes us
// build a transaction of any size.
BatchLimits PeerLink::batch_limits() const
{
    auto limits_of_peer = parts_.identity.limits;
    if (const auto* pinned = parts_.discovery.ring().find(peer_)) {
        limits_of_peer.bytes = std::min(limits_of_peer.bytes, pinned->limits.bytes);
        limits_of_peer.items = std::min(limits_of_peer.items, pinned->limits.items);
    }
    BatchLimits limits;
    limits.octets =
        std::max<std::size_t>((limits_of_peer.bytes / octet_share) >> halvings_, least_octets);
    limits.octets = std::min(limits.octets, room_.for_one());
    limits.items = std::max<std::size_t>(limits_of_peer.items >> halvings_, 1);
    return limits;
}

// Megabytes of hashes and JSON are written where they hold up nobody else. The key is as it is
// now: a reader must not look while a reload changes it.
asio::awaitable<Result<std::string>> PeerLink::write_out(std::shared_ptr<const BatchDraft> draft)
{
    const auto now = parts_.clock.now_ms();
    if (draft->octets <= long_octets)
        co_return protocol::write_transaction(sign_batch(*draft, parts_.identity, now));
    auto job = [draft, identity = parts_.identity,
                now](storage::Connection&) -> Result<std::string> {
        return protocol::write_transaction(sign_batch(*draft, identity, now));
    };
    storage::Cause cause{peer_.str(), draft->octets};
    auto body = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return body;
}

asio::awaitable<std::optional<Wait>> PeerLink::deliver()
{
    const auto begun = parts_.clock.now_ms();
    auto held = held_now();
    const auto limits = batch_limits();
    auto job = [self = parts_.identity.name, peer = peer_, limits, held](storage::Connection& db) {
        return read_batch(db, self, peer, limits, held);
    };
    storage::Cause cause{peer_.str(), 0};
    auto read = co_await parts_.commits.read(std::move(job), std::move(cause));
    if (!read) co_return failed(read.error());
    const auto draft = std::make_shared<BatchDraft>(std::move(*read));
    add_signals(*draft, limits);
    if (draft->empty()) {
        // Nobody is left there to be told.
        for (const auto& channel : held.heartbeats) acks_due_.erase(channel);
        for (const auto& channel : held.questions) {
            if (!held.logs.contains(channel)) questions_.erase(channel);
        }
        co_return std::nullopt;
    }

    protocol::RoomShare share(room_);
    share.take(draft->octets);
    auto body = co_await write_out(draft);
    if (!body) co_return failed(body.error());
    auto settled = co_await exchange(*draft, std::move(*body));
    if (!settled) co_return failed(settled.error());
    backoff_.reset();
    problem_.reset();
    is_down_ = false;
    for (const auto& part : draft->logs) {
        const auto& channel = part.channel.name.str();
        if (held.heartbeats.contains(channel)) acks_due_.erase(channel);
        // What the peer puts off is asked again.
        if (!settled->held_logs.contains(channel)) questions_.erase(channel);
    }
    if (settled->progress) halvings_ = std::max(0, halvings_ - 1);
    remember(*settled);
    for (const auto& advanced : settled->advanced) parts_.advanced(advanced);
    for (const auto& [channel, kids] : settled->keys_wanted) show_keys(channel, kids);
    if (parts_.said) {
        for (const auto& word : settled->words) parts_.said(peer_, word);
    }
    if (std::exchange(was_away_, false)) co_await ask_about_all();
    if (!settled->wants_snapshot.empty()) co_await fetch_snapshots(settled->wants_snapshot);
    Wait next;
    const auto spent = parts_.clock.now_ms() - begun;
    if (draft->items >= busy_items && spent < busy_interval_ms)
        next.time = std::chrono::milliseconds(busy_interval_ms - spent);
    co_return next;
}

asio::awaitable<Result<Settled>> PeerLink::exchange(const BatchDraft& draft, std::string body)
{
    auto answer = co_await parts_.client.send(peer_, "POST", inbox_target, std::move(body));
    if (!answer) co_return fail(answer);
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

// [LOG-2] Without the result of the join the follower fetches the snapshot.
asio::awaitable<void> PeerLink::fetch_snapshots(
    std::map<std::string, std::optional<std::int64_t>> channels)
{
    for (const auto& [channel, floor] : channels) {
        auto answer =
            co_await parts_.client.send(peer_, "GET", "/federation/v1/channels/" + channel, "");
        if (!answer || answer->status != 200) continue;
        auto snapshot = protocol::parse_snapshot_answer(answer->body, parts_.identity.names);
        if (!snapshot || snapshot->snapshot.channel.str() != channel) continue;
        auto begun = co_await parts_.settlement.begin(peer_, std::move(*snapshot), floor);
        if (!begun)
            protocol::log_warning(parts_.log, "links", "a snapshot was not taken",
                                  {{"peer", peer_.str()}, {"channel", channel}});
    }
}

// [LOG-6] What is pinned here is shown, for who doesn't know the server, and the statements
// that lead to it, for who knows an earlier key. As long as the link lives: the next slice
// would need the same.
void PeerLink::show_keys(const std::string& channel, const std::vector<std::string>& kids)
{
    std::vector<protocol::ShownKey> shown;
    for (const auto& kid : kids) {
        const auto ref = protocol::parse_key_ref(kid, parts_.identity.names);
        const auto* key = ref ? parts_.discovery.ring().find_key(*ref) : nullptr;
        if (key == nullptr) continue;
        shown.push_back({ref->server, key->key.x(), parts_.discovery.statements_of(ref->server)});
    }
    if (shown.empty() || keys_.size() >= max_channels_with_keys) {
        hold_longer(held_logs_, channel, 0);
        return;
    }
    keys_[channel] = std::move(shown);
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

Wait PeerLink::failed(const Error& error)
{
    is_down_ = true;
    signals_.clear();
    auto wait = backoff_.after(error);
    problem_ = error;
    was_away_ |= wait.ends_when_heard;
    if (wait.halve) {
        if (halvings_ < most_halvings) {
            ++halvings_;
        } else {
            wait = backoff_.after(Error{Code::malformed, "", {}, 0});
        }
        wait.halve = false;
    }
    const auto level =
        wait.tell_administrator ? protocol::LogLevel::error : protocol::LogLevel::info;
    parts_.log.write(level, "links", "a transaction was not delivered",
                     {{"peer", peer_.str()},
                      {"problem", protocol::code_name(error.code)},
                      {"detail", error.detail},
                      {"wait_ms", wait.time.count()}});
    return wait;
}

Held PeerLink::held_now()
{
    const auto now = looked_at_ = parts_.clock.now_ms();
    Held held;
    for (const auto& [channel, hold] : held_submissions_) {
        if (hold.until > now) held.submissions.insert(channel);
    }
    for (const auto& [channel, hold] : held_logs_) {
        if (hold.until > now) held.logs.insert(channel);
    }
    for (const auto& [channel, due] : acks_due_) {
        if (due <= now) held.heartbeats.insert(channel);
    }
    held.questions = questions_;
    held.keys = keys_;
    held.direct = held_direct_until_ > now;
    return held;
}

std::optional<Wait> PeerLink::until_hold_ends() const
{
    std::optional<Millis> soonest;
    // A hold may have ended while the batch was read: what it kept back is due then, and
    // nobody else would come for it.
    const auto consider = [&](Millis until) {
        if (until > looked_at_ && (!soonest || until < *soonest)) soonest = until;
    };
    for (const auto& [channel, hold] : held_submissions_) consider(hold.until);
    for (const auto& [channel, hold] : held_logs_) consider(hold.until);
    for (const auto& [channel, due] : acks_due_) consider(due);
    consider(held_direct_until_);
    if (!signals_.empty()) consider(signals_due_);
    if (!soonest) return std::nullopt;
    Wait wait;
    const auto left = std::max<Millis>(0, *soonest - parts_.clock.now_ms());
    wait.time = std::chrono::milliseconds(left);
    wait.ends_with_new_work = true;
    return wait;
}

void PeerLink::remember(const Settled& settled)
{
    const auto now = parts_.clock.now_ms();
    std::erase_if(held_submissions_, [&](const auto& entry) {
        return entry.second.until <= now && !settled.held_submissions.contains(entry.first);
    });
    std::erase_if(held_logs_, [&](const auto& entry) {
        return entry.second.until <= now && !settled.held_logs.contains(entry.first);
    });
    for (const auto& [channel, wait] : settled.held_submissions)
        hold_longer(held_submissions_, channel, wait);
    for (const auto& [channel, wait] : settled.held_logs) hold_longer(held_logs_, channel, wait);
    if (settled.held_direct > 0)
        held_direct_until_ = now + std::min(settled.held_direct, longest_hold_ms / 1000) * 1000;
}

// The peer's own figure where it gave one, else 1 s doubling to an hour.
void PeerLink::hold_longer(std::map<std::string, Hold>& holds, const std::string& channel,
                           std::int64_t seconds)
{
    auto& hold = holds[channel];
    const auto own = std::min(longest_hold_ms, Millis{1000} << std::min(hold.doublings++, 20));
    hold.until =
        parts_.clock.now_ms() + (seconds > 0 ? std::min(seconds * 1000, longest_hold_ms) : own);
}

}  // namespace entente::federation
