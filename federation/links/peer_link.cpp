// The part of PeerLink that decides when which transaction goes. What becomes of it is in
// peer_lane.cpp.
#include "federation/links/peer_link.hpp"

#include <algorithm>
#include <utility>

#include "federation/long_octets.hpp"
#include "net/monotonic_clock.hpp"

namespace entente::federation {

namespace {

constexpr Millis ack_interval_ms = 2'000;
constexpr int most_halvings = 9;
constexpr Millis signal_interval_ms = 1'000;
constexpr std::size_t most_signals = 200;  // in one transaction
constexpr std::size_t most_signal_octets = 32 * 1024;

// Events travel as JSON strings: quotes and backslashes double at worst.
constexpr std::size_t octet_share = 3;

// Below it a batch would have no room to share; one event always goes.
constexpr std::size_t least_octets = 1'024;

// For a lane beside others that hold all the room a link may have: a large one must not
// keep small ones back.
constexpr std::size_t spare_octets = 16 * 1024;

// How long at most what waits for the clock isn't looked at: it may be put right meanwhile.
constexpr Millis clock_patience_ms = 60'000;

// Channels that are asked for one by one; where more have grown, all are looked at.
constexpr std::size_t most_grown = 256;

}  // namespace

PeerLink::PeerLink(LinkParts parts, ServerName peer, net::TaskGroup& tasks,
                   protocol::SharedRoom& room, bool is_even)
    : parts_(std::move(parts)),
      peer_(std::move(peer)),
      tasks_(tasks),
      wakeup_(tasks.executor()),
      room_(room),
      backoff_(parts_.backoff, parts_.random),
      looks_at_all_(!is_even),
      holds_(parts_.clock)
{
}

void PeerLink::wake()
{
    looks_at_all_ = true;
    nudge();
}

void PeerLink::grown(std::int64_t channel)
{
    note_logs_left({channel});
    nudge();
}

void PeerLink::nudge()
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

void PeerLink::look_whether_paused()
{
    if (is_paused()) urge();
}

LinkState PeerLink::state() const
{
    return {next_try_, backoff_.failures(), problem_};
}

void PeerLink::acks_due(const std::string& channel)
{
    acks_due_.try_emplace(channel, parts_.clock.now_ms() + ack_interval_ms);
    nudge();
}

void PeerLink::ask(const std::string& channel)
{
    questions_.insert(channel);
    holds_.free_log(channel);
    wake();
}

void PeerLink::signal(const std::string& key, std::string json)
{
    if (is_down_) return;
    const bool is_first = signals_.empty();
    if (signals_.push(key, std::move(json)) && is_first) nudge();
}

// Those of a slow lane must not come behind newer ones.
bool PeerLink::are_signals_due() const
{
    return !signals_.empty() && signals_due_ <= parts_.clock.now_ms() &&
           std::ranges::none_of(lanes_, [](const auto& lane) { return lane->has_signals; });
}

void PeerLink::add_signals(BatchDraft& draft, const BatchLimits& limits)
{
    const bool is_under_way =
        std::ranges::any_of(lanes_, [](const auto& lane) { return lane->has_signals; });
    if (signals_.empty() || is_under_way || (draft.empty() && !are_signals_due())) return;
    if (draft.items >= limits.items) return;
    draft.signals =
        signals_.take(std::min(limits.items - draft.items, most_signals), most_signal_octets);
    draft.items += draft.signals.size();
    signals_due_ = parts_.clock.now_ms() + signal_interval_ms;
}

asio::awaitable<void> PeerLink::run()
{
    for (;;) {
        if (is_paused()) {
            if (lanes_.empty()) co_return;
            co_await wakeup_.wait();
            continue;
        }
        if (const auto wait = std::exchange(wait_, std::nullopt)) {
            co_await pause(*wait);
            continue;
        }
        bool has_opened = false;
        if (may_open_lane()) {
            woken_ = has_more_ = false;
            has_opened = co_await open_lane();
        }
        if (wait_) continue;
        if (!lanes_.empty()) {
            co_await rest();
            continue;
        }
        // Something may have come while the last batch was read.
        if (has_opened || woken_ || are_signals_due()) continue;
        const auto wait = until_hold_ends();
        if (!wait) co_return;
        begin_wait(*wait);
    }
}

// To a peer that doesn't answer nothing else goes than what finds out whether it does again.
bool PeerLink::may_open_lane() const
{
    const bool has_tried =
        std::ranges::any_of(lanes_, [&](const auto& lane) { return lane->failures == failures_; });
    return lanes_.size() < most_lanes && !(is_down_ && has_tried);
}

asio::awaitable<void> PeerLink::rest()
{
    const auto lanes = lanes_.size();
    const auto end = net::MonotonicClock::now() + parts_.patience;
    while (lanes_.size() == lanes && !wait_) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(end - net::MonotonicClock::now());
        if (left.count() <= 0) break;
        co_await wakeup_.wait_for(left);
    }
    while (lanes_.size() == lanes && !wait_) {
        const bool may_open = may_open_lane();
        if (may_open && (woken_ || has_more_ || are_signals_due())) co_return;
        const auto next = may_open ? until_hold_ends() : std::nullopt;
        if (!next) {
            co_await wakeup_.wait();
            continue;
        }
        const bool is_woken = co_await wakeup_.wait_for(next->time);
        if (!is_woken) co_return;
    }
}

void PeerLink::begin_wait(Wait wait)
{
    heard_ = urged_ = false;
    wait_ = wait;
}

asio::awaitable<void> PeerLink::pause(Wait wait)
{
    const auto end = parts_.clock.now_ms() + wait.time.count();
    struct Waiting {
        Millis& next_try;
        ~Waiting() { next_try = 0; }
    };
    const Waiting waiting{next_try_};
    next_try_ = end;
    for (;;) {
        if (urged_) {
            backoff_.reset();
            co_return;
        }
        if (woken_ && wait.ends_with_new_work) co_return;
        const auto now = parts_.clock.now_ms();
        const bool may_end_early = heard_ && wait.ends_when_heard;
        const auto until = may_end_early ? std::min(end, backoff_.next_early_end()) : end;
        if (until <= now) {
            if (end > now) backoff_.ended_early(now);
            co_return;
        }
        co_await wakeup_.wait_for(std::chrono::milliseconds(until - now));
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
    std::size_t under_way = 0;
    for (const auto& lane : lanes_) under_way += lane->share.held();
    const auto most = room_.for_one();
    BatchLimits limits;
    limits.octets =
        std::max<std::size_t>((limits_of_peer.bytes / octet_share) >> halvings_, least_octets);
    limits.octets =
        std::min(limits.octets, std::max(most - std::min(most, under_way), spare_octets));
    limits.items = std::max<std::size_t>(limits_of_peer.items >> halvings_, 1);
    if (is_probing_) limits.items = 1;
    limits.last_log = last_log_;
    limits.now = parts_.clock.now_ms();
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

asio::awaitable<bool> PeerLink::open_lane()
{
    const auto failures = failures_;
    const bool is_probe = is_probing_;
    auto lane = std::make_shared<Lane>(room_);
    lane->begun = parts_.clock.now_ms();
    auto held = held_now();
    if (is_probe) held.keys.clear();
    auto limits = batch_limits();
    limits.logs = logs_to_look_at();
    auto job = [self = parts_.identity.name, peer = peer_, limits, held](storage::Connection& db) {
        return read_batch(db, self, peer, limits, held);
    };
    storage::Cause cause{peer_.str(), 0};
    auto read = co_await parts_.commits.read(std::move(job), std::move(cause));
    if (!read) {
        failed(without_time(read.error()));
        co_return false;
    }
    // Another lane has found out meanwhile that this one would fail too.
    if (failures != failures_) {
        looks_at_all_ = true;
        co_return false;
    }
    note_logs_left(read->logs_left);
    clock_due_ = read->due == 0 ? 0 : std::min(read->due, limits.now + clock_patience_ms);
    auto& draft = lane->draft = std::move(*read);
    if (is_probe) {
        for (auto& part : draft.logs) part.acks.clear();
    }
    add_signals(draft, limits);
    if (draft.empty()) {
        forget_unfounded(held);
        co_return false;
    }
    lane->share.take(draft.octets);
    const std::shared_ptr<const BatchDraft> sent(lane, &draft);
    auto body = co_await write_out(sent);
    if (!body) {
        failed(without_time(body.error()));
        co_return false;
    }
    lane->body = std::move(*body);
    if (!is_probe) lane->heartbeats = held.heartbeats;
    for (const auto& part : draft.submissions) lane->channels.insert(part.channel.str());
    for (const auto& part : draft.logs) lane->channels.insert(part.channel.name.str());
    lane->has_direct = !draft.direct.empty();
    lane->has_signals = !draft.signals.empty();
    lane->failures = failures_;
    lane->answers = answers_;
    has_more_ = draft.is_cut;
    for (const auto& part : draft.logs) {
        if (!part.page.entries.empty()) last_log_ = part.channel.id;
    }
    lanes_.push_back(lane);
    tasks_.spawn(carry(shared_from_this(), std::move(lane)));
    co_return true;
}

std::optional<std::set<std::int64_t>> PeerLink::logs_to_look_at()
{
    auto grown = std::exchange(grown_, {});
    if (std::exchange(looks_at_all_, false)) return std::nullopt;
    return grown;
}

void PeerLink::note_logs_left(const std::set<std::int64_t>& channels)
{
    if (looks_at_all_) return;
    grown_.insert(channels.begin(), channels.end());
    if (grown_.size() <= most_grown) return;
    looks_at_all_ = true;
    grown_.clear();
}

void PeerLink::forget_unfounded(const Held& held)
{
    for (const auto& channel : held.heartbeats) {
        if (!held.logs.contains(channel)) acks_due_.erase(channel);
    }
    for (const auto& channel : held.questions) {
        if (!held.logs.contains(channel)) questions_.erase(channel);
    }
}

void PeerLink::failed(const Error& error, std::size_t items)
{
    ++failures_;
    looks_at_all_ = true;
    const bool was_down = std::exchange(is_down_, true);
    signals_.clear();
    auto wait = backoff_.after(error);
    problem_ = error;
    was_away_ |= wait.ends_when_heard;
    if (wait.halve) {
        if (halvings_ < most_halvings) {
            // Until the next batch is smaller: the limit may have been far above this one.
            do ++halvings_;
            while (halvings_ < most_halvings && items > 0 && batch_limits().items >= items);
        } else {
            wait = backoff_.after(Error{Code::malformed, "", {}, 0});
        }
        wait.halve = false;
    } else {
        is_probing_ = true;
    }
    tell_failure(error, wait, was_down);
    begin_wait(wait);
}

// Once as long as it is down, and what an administrator must know once of each kind.
void PeerLink::tell_failure(const Error& error, const Wait& wait, bool was_down)
{
    auto level = was_down ? protocol::LogLevel::debug : protocol::LogLevel::info;
    if (wait.tell_administrator && told_ != error.code) {
        told_ = error.code;
        level = protocol::LogLevel::error;
    }
    parts_.log.write(level, "links", "a transaction was not delivered",
                     {{"peer", peer_.str()},
                      {"problem", protocol::code_name(error.code)},
                      {"detail", error.detail},
                      {"wait_ms", wait.time.count()}});
}

void PeerLink::is_back()
{
    backoff_.reset();
    problem_.reset();
    told_.reset();
    is_probing_ = false;
    if (!std::exchange(is_down_, false)) return;
    parts_.log.write(protocol::LogLevel::info, "links", "a transaction was delivered again",
                     {{"peer", peer_.str()}});
}

// What is under way is held back like what the peer has asked to be spared.
Held PeerLink::held_now()
{
    const auto now = looked_at_ = parts_.clock.now_ms();
    Held held;
    holds_.add_to(held, now);
    for (const auto& lane : lanes_) {
        held.submissions.insert(lane->channels.begin(), lane->channels.end());
        held.logs.insert(lane->channels.begin(), lane->channels.end());
        held.direct = held.direct || lane->has_direct;
    }
    for (const auto& [channel, due] : acks_due_) {
        if (due <= now) held.heartbeats.insert(channel);
    }
    held.questions = questions_;
    held.keys = keys_;
    held.moves = moves_due_;
    return held;
}

std::optional<Wait> PeerLink::until_hold_ends() const
{
    // A hold may have ended while the batch was read: what it kept back is due then, and
    // nobody else would come for it.
    auto soonest = holds_.next_end(looked_at_);
    const auto consider = [&](Millis until) {
        if (until > looked_at_ && (!soonest || until < *soonest)) soonest = until;
    };
    for (const auto& [channel, due] : acks_due_) consider(due);
    if (!signals_.empty()) consider(signals_due_);
    if (clock_due_ > 0) consider(clock_due_);
    if (!soonest) return std::nullopt;
    Wait wait;
    const auto left = std::max<Millis>(0, *soonest - parts_.clock.now_ms());
    wait.time = std::chrono::milliseconds(left);
    wait.ends_with_new_work = true;
    return wait;
}

}  // namespace entente::federation
