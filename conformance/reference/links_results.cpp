// What an answer, a refusal, or silence makes of what was sent [INBOX-3, LOG-2, RETRY-1 to
// RETRY-6].
#include <algorithm>

#include "conformance/reference/json_rules.hpp"
#include "conformance/reference/links.hpp"
#include "conformance/wire/events.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

constexpr Millis first_wait{1'000};
constexpr Millis longest_wait{3'600'000};
constexpr Millis an_hour{3'600'000};
constexpr Millis a_day{86'400'000};
constexpr Millis unknown_key_wait{60'000};
constexpr std::size_t usual_items = 500;
// Of mutants that don't wait.
constexpr Millis hardly{50};

Millis seconds_of(std::int64_t seconds)
{
    return std::chrono::seconds(std::max<std::int64_t>(seconds, 0));
}

// ±20 %, so that many servers don't come back together.
Millis jittered(Millis wait)
{
    const auto octet = static_cast<unsigned char>(random_octets(1)[0]);
    return Millis(wait.count() * (80 + octet * 40 / 255) / 100);
}

bool is_final(const std::string& code)
{
    static const std::set<std::string> codes = {
        "malformed",         "digest-mismatch", "wrong-destination", "signature-incomplete",
        "signature-invalid", "key-revoked",     "key-conflict",      "forbidden",
        "not-member",        "not-home",        "not-found",         "equivocation",
        "superseded",        "channel-full",    "unsupported"};
    return codes.contains(code);
}

std::string status_in(const nlohmann::json& result)
{
    return result.is_object() ? result.value("status", std::string()) : std::string();
}

std::int64_t retry_after_in(const nlohmann::json& result)
{
    const auto found = result.find("retry_after");
    return found != result.end() && found->is_number_integer() ? found->get<std::int64_t>() : 1;
}

}  // namespace

void Links::fail(Lane& lane, const Batch& batch)
{
    if (flags_.has<"sends-once">()) return count_as_done(lane, batch);
    lane.is_unanswered = true;
    lane.wait.until = in(flags_.has<"retries-at-once">() ? hardly : jittered(lane.wait.next));
    lane.wait.next = std::min(lane.wait.next * 2, longest_wait);
}

// Of a mutant: what was sent is done with, whatever came of it.
void Links::count_as_done(Lane& lane, const Batch& batch)
{
    if (batch.body.contains("submissions"))
        for (const auto& submission : batch.body["submissions"])
            for (const auto& id : submission["seal"]["events"])
                outbox_.settle(submission["channel"], id, "accepted");
    if (batch.body.contains("logs"))
        for (const auto& slice : batch.body["logs"])
            channels_.note_held(slice["channel"], lane.server, slice["checkpoint"]["seq"]);
}

void Links::settle(Lane& lane, const Batch& batch, const Outcome& outcome)
{
    if (outcome.status == 0) return fail(lane, batch);
    if (outcome.status != 200) return settle_refusal(lane, batch, outcome);
    if (!fits(batch, outcome.body)) {
        if (flags_.has<"takes-answers-that-misfit">()) return count_as_done(lane, batch);
        return fail(lane, batch);
    }
    if (lane.is_unanswered) ask_about_all(lane);
    lane.is_unanswered = false;
    lane.was_replayed = false;
    lane.wait = {};
    lane.heard_gap = Millis(0);
    lane.most_items = std::min(lane.most_items * 2, usual_items);
    for (std::size_t place = 0; place < batch.submitted.size(); ++place)
        settle_submission(lane, batch.submitted[place], outcome.body["submissions"][place],
                          outcome.body);
    for (std::size_t place = 0; place < batch.sliced.size(); ++place)
        settle_slice(lane, batch.sliced[place], batch.body["logs"][place],
                     outcome.body["logs"][place]);
}

// [LOG-8] Who was away may hold less than it has said, of any channel.
void Links::ask_about_all(Lane& lane)
{
    if (flags_.has<"asks-nobody-who-was-away">()) return;
    for (const auto& channel : channels_.homed())
        if (channels_.followers_of(channel).contains(lane.server)) lane.heartbeats.insert(channel);
}

// The right column of the table of errors-and-retries.md.
void Links::settle_refusal(Lane& lane, const Batch& batch, const Outcome& outcome)
{
    const auto& code = outcome.code;
    const auto wait_for = [&](Millis time) {
        if (flags_.has<"retries-what-is-final">() && time >= unknown_key_wait) time = first_wait;
        lane.is_unanswered = false;
        lane.wait.until = in(time);
    };
    if (code == "replayed" && !flags_.has<"replayed-is-final">() && !lane.was_replayed) {
        lane.was_replayed = true;
        return wait_for(Millis(0));
    }
    if (code == "too-large" || (code.empty() && outcome.status == 413)) {
        if (flags_.has<"too-large-is-final">() || batch.items <= 1) return wait_for(an_hour);
        lane.most_items = std::max<std::size_t>(batch.items / 2, 1);
        return wait_for(Millis(0));
    }
    const bool names_time = outcome.status == 429 || outcome.status == 503;
    if (names_time && outcome.retry_after && !flags_.has<"retry-after-ignored">())
        return wait_for(seconds_of(*outcome.retry_after));
    if (code == "unknown-key") return wait_for(unknown_key_wait);
    if (code == "blocked") return wait_for(a_day);
    if (is_final(code) || code == "replayed") return wait_for(an_hour);
    fail(lane, batch);
}

// [RETRY-5] As many results as there were items, of the events that were sent.
bool Links::fits(const Batch& batch, const nlohmann::json& answer) const
{
    const auto size_of = [&](const char* part) {
        return answer.is_object() && answer.contains(part) && answer[part].is_array()
                   ? answer[part].size()
                   : 0;
    };
    if (size_of("submissions") != batch.submitted.size() || size_of("logs") != batch.sliced.size())
        return false;
    for (std::size_t place = 0; place < batch.submitted.size(); ++place) {
        const auto& result = answer["submissions"][place];
        const auto& sent = batch.body["submissions"][place]["seal"]["events"];
        if (!result.is_object() || !result.contains("events") || !result["events"].is_array() ||
            result["events"].size() != sent.size())
            return false;
        for (std::size_t n = 0; n < sent.size(); ++n) {
            const auto& event = result["events"][n];
            if (!event.is_object() || !event.contains("event") || event["event"] != sent[n])
                return false;
        }
    }
    for (std::size_t place = 0; place < batch.sliced.size(); ++place) {
        const auto& result = answer["logs"][place];
        if (!result.is_object() || status_in(result).empty() || !result.contains("channel") ||
            result["channel"] != batch.sliced[place])
            return false;
    }
    return true;
}

void Links::settle_submission(Lane& lane, const std::string& channel, const nlohmann::json& result,
                              const nlohmann::json& answer)
{
    for (const auto& one : result["events"]) settle_event(lane, channel, one, answer);
}

void Links::settle_event(Lane& lane, const std::string& channel, const nlohmann::json& result,
                         const nlohmann::json& answer)
{
    const auto id = result["event"].get<std::string>();
    const auto status = status_in(result);
    const auto& unsent = outbox_.of(channel);
    const auto found =
        std::find_if(unsent.begin(), unsent.end(), [&](const Unsent& one) { return one.id == id; });
    if (found == unsent.end()) return;
    const auto sent = *found;
    auto& wait = lane.submission_waits[channel];
    if (status == "accepted" || status == "duplicate") {
        if (sent.is_join) settle_join(channel, result, answer);
        outbox_.settle(channel, id, "accepted");
        wait = {};
    } else if (status == "rejected") {
        if (flags_.has<"rejected-blocks">()) {
            wait.until = in(an_hour);
            return;
        }
        outbox_.settle(channel, id, "rejected");
        if (sent.is_join) channels_.end_joining(channel);
        if (flags_.has<"rejected-again">()) {
            outbox_.add(channel, sent);
            wait.until = in(hardly);
        }
    } else if (flags_.has<"deferred-dropped">()) {
        outbox_.settle(channel, id, "accepted");
    } else if (flags_.has<"deferred-overtaken">()) {
        lane.event_waits[id] = in(seconds_of(retry_after_in(result)));
        wait.until = Clock::now() + hardly;
    } else {
        wait.until = std::max(wait.until, in(seconds_of(retry_after_in(result))));
    }
}

// [MEM-3] The state at the join, proven to be the home's, and where the log begins for this server.
void Links::settle_join(const std::string& channel, const nlohmann::json& result,
                        const nlohmann::json& answer)
{
    try {
        const auto seq = static_cast<std::uint64_t>(number_of(result, "seq"));
        const auto floor = result.contains("floor")
                               ? static_cast<std::uint64_t>(number_of(result, "floor"))
                               : std::uint64_t{0};
        auto snapshot = nlohmann::json::object();
        if (result.contains("snapshot")) {
            snapshot = result["snapshot"];
            const Roots roots(answer, true, {}, discovery_, identity_, flags_);
            const auto leaf = snapshot_leaf(
                channel, static_cast<std::uint64_t>(number_of(snapshot, "epoch")),
                static_cast<std::uint64_t>(number_of(snapshot, "seq")), text_of(snapshot, "hash"),
                number_of(snapshot, "at"), text_of(snapshot, "state"));
            static_cast<void>(roots.prove(leaf, member_of(snapshot, "proof"),
                                          channels_.find(channel) == nullptr
                                              ? channel.substr(channel.find('@') + 1)
                                              : channels_.find(channel)->home()));
        }
        channels_.follow(channel, seq, floor, snapshot);
    } catch (const Refused&) {
        // What isn't proven isn't followed; another join may be answered better.
    } catch (const nlohmann::json::exception&) {
    }
    channels_.end_joining(channel);
}

void Links::settle_slice(Lane& lane, const std::string& channel, const nlohmann::json& sent,
                         const nlohmann::json& result)
{
    auto& cursor = channels_.followers_of(channel)[lane.server];
    lane.heartbeats.erase(channel);
    const auto status = status_in(result);
    if (status == "ok" || status == "gap") return settle_held(lane, channel, sent, result);
    if (status == "need-keys") {
        const bool again = lane.lacked_keys.contains(channel);
        for (const auto& kid : array_if_any(result, "kids"))
            if (kid.is_string()) lane.lacked_keys[channel].insert(kid.get<std::string>());
        if (again || flags_.has<"shows-no-keys">()) wait_longer(lane, channel);
    } else if (status == "deferred") {
        lane.slice_waits[channel].until = in(
            flags_.has<"deferred-slice-at-once">() ? hardly : seconds_of(retry_after_in(result)));
    } else if (status == "not-following" || status == "fork" || status == "superseded" ||
               status == "ahead") {
        cursor.is_stopped = true;
        if (status == "ahead" && flags_.has<"believes-any-ahead">())
            channels_.find(channel)->is_frozen = true;
    } else {
        wait_longer(lane, channel);
    }
}

// What the follower says that it holds counts, also where that is less than before.
void Links::settle_held(Lane& lane, const std::string& channel, const nlohmann::json& sent,
                        const nlohmann::json& result)
{
    const auto& log = *channels_.find(channel);
    const bool is_gap = status_in(result) == "gap";
    const auto have = result.value("have", std::uint64_t{0});
    const auto after = sent["after"]["seq"].get<std::uint64_t>();
    if (is_gap && flags_.has<"sends-once">())
        return channels_.note_held(channel, lane.server, sent["checkpoint"]["seq"]);
    if (is_gap && flags_.has<"gap-ignored">())
        return channels_.note_held(channel, lane.server, after);
    if (have < log.floor() || have > log.latest() ||
        result.value("hash", std::string()) != log.hash_at(have)) {
        // Another log than this one: somebody has to look into it.
        channels_.followers_of(channel)[lane.server].is_stopped = true;
        return;
    }
    channels_.note_held(channel, lane.server, have);
    lane.lacked_keys.erase(channel);
    if (have != after || sent["entries"].empty()) {
        lane.slice_waits[channel] = {};
    } else {
        // No progress: at once again it would go round and round.
        wait_longer(lane, channel);
    }
}

void Links::wait_longer(Lane& lane, const std::string& channel)
{
    auto& wait = lane.slice_waits[channel];
    wait.until = in(wait.next);
    wait.next = std::min(wait.next * 2, longest_wait);
    if (flags_.has<"refused-slice-blocks">()) lane.wait.until = in(2 * wait.next);
}

}  // namespace entente::conformance::reference
