#include "api/follower.hpp"

#include <algorithm>
#include <utility>

#include "api/wire.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/problem.hpp"

namespace entente::api {
namespace {

constexpr std::size_t page_entries = 500;
// A page that was read is written from memory: cut, so that a slow reader holds no more.
constexpr std::size_t page_octets = 128 * 1024;
constexpr std::size_t max_list_octets = 64 * 1024;

}  // namespace

Follower::Follower(Caller caller, federation::Channels& channels, federation::People& people,
                   asio::any_io_executor io, Index index, protocol::SharedRoom& room)
    : caller_(std::move(caller)),
      channels_(channels),
      index_(std::move(index)),
      wake_(std::move(io)),
      queue_(room),
      mail_(people)
{
}

Follower::~Follower()
{
    drop_all();
}

bool Follower::follows(const protocol::ChannelId& channel) const
{
    return cursors_.contains(channel);
}

Result<void> Follower::follow(const protocol::ChannelId& channel, std::int64_t seq)
{
    auto found = cursors_.find(channel);
    if (found == cursors_.end()) {
        if (cursors_.size() >= max_followed_channels || !index_.followed(*this, channel))
            return refuse(Code::too_large, "/follow: too many channels");
        found = cursors_.emplace(channel, Cursor{}).first;
    }
    mail_.came();  // where it couldn't be read a client was told to follow anew
    const bool listed = !found->second.live && found->second.generation != 0;
    found->second = Cursor{seq, seq, false, ++generation_, queue_.pushed()};
    if (!listed) lagging_.push_back(channel);
    wake_.notify();
    return {};
}

void Follower::acknowledge(const protocol::ChannelId& channel, std::int64_t seq)
{
    if (seq > 0) channels_.acknowledge(caller_.user, caller_.device, channel, seq);
}

void Follower::follow_all()
{
    all_ = true;
    list_ = true;
    all_from_now_ = true;
    mail_.came();
    wake_.notify();
}

void Follower::lag(Cursors::iterator cursor)
{
    if (!cursor->second.live) return;
    cursor->second.live = false;
    cursor->second.behind = queue_.pushed();
    lagging_.push_back(cursor->first);
    wake_.notify();
}

void Follower::entries(const protocol::ChannelId& channel, const LiveBatch& batch)
{
    const auto found = cursors_.find(channel);
    if (found == cursors_.end()) return;
    auto& cursor = found->second;
    cursor.noticed = std::max(cursor.noticed, batch.last);
    if (batch.from_store) cursor.from_store = std::max(cursor.from_store, batch.last);
    if (batch.last <= cursor.seq) return;
    if (!cursor.live) {
        keep_ahead(cursor, batch, channel);
        return;
    }
    // Who doesn't keep up reads on from the store, at the pace of the socket.
    const bool is_next = batch.first == cursor.seq + 1;
    if (batch.from_store || !is_next || !queue_.fits(batch.entries->json.size())) {
        lag(found);
        return;
    }
    cursor.seq = batch.last;
    queue_.push_entries(batch.entries);
    wake_.notify();
}

void Follower::keep_ahead(const Cursor& cursor, const LiveBatch& batch,
                          const protocol::ChannelId& channel)
{
    if (!ahead_ || ahead_->channel != channel || ahead_->is_broken) return;
    const bool is_next =
        ahead_->last == 0 ? batch.first > cursor.seq : batch.first == ahead_->last + 1;
    // The page is to have room beside it.
    if (batch.from_store || !is_next || !queue_.fits(batch.entries->json.size() + page_octets)) {
        ahead_->is_broken = true;
        return;
    }
    ahead_->last = batch.last;
    queue_.push_entries(batch.entries);
}

void Follower::take_back(const protocol::ChannelId& channel)
{
    if (ahead_ && ahead_->channel == channel) ahead_->is_broken = true;
    const auto found = cursors_.find(channel);
    const auto first = queue_.take_back(channel);
    if (!first || found == cursors_.end()) return;
    // Only what is live is queued; a cursor that lags since then is read on from earlier too.
    lag(found);
    found->second.seq = std::min(found->second.seq, *first - 1);
}

void Follower::state(std::string json)
{
    if (!queue_.push_state(std::move(json))) drop_all();
    wake_.notify();
}

void Follower::moved(const protocol::Hash& event, std::string json)
{
    if (moved_) moved_->insert(event);
    state(std::move(json));
}

void Follower::delivered(const protocol::ChannelId& channel, const protocol::ServerName& server,
                         std::int64_t seq)
{
    if (!queue_.push_delivered(channel.str(), server.str(), seq)) drop_all();
    wake_.notify();
}

void Follower::membership_changed()
{
    queue_.push_request();
    list_ = all_;
    wake_.notify();
}

void Follower::mail_came()
{
    mail_.came();
    wake_.notify();
}

void Follower::signal(const std::string& key, const std::string& json)
{
    signals_.push(key, json);
    wake_.notify();
}

void Follower::answer(std::string frame)
{
    if (!queue_.push_frame(std::move(frame))) drop_all();
    wake_.notify();
}

void Follower::end()
{
    ended_ = true;
    if (writing_to_ != nullptr) writing_to_->abort();
    wake_.notify();
}

// Behind a `resync` the client follows anew, from the cursors that it holds.
void Follower::drop_all()
{
    for (const auto& [channel, cursor] : cursors_) index_.unfollowed(*this, channel);
    cursors_.clear();
    lagging_.clear();
    all_ = false;
    list_ = false;
}

asio::awaitable<void> Follower::pump(net::WebSocket& socket)
{
    while (!ended_) {
        const bool wrote = co_await write_queued(socket);
        if (list_ && !ended_) co_await list_anew();
        bool caught_up = false;
        if (!lagging_.empty() && !ended_) caught_up = co_await catch_up(socket);
        bool mailed = false;
        if (mail_.is_due() && !ended_) mailed = co_await write_mail(socket);
        const bool idle = !wrote && !caught_up && !mailed && !list_ && !ended_ && lagging_.empty();
        if (idle && !signals_.empty())
            co_await write_signals(socket);
        else if (idle)
            co_await wake_.wait();
    }
}

asio::awaitable<void> Follower::write(net::WebSocket& socket, std::string frame)
{
    writing_to_ = &socket;
    auto written = co_await socket.write(frame);
    writing_to_ = nullptr;
    queue_.written();
    if (!written) ended_ = true;
}

asio::awaitable<bool> Follower::write_queued(net::WebSocket& socket)
{
    auto frame = queue_.take();
    if (!frame) co_return false;
    co_await write(socket, std::move(*frame));
    co_return true;
}

asio::awaitable<bool> Follower::catch_up(net::WebSocket& socket)
{
    const auto channel = lagging_.front();
    const auto before = cursors_.at(channel);
    if (queue_.taken() < before.behind) co_return false;
    lagging_.pop_front();
    lagging_.push_back(channel);
    const federation::PageSize size{page_entries, std::min(page_octets, queue_.most())};
    ahead_.emplace(Ahead{channel});
    auto page = co_await channels_.page_after(caller_.user, channel, before.seq, size);
    const auto ahead = *std::exchange(ahead_, std::nullopt);

    const auto found = cursors_.find(channel);
    const bool is_void = found == cursors_.end() || found->second.generation != before.generation;
    if (is_void || !page) queue_.take_back(channel);
    if (is_void) co_return true;
    if (!page) {
        unfollow(channel, page.error());
        co_return true;
    }
    // Where a device goes on from, it has what lies before.
    if (!std::exchange(found->second.is_acknowledged, true)) acknowledge(channel, before.seq);
    std::string frame;
    const bool is_empty = page->empty();
    took_page(channel, before, std::move(*page), frame);
    join(ahead, before, is_empty);
    if (frame.empty()) co_return true;
    queue_.writing(frame.size());
    co_await write(socket, std::move(frame));
    co_return true;
}

void Follower::took_page(const protocol::ChannelId& channel, const Cursor& before,
                         federation::ClientEntries page, std::string& frame)
{
    auto& cursor = cursors_.at(channel);
    if (page.empty()) {
        // The page saw every commit that we had heard of when we asked for it.
        cursor.seq = std::max(cursor.seq, before.noticed);
        return;
    }
    frame = R"({"entries":[)";
    for (const auto& entry : page) {
        if (frame.size() > std::min(page_octets, queue_.most())) break;
        append_item(frame, entry_json(channel, entry));
        cursor.seq = entry.seq;
    }
    frame += "]}";
}

void Follower::join(const Ahead& ahead, const Cursor& before, bool is_empty)
{
    auto& cursor = cursors_.at(ahead.channel);
    const auto first = queue_.drop_until(ahead.channel, cursor.seq);
    const bool is_next = !ahead.is_broken && (!first || *first == cursor.seq + 1);
    const auto last = first ? ahead.last : cursor.seq;
    // A page that isn't empty is the last one where it reaches a commit that we have heard of. If
    // memberships may have changed within, the next page tells whether this user may read on.
    const bool is_latest =
        is_empty || (cursor.noticed > before.seq && cursor.from_store <= before.seq);
    if (!is_next || !is_latest || last < cursor.noticed) {
        queue_.take_back(ahead.channel);
        return;
    }
    cursor.seq = last;
    cursor.live = true;
    std::erase(lagging_, ahead.channel);
}

void Follower::unfollow(const protocol::ChannelId& channel, const Error& error)
{
    // A passing trouble of ours isn't an answer about the channel: it is asked again.
    if (error.code == Code::unavailable || error.code == Code::internal) {
        drop_all();
        answer(R"({"resync":true})");
        return;
    }
    cursors_.erase(channel);
    std::erase(lagging_, channel);
    index_.unfollowed(*this, channel);
    std::string frame = R"({"unfollowed":{"channel":)" + protocol::json_string(channel.str());
    frame += R"(,"problem":)" + protocol::problem_json(error, 0) + "}}";
    answer(std::move(frame));
}

asio::awaitable<bool> Follower::write_mail(net::WebSocket& socket)
{
    auto frame = co_await mail_.next_frame(caller_);
    if (!frame) {
        drop_all();
        answer(R"({"resync":true})");
        co_return true;
    }
    if (!*frame) co_return mail_.is_due();
    queue_.writing((*frame)->size());
    co_await write(socket, std::move(**frame));
    co_return true;
}

asio::awaitable<void> Follower::write_signals(net::WebSocket& socket)
{
    std::string frame = R"({"signal":[)";
    for (const auto& signal : signals_.take(max_waiting_signals, max_signal_octets))
        append_item(frame, signal);
    frame += "]}";
    queue_.writing(frame.size());
    co_await write(socket, std::move(frame));
}

asio::awaitable<void> Follower::list_anew()
{
    list_ = false;
    const bool from_now = std::exchange(all_from_now_, false);
    auto listed = co_await channels_.list(caller_.user);
    if (!listed) {
        drop_all();
        answer(R"({"resync":true})");
        co_return;
    }
    // The cursors are told: after a reconnect the client goes on from there.
    std::string following = R"({"following":{)";
    for (const auto& channel : *listed) {
        if (follows(channel.channel)) continue;
        const auto seq = from_now ? channel.latest : channel.visible_after;
        if (!follow(channel.channel, seq)) break;
        // Who wants all from now on waits for nothing that was before.
        cursors_.at(channel.channel).is_acknowledged = true;
        if (from_now) acknowledge(channel.channel, seq);
        if (following.back() != '{') following += ',';
        following += protocol::json_string(channel.channel.str()) + ":" + std::to_string(seq);
        if (following.size() > max_list_octets) {
            answer(std::exchange(following, R"({"following":{)") + "}}");
        }
    }
    if (following.back() != '{' || from_now) answer(following + "}}");
    if (!from_now) co_return;
    auto told = co_await tell_overdue();
    if (told) co_return;
    drop_all();
    answer(R"({"resync":true})");
}

// [RETRY-1] What was told while this device wasn't there.
asio::awaitable<Result<void>> Follower::tell_overdue()
{
    moved_.emplace();
    auto overdue = co_await channels_.overdue(caller_.user);
    const auto moved = std::exchange(moved_, std::nullopt);
    if (!overdue) co_return fail(overdue);
    for (const auto& one : *overdue) {
        if (moved->contains(one.event_id)) continue;
        const federation::Posted posted{one.event_id, one.state, 0, {}, one.overdue};
        state(moved_json(one.channel, posted));
    }
    co_return Result<void>{};
}

}  // namespace entente::api
