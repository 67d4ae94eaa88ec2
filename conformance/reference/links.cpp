#include "conformance/reference/links.hpp"

#include <algorithm>
#include <utility>

#include "conformance/reference/names.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

// After which a thread without anything to do ends.
constexpr Millis lane_idle{2'000};
constexpr Millis longest_heard_gap{3'600'000};
// Octets of one transaction's items.
constexpr std::size_t max_octets = 1'500'000;

}  // namespace

Links::Links(Channels& channels, Outbox& outbox, Discovery& discovery, Sender& sender,
             const Identity& identity, const Flags& flags, std::mutex& mutex,
             std::condition_variable& changed)
    : channels_(channels),
      outbox_(outbox),
      discovery_(discovery),
      sender_(sender),
      identity_(identity),
      flags_(flags),
      mutex_(mutex),
      changed_(changed)
{
}

Links::Lane& Links::lane_of(const std::string& server, const std::string& channel)
{
    const bool is_alone = flags_.has<"sends-unbounded">();
    auto& lane = lanes_[is_alone ? server + " " + channel : server];
    if (!lane) {
        lane = std::make_unique<Lane>();
        lane->server = server;
        if (is_alone) lane->only_channel = channel;
    }
    return *lane;
}

void Links::start(Lane& lane)
{
    lane.changed.notify_all();
    if (lane.is_running) return;
    // It has said that it runs no more, and ends without the lock.
    if (lane.thread.joinable()) lane.thread.join();
    lane.is_running = true;
    lane.thread = std::thread([this, &lane] { run(lane); });
}

void Links::wake(const std::string& channel)
{
    if (!outbox_.of(channel).empty()) start(lane_of(server_of(channel), channel));
    const auto* log = channels_.find(channel);
    if (log == nullptr || log->home() != identity_.name()) return;
    for (const auto& [server, cursor] : channels_.followers_of(channel)) {
        auto& lane = lane_of(server, channel);
        if (owes_slice(lane, channel)) start(lane);
    }
}

void Links::wake_all()
{
    for (const auto& channel : channels_.homed()) wake(channel);
    for (const auto& channel : outbox_.channels()) wake(channel);
}

void Links::heard_from(const std::string& server)
{
    if (flags_.has<"deaf-while-waiting">()) return;
    const std::lock_guard lock(mutex_);
    const auto found = lanes_.find(server);
    if (found == lanes_.end() || !found->second->is_unanswered) return;
    auto& lane = *found->second;
    // Ever fewer waits, until it answers: its address may be a third party's.
    if (Clock::now() < lane.heard_at + lane.heard_gap || Clock::now() >= lane.wait.until) return;
    lane.heard_at = Clock::now();
    lane.heard_gap = std::clamp(lane.heard_gap * 2, Millis(1'000), longest_heard_gap);
    lane.wait.until = Clock::now();
    lane.changed.notify_all();
}

void Links::run(Lane& lane)
{
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto due = next_due(lane);
        if (!due) {
            const auto woken = lane.changed.wait_for(lock, lane_idle);
            if (woken == std::cv_status::no_timeout || next_due(lane)) continue;
            lane.kept = {};
            lane.is_running = false;
            return;
        }
        if (*due > Clock::now()) {
            lane.changed.wait_until(lock, *due);
            continue;
        }
        auto batch = build(lane);
        if (batch.items == 0) continue;
        lock.unlock();
        Outcome outcome;
        auto taken_items = lane.taken_items;
        {
            std::unique_lock alone(one_at_a_time_, std::defer_lock);
            if (flags_.has<"one-peer-at-a-time">()) alone.lock();
            try {
                const auto document = discovery_.document_of(lane.server);
                taken_items = static_cast<std::size_t>(document.transaction_items);
                outcome = sender_.send(lane.server, document, batch.body.dump(), lane.kept);
            } catch (const Refused&) {
                // Nobody there, or nobody who is that server.
            }
        }
        lock.lock();
        lane.taken_items = taken_items;
        try {
            settle(lane, batch, outcome);
        } catch (const nlohmann::json::exception&) {
            // Results that can't be read are no answer [RETRY-5].
            fail(lane, batch);
        } catch (const Refused&) {
            fail(lane, batch);
        }
        changed_.notify_all();
    }
}

bool Links::owes_slice(const Lane& lane, const std::string& channel)
{
    const auto* log = channels_.find(channel);
    auto& followers = channels_.followers_of(channel);
    const auto found = followers.find(lane.server);
    if (log == nullptr || found == followers.end()) return false;
    const auto& cursor = found->second;
    if (cursor.have >= log->latest() && !lane.heartbeats.contains(channel)) return false;
    if (flags_.has<"never-stops">()) return true;
    return !cursor.is_stopped && (cursor.ends_at == 0 || cursor.have < cursor.ends_at);
}

std::vector<std::string> Links::sliced_channels(const Lane& lane)
{
    std::vector<std::string> owed;
    for (const auto& channel : channels_.homed())
        if ((lane.only_channel.empty() || lane.only_channel == channel) &&
            owes_slice(lane, channel))
            owed.push_back(channel);
    return owed;
}

std::vector<std::string> Links::submitted_channels(const Lane& lane)
{
    std::vector<std::string> owed;
    for (const auto& channel : outbox_.channels())
        if (server_of(channel) == lane.server &&
            (lane.only_channel.empty() || lane.only_channel == channel))
            owed.push_back(channel);
    return owed;
}

std::optional<Deadline> Links::next_due(Lane& lane)
{
    std::optional<Deadline> due;
    const auto consider = [&](Deadline time) {
        time = std::max(time, lane.wait.until);
        if (!due || time < *due) due = time;
    };
    for (const auto& channel : sliced_channels(lane)) consider(lane.slice_waits[channel].until);
    for (const auto& channel : submitted_channels(lane))
        consider(lane.submission_waits[channel].until);
    return due;
}

Links::Batch Links::build(Lane& lane)
{
    Batch batch;
    batch.body = nlohmann::json::object();
    ProvenBody proven(identity_, flags_);
    // To one that hasn't answered goes one item [RETRY-6].
    auto room =
        lane.is_unanswered && !flags_.has<"probes-with-all">() ? std::size_t{1} : lane.most_items;
    // [INBOX-6]
    if (!flags_.has<"sends-over-limits">()) room = std::min(room, lane.taken_items);
    for (const auto& channel : submitted_channels(lane))
        if (room > 0 && lane.submission_waits[channel].until <= Clock::now())
            add_submission(lane, channel, room, batch, proven);
    for (const auto& channel : sliced_channels(lane))
        if (room > 0 && lane.slice_waits[channel].until <= Clock::now())
            add_slice(lane, channel, room, batch, proven);
    proven.finish(batch.body);
    return batch;
}

void Links::add_submission(const Lane& lane, const std::string& channel, std::size_t& room,
                           Batch& batch, ProvenBody& proven)
{
    auto events = nlohmann::json::array();
    std::vector<std::string> ids;
    std::size_t octets = 0;
    bool has_join = false;
    for (const auto& unsent : outbox_.of(channel)) {
        has_join = has_join || unsent.is_join;
        if (room == 0 || octets > max_octets) break;
        const auto waits = lane.event_waits.find(unsent.id);
        if (waits != lane.event_waits.end() && waits->second > Clock::now()) continue;
        events.push_back({{"event", unsent.octets}, {"content", unsent.content}});
        ids.push_back(unsent.id);
        octets += unsent.octets.size() + unsent.content.size();
        --room;
    }
    if (ids.empty()) return;
    batch.items += ids.size();
    batch.submitted.push_back(channel);
    auto seal = proven.seal(channel, ids);
    if (flags_.has<"sends-wrong-seal">() && !has_join) seal = proven.seal(channel + "x", ids);
    batch.body["submissions"].push_back(
        {{"channel", channel}, {"events", std::move(events)}, {"seal", std::move(seal)}});
}

void Links::add_slice(Lane& lane, const std::string& channel, std::size_t& room, Batch& batch,
                      ProvenBody& proven)
{
    const auto& log = *channels_.find(channel);
    const auto& cursor = channels_.followers_of(channel)[lane.server];
    auto limit = static_cast<std::uint64_t>(room);
    if (cursor.ends_at > cursor.have) limit = std::min(limit, cursor.ends_at - cursor.have);
    auto slice = proven.slice(log, cursor.have, limit, cursor.floor);
    if (const auto lacked = lane.lacked_keys.find(channel);
        lacked != lane.lacked_keys.end() && !flags_.has<"shows-no-keys">())
        slice["keys"] = shown_keys(lacked->second);
    const auto count = std::max<std::size_t>(slice["entries"].size(), 1);
    room -= std::min(room, count);
    batch.items += count;
    batch.sliced.push_back(channel);
    batch.body["logs"].push_back(std::move(slice));
}

nlohmann::json Links::shown_keys(const std::set<std::string>& lacked)
{
    auto keys = nlohmann::json::array();
    for (const auto& reference : lacked) {
        const auto hash = reference.find('#');
        const auto server = reference.substr(0, hash);
        const auto shown = discovery_.shown_key(server, reference.substr(hash + 1));
        if (!shown.is_null()) keys.push_back(shown);
    }
    return keys;
}

}  // namespace entente::conformance::reference
