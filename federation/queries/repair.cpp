#include "federation/queries/repair.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "federation/log/waited_events.hpp"
#include "protocol/transaction.hpp"
#include "storage/held_store.hpp"
#include "storage/log_reader.hpp"

namespace entente::federation {

namespace {

using protocol::ChannelId;
using storage::WriteTransaction;

constexpr std::chrono::seconds tick{1};
constexpr int entries_at_once = 1000;

}  // namespace

Repair::Repair(RepairParts parts) : parts_(std::move(parts)), wakeup_(parts_.tasks.executor()) {}

asio::awaitable<Result<void>> Repair::start(bool can_ask)
{
    auto job = [](storage::Connection& db) { return storage::held_channels(db); };
    auto held = co_await parts_.commits.read(std::move(job));
    if (!held) co_return fail(held);
    for (const auto& one : *held)
        begin(one.channel, can_ask ? one.followers : std::vector<ServerName>{});
    if (!held->empty())
        protocol::log_warning(parts_.log, "channel_log",
                              "older data may have been put back: channels wait until their "
                              "followers have said what they hold",
                              {{"channels", held->size()}});
    co_return Result<void>{};
}

void Repair::begin(const ChannelId& channel, const std::vector<ServerName>& followers)
{
    auto& hold = holds_[channel];
    hold.since = parts_.clock.now_ms();
    hold.unheard.insert(followers.begin(), followers.end());
    for (const auto& follower : followers) parts_.ask(follower, channel);
}

asio::awaitable<void> Repair::run()
{
    for (;;) {
        auto looked = co_await look();
        if (!looked)
            protocol::log_warning(parts_.log, "channel_log", "held channels can't go on yet",
                                  {{"detail", looked.error().detail}});
        // Without anything held there is nothing to look at but what comes.
        if (holds_.empty() && unasked_.empty())
            co_await wakeup_.wait();
        else
            co_await wakeup_.wait_for(tick);
    }
}

asio::awaitable<Result<void>> Repair::look()
{
    start_fetching();
    while (!unasked_.empty()) {
        auto channel = unasked_.extract(unasked_.begin()).value();
        auto asked = co_await ask_followers(std::move(channel));
        if (!asked) co_return asked;
    }
    for (;;) {
        std::vector<ChannelId> ready;
        for (const auto& [channel, hold] : holds_) {
            if (may_go_on(channel, hold)) ready.push_back(channel);
            if (ready.size() == max_freed_at_once) break;
        }
        if (ready.empty()) co_return Result<void>{};
        auto gone = co_await go_on(std::move(ready));
        if (!gone) co_return gone;
    }
}

// [LOG-5] All have answered, or one has and the others had 30 s, or none has in 10 minutes.
// What a follower can prove beyond our end is worth waiting for while it comes.
bool Repair::may_go_on(const ChannelId& channel, const Hold& hold) const
{
    if (unasked_.contains(channel)) return false;
    const auto now = parts_.clock.now_ms();
    const auto waited = now - hold.since;
    // While a follower gives back what was lost nothing goes on beside it: of that a fork is made.
    if (hold.is_ended || now - std::max(hold.since, hold.gained_at) >= first_wait_ms) return true;
    if (is_promised_more(hold)) return false;
    if (hold.unheard.empty() && hold.claims.empty()) return true;
    return hold.heard > 0 && waited >= others_wait_ms;
}

bool Repair::is_promised_more(const Hold& hold)
{
    return std::any_of(hold.claims.begin(), hold.claims.end(),
                       [](const auto& claim) { return !claim.second.has_failed; });
}

// A follower was ahead of us though nothing had told of older data: now all are asked.
asio::awaitable<Result<void>> Repair::ask_followers(ChannelId channel)
{
    auto job = [channel](storage::Connection& db) -> Result<std::vector<ServerName>> {
        auto row = storage::read_channel(db, channel);
        if (!row) return fail(row);
        auto cursors = storage::cursors_of(db, row->id);
        if (!cursors) return fail(cursors);
        std::vector<ServerName> followers;
        for (const auto& cursor : *cursors) followers.push_back(cursor.server);
        return followers;
    };
    auto followers = co_await parts_.commits.read(std::move(job));
    if (!followers) {
        unasked_.insert(channel);
        co_return fail(followers);
    }
    auto found = holds_.find(channel);
    if (found == holds_.end()) co_return Result<void>{};
    protocol::log_error(parts_.log, "channel_log",
                        "a follower holds more of a channel than this server, its home: older "
                        "data was put back; what is missing is fetched",
                        {{"channel", channel.str()}});
    for (const auto& follower : *followers) {
        if (found->second.claims.contains(follower)) continue;
        found->second.unheard.insert(follower);
        parts_.ask(follower, channel);
    }
    co_return Result<void>{};
}

void Repair::said(const ServerName& follower, const FollowerWord& word)
{
    auto found = holds_.find(word.channel);
    if (found == holds_.end()) {
        // The settlement holds a channel only for what is beyond its end.
        if (word.ahead == 0) return;
        found = holds_.emplace(word.channel, Hold{}).first;
        found->second.since = parts_.clock.now_ms();
        unasked_.insert(word.channel);
    }
    auto& hold = found->second;
    if (word.ahead > 0) {
        auto& claim = hold.claims[follower];
        claim.seq = std::max(claim.seq, word.ahead);
        hold.unheard.insert(follower);
        if (!fetching_.contains(follower)) start_fetching();
    } else if (word.counts) {
        count(hold, follower);
    }
    wakeup_.notify();
}

void Repair::count(Hold& hold, const ServerName& follower)
{
    hold.claims.erase(follower);
    if (hold.unheard.erase(follower) > 0) ++hold.heard;
}

void Repair::disbelieve(const ChannelId& channel, const ServerName& follower)
{
    if (disbelieved_.size() >= max_disbelieved) disbelieved_.erase(disbelieved_.begin());
    disbelieved_[{channel, follower}] = parts_.clock.now_ms() + disbelief_ms;
}

bool Repair::believes(const ChannelId& channel, const ServerName& follower)
{
    const auto found = disbelieved_.find({channel, follower});
    if (found == disbelieved_.end()) return true;
    if (found->second > parts_.clock.now_ms()) return false;
    disbelieved_.erase(found);
    return true;
}

void Repair::start_fetching()
{
    const auto now = parts_.clock.now_ms();
    for (const auto& [channel, hold] : holds_) {
        for (const auto& [follower, claim] : hold.claims) {
            if (fetching_.size() >= max_fetching) return;
            if (hold.is_fetched_from || fetching_.contains(follower) || claim.retry_at > now)
                continue;
            fetching_.insert(follower);
            parts_.tasks.spawn(fetch_from(follower));
            break;
        }
    }
}

Repair::Holds::iterator Repair::next_for(const ServerName& follower)
{
    const auto now = parts_.clock.now_ms();
    // What it has not failed at goes first.
    for (const bool has_failed : {false, true}) {
        for (auto hold = holds_.begin(); hold != holds_.end(); ++hold) {
            if (hold->second.is_fetched_from) continue;
            const auto claim = hold->second.claims.find(follower);
            if (claim == hold->second.claims.end() || claim->second.retry_at > now) continue;
            if (claim->second.has_failed == has_failed) return hold;
        }
    }
    return holds_.end();
}

// All that one follower has claimed, one channel after the other.
asio::awaitable<void> Repair::fetch_from(ServerName follower)
{
    struct Ending {
        Repair& repair;
        const ServerName& follower;
        ~Ending() { repair.fetching_.erase(follower); }
    };
    {
        const Ending ending{*this, follower};
        for (auto hold = next_for(follower); hold != holds_.end(); hold = next_for(follower)) {
            const auto channel = hold->first;
            const auto until = hold->second.claims.at(follower).seq;
            hold->second.is_fetched_from = true;
            const auto gain = co_await fetch_log(follower, channel, until);
            settle_claim(channel, follower, gain);
        }
    }
    start_fetching();
    wakeup_.notify();
}

asio::awaitable<Repair::Gain> Repair::fetch_log(ServerName follower, ChannelId channel,
                                                std::int64_t until)
{
    for (;;) {
        auto job = [channel, self = parts_.identity.name,
                    until](storage::Connection& db) -> Result<std::int64_t> {
            auto row = storage::read_channel(db, channel);
            if (!row) return fail(row);
            // [SUC-2] Behind a move that came back there is nothing that this server signed.
            return row->home == self ? row->seq : until;
        };
        auto end = co_await parts_.commits.read(std::move(job));
        if (!end) co_return Gain::unreachable;
        if (*end >= until) co_return Gain::all;
        auto added = co_await fetch_some(follower, channel, *end);
        if (!added && is_passing(added.error()))
            co_return added.error().retry_after > 0 ? Gain::later : Gain::unreachable;
        if (added && added->added > 0) {
            note_gain(follower);
            continue;
        }
        if (added && added->lacks_contents) co_return Gain::withheld;
        protocol::log_error(parts_.log, "channel_log",
                            "a follower claims more of a channel than it can prove",
                            {{"peer", follower.str()},
                             {"channel", channel.str()},
                             {"detail", added ? "it gave nothing" : added.error().detail}});
        co_return Gain::nothing;
    }
}

// [LOG-18] Whoever else may have the contents comes first.
Missing Repair::if_missing(const ChannelId& channel, const ServerName& follower) const
{
    const auto found = holds_.find(channel);
    if (found == holds_.end() || unasked_.contains(channel)) return Missing::is_refused;
    const auto& hold = found->second;
    const bool has_waited = parts_.clock.now_ms() - hold.since >= others_wait_ms;
    const auto may_have_them = [&](const ServerName& other) {
        if (other == follower) return false;
        const auto claim = hold.claims.find(other);
        if (claim == hold.claims.end()) return !has_waited;
        return !claim->second.withholds && !(claim->second.has_failed && has_waited);
    };
    return std::ranges::any_of(hold.unheard, may_have_them) ? Missing::is_refused
                                                            : Missing::is_taken;
}

// `unavailable` and its like where the follower didn't answer.
asio::awaitable<Result<HomeLog::PutBack>> Repair::fetch_some(ServerName follower, ChannelId channel,
                                                             std::int64_t after)
{
    const auto missing = if_missing(channel, follower);
    auto target = "/federation/v1/channels/" + channel.str() +
                  "/log?after=" + std::to_string(after) +
                  "&limit=" + std::to_string(entries_at_once);
    auto body = co_await parts_.fetch(std::move(follower), std::move(target));
    if (!body) co_return fail(body);
    auto answer = protocol::parse_log_answer(*body, parts_.identity.names);
    if (!answer) co_return fail(answer);
    if (answer->slice.channel != channel)
        co_return fail(Code::malformed, "an answer about another channel");
    auto roots = co_await parts_.verifier.check_roots(std::move(answer->roots), true);
    protocol::Read<protocol::Slice> read;
    read.channel_text = channel.str();
    read.value = std::move(answer->slice);
    auto verified = std::make_shared<VerifiedSlice>(
        parts_.verifier.check_slice(std::move(read), roots, parts_.identity.name));
    if (verified->problem) {
        auto problem = *verified->problem;
        // Our own checkpoint never waits for anybody.
        if (is_passing(problem)) problem = {Code::signature_invalid, problem.detail, {}, 0};
        co_return Result<HomeLog::PutBack>{tl::unexpect, std::move(problem)};
    }
    // [KEY-7] What is newer than the revocation of a key of ours was made by who stole it.
    if (verified->is_by_revoked_key)
        co_return fail(Code::signature_invalid, "a checkpoint under a key that is revoked");
    auto job = [this, verified,
                missing](WriteTransaction& transaction) -> Result<HomeLog::PutBack> {
        auto found = parts_.store.find(transaction.db(), verified->slice.channel);
        if (!found) return fail(found);
        return parts_.home.append_again(transaction, **found, *verified, missing);
    };
    auto added = co_await parts_.commits.write(std::move(job));
    co_return added;
}

// What it holds of other channels comes after this one.
void Repair::note_gain(const ServerName& follower)
{
    for (auto& [channel, hold] : holds_) {
        const auto claim = hold.claims.find(follower);
        if (claim == hold.claims.end()) continue;
        claim->second.has_given = true;
        hold.gained_at = parts_.clock.now_ms();
    }
}

void Repair::settle_claim(const ChannelId& channel, const ServerName& follower, Gain gain)
{
    auto found = holds_.find(channel);
    if (found == holds_.end()) return;
    auto& hold = found->second;
    hold.is_fetched_from = false;
    const auto claim = hold.claims.find(follower);
    if (claim == hold.claims.end()) return;
    switch (gain) {
        case Gain::all: count(hold, follower); break;
        case Gain::nothing:
            disbelieve(channel, follower);
            count(hold, follower);
            break;
        case Gain::withheld:
            claim->second.withholds = true;
            claim->second.retry_at = parts_.clock.now_ms() + fetch_retry_ms;
            break;
        case Gain::later:
        case Gain::unreachable:
            // Its word stands, but nobody waits for it beyond the usual, unless it has given
            // something and asks for time. It isn't tried for each of its channels in turn.
            claim->second.has_failed = gain == Gain::unreachable || !claim->second.has_given;
            for (auto& [other, held] : holds_) {
                const auto same = held.claims.find(follower);
                if (same != held.claims.end())
                    same->second.retry_at = parts_.clock.now_ms() + fetch_retry_ms;
            }
            break;
    }
}

// What waited beside the log goes into it; then the channel is as any other.
asio::awaitable<Result<void>> Repair::go_on(std::vector<ChannelId> channels)
{
    using Freed = std::vector<std::pair<ChannelId, HomeLog::Waited>>;
    auto job = [this, channels](WriteTransaction& transaction) -> Result<Freed> {
        Freed freed;
        for (const auto& name : channels) {
            auto found = parts_.store.find(transaction.db(), name);
            if (!found) return fail(found);
            auto waited = parts_.home.append_waiting(transaction, **found, max_waiting_at_once);
            if (!waited) return fail(waited);
            freed.emplace_back(name, std::move(*waited));
        }
        return freed;
    };
    auto freed = co_await parts_.commits.write(std::move(job));
    if (!freed) co_return fail(freed);
    bool all_wait = true;
    std::vector<ChannelId> promised;
    for (const auto& [channel, waited] : *freed) {
        tell_authors(parts_.notices, channel, waited);
        all_wait = all_wait && waited.more && waited.settled.empty();
        if (waited.more) continue;
        const auto found = holds_.find(channel);
        if (found == holds_.end()) continue;
        const auto& hold = found->second;
        // Said while it was freed.
        if (!may_go_on(channel, hold)) {
            promised.push_back(channel);
            continue;
        }
        if (hold.heard == 0 && !hold.unheard.empty())
            protocol::log_error(parts_.log, "channel_log",
                                "no follower of a channel has answered: it goes on without what "
                                "they may hold of it",
                                {{"channel", channel.str()}});
        // It goes on without what they claim: who claims it again can't hold it up again.
        for (const auto& [follower, claim] : hold.claims) disbelieve(channel, follower);
        holds_.erase(found);
    }
    if (!promised.empty()) {
        auto again = co_await hold_again(std::move(promised));
        if (!again) co_return again;
    }
    if (all_wait) co_return fail(Code::unavailable, "own events can't be appended yet");
    co_return Result<void>{};
}

asio::awaitable<Result<void>> Repair::hold_again(std::vector<ChannelId> channels)
{
    auto job = [this, channels](WriteTransaction& transaction) -> Result<void> {
        std::vector<storage::LiveChannel*> found;
        for (const auto& name : channels) {
            auto channel = parts_.store.find(transaction.db(), name);
            if (!channel) return fail(channel);
            found.push_back(*channel);
        }
        for (auto* channel : found) {
            auto held = parts_.store.set_held(transaction.db(), *channel, true);
            if (!held) return held;
        }
        return {};
    };
    auto done = co_await parts_.commits.write(std::move(job));
    co_return done;
}

void Repair::free_when_ready(const ChannelId& channel)
{
    begin(channel, {});
    wakeup_.notify();
}

bool Repair::end_wait(const ChannelId& channel)
{
    const auto found = holds_.find(channel);
    if (found == holds_.end()) return false;
    found->second.is_ended = true;
    wakeup_.notify();
    return true;
}

std::vector<Repair::Waiting> Repair::waiting() const
{
    std::vector<Waiting> all;
    for (const auto& [channel, hold] : holds_)
        all.push_back({channel, hold.since, {hold.unheard.begin(), hold.unheard.end()}});
    return all;
}

}  // namespace entente::federation
