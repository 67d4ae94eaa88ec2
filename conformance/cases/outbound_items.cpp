// Results of single items, and what a follower's word does to what it is sent next [INBOX-3, LOG-2,
// LOG-6, MEM-3].
#include <algorithm>
#include <memory>
#include <mutex>

#include "conformance/cases/outbound_parts.hpp"
#include "conformance/judge/follower.hpp"

namespace entente::conformance {

namespace {

constexpr Millis in_time{10'000};

bool is_about(const nlohmann::json& item, const std::string& text)
{
    return item.is_object() && item.value("content", "").find(text) != std::string::npos;
}

nlohmann::json event_result_of(const nlohmann::json& item, const std::string& status)
{
    return {{"event", event_id(item.value("event", ""))}, {"status", status}};
}

// The first slice of `channel` that holds `text` has this result.
void answer_slice(Origin& origin, const std::string& channel, const std::string& text,
                  const std::function<nlohmann::json(const nlohmann::json& slice)>& result)
{
    Special special;
    special.slice = [=](const nlohmann::json& slice) -> std::optional<nlohmann::json> {
        if (slice.value("channel", "") != channel) return std::nullopt;
        return result(slice);
    };
    answer_so(origin, text, 1, results(origin, std::move(special)));
}

nlohmann::json slice_result(const nlohmann::json& slice, const std::string& status)
{
    return {{"channel", slice.value("channel", "")},
            {"status", status},
            {"epoch", 1},
            {"have", slice["after"].value("seq", 0)},
            {"hash", slice["after"].value("hash", "")}};
}

void goes_on_behind_a_rejection(Trial& trial)
{
    Follower follower(trial);
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    Special special;
    special.event = [=](const nlohmann::json& item) -> std::optional<nlohmann::json> {
        if (!is_about(item, text)) return std::nullopt;
        auto result = event_result_of(item, "rejected");
        result["problem"] = problem("forbidden", 403);
        return result;
    };
    answer_so(origin, text, 1'000, results(origin, std::move(special)));
    const Posted rejected{text, trial.accounts().post(Who::first, follower.id(), text)};
    const auto next = post(trial, follower.id());
    static_cast<void>(wait_for_arrival(origin, next.text, 1, in_time, "unharmed"));
    expect_standing(trial, rejected, "rejected", "told");
    expect_standing(trial, next, "accepted", "unharmed");
    const auto last = post(trial, follower.id());
    expect_standing(trial, last, "accepted", "unharmed");
    trial.expect(arrivals(origin, text).size() == 1, "final", "what was rejected came again");
}

// [INBOX-3] The first is put off for 1 s, and with it what was written behind it.
void keeps_order_behind_what_is_deferred(Trial& trial)
{
    Follower follower(trial);
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    Special special;
    special.event = [](const nlohmann::json& item) -> std::optional<nlohmann::json> {
        auto result = event_result_of(item, "deferred");
        result["retry_after"] = 1;
        return result;
    };
    answer_so(origin, text, 1, results(origin, std::move(special)));
    std::vector<Posted> posted = {{text, trial.accounts().post(Who::first, follower.id(), text)}};
    // What is written behind it mustn't be in the same transaction.
    const auto first = wait_for_arrival(origin, text, 1, in_time, "sent");
    for (int n = 0; n < 4; ++n) posted.push_back(post(trial, follower.id()));
    const auto second = wait_for_arrival(origin, text, 2, in_time, "sent-again");
    trial.expect(item_in(first.body, text) == item_in(second.body, text), "same-event",
                 "the second time it is another event");
    trial.expect(second.at - first.at >= 900, "waits",
                 "it came again after " + std::to_string(second.at - first.at) + " ms, not 1 s");
    for (const auto& one : posted) expect_standing(trial, one, "accepted", "settled");
    const auto seqs = origin.with([&] {
        std::vector<std::uint64_t> found;
        for (const auto& one : posted) found.push_back(follower.home().find(one.event));
        return found;
    });
    trial.expect(std::is_sorted(seqs.begin(), seqs.end()), "order",
                 "what was written later was handed in sooner");
}

void lets_one_channel_wait_alone(Trial& trial)
{
    const MachineWatch watch(trial.world().file().folder);
    const std::string channel = trial.channel();
    const auto other = trial.accounts().create_channel(Who::first, {});
    auto& origin = trial.origin();
    trial.join(origin, trial.user(), other);
    const auto text = trial.new_text();
    answer_slice(origin, channel, text, [](const nlohmann::json& slice) {
        auto result = slice_result(slice, "refused");
        result["problem"] = problem("signature-invalid", 401);
        return result;
    });
    trial.accounts().post(Who::first, channel, text);
    const auto first = wait_for_arrival(origin, text, 1, in_time, "sent");
    const auto unharmed = post(trial, other);
    expect_entry_within(origin, other, unharmed.event, Millis(1'000), watch, "unharmed",
                        "behind a slice that is refused another channel's comes late");
    const auto second = wait_for_arrival(origin, text, 2, in_time, "sent-again");
    trial.expect(
        second.at - first.at >= 750, "waits",
        "what was refused came again after " + std::to_string(second.at - first.at) + " ms");
}

void puts_a_slice_off(Trial& trial)
{
    const std::string channel = trial.channel();
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    answer_slice(origin, channel, text, [](const nlohmann::json& slice) {
        auto result = slice_result(slice, "deferred");
        result["retry_after"] = 2;
        return result;
    });
    trial.accounts().post(Who::first, channel, text);
    const auto first = wait_for_arrival(origin, text, 1, in_time, "sent");
    const auto last = post(trial, channel);
    const auto second = wait_for_arrival(origin, text, 2, in_time, "sent-again");
    trial.expect(second.at - first.at >= 1'900, "waits",
                 "it came again after " + std::to_string(second.at - first.at) + " ms, not 2 s");
    trial.expect(origin.wait_for_entry(channel, last.event, in(in_time)), "sent-again",
                 "what was posted meanwhile hasn't come");
}

// What the follower says that it holds counts, also where that is less than before.
void goes_back_to_what_is_held(Trial& trial)
{
    const std::string channel = trial.channel();
    auto& origin = trial.origin();
    const auto before = post(trial, channel);
    if (!origin.wait_for_entry(channel, before.event, in(in_time)))
        throw CouldNotRun("a message of the target's account hasn't come");
    const auto entries = origin.entries_of(channel);
    if (entries.size() < 2) throw CouldNotRun("the log has hardly any entries");
    const auto held = entries[entries.size() - 2];
    const auto text = trial.new_text();
    answer_slice(origin, channel, text, [held](const nlohmann::json& slice) {
        auto result = slice_result(slice, "gap");
        result["have"] = held.seq;
        result["hash"] = held.hash;
        return result;
    });
    trial.accounts().post(Who::first, channel, text);
    const auto second = wait_for_arrival(origin, text, 2, in_time, "sent-again");
    const auto slice = slice_in(second.body, channel);
    trial.expect(slice["after"] == nlohmann::json({{"seq", held.seq}, {"hash", held.hash}}),
                 "goes-back", "behind a gap the slice begins at " + slice["after"].dump());
}

// `count` messages, of which the first has this text: it is held back for a second, so that all
// others gather behind it.
std::vector<Posted> post_at_once(Trial& trial, Origin& origin, const std::string& channel,
                                 const std::string& text, int count)
{
    answer_slice(origin, channel, text, [](const nlohmann::json& slice) {
        auto result = slice_result(slice, "deferred");
        result["retry_after"] = 1;
        return result;
    });
    std::vector<Posted> posted = {{text, trial.accounts().post(Who::first, channel, text)}};
    static_cast<void>(wait_for_arrival(origin, text, 1, in_time, "sent"));
    for (int n = 1; n < count; ++n) posted.push_back(post(trial, channel));
    return posted;
}

// [INBOX-6] By the document that it was given at first contact.
void keeps_to_limits(Trial& trial)
{
    constexpr std::size_t items = 3;
    auto& origin = trial.origin();
    auto document = origin.document();
    document["limits"] = {{"transaction_bytes", 131'072}, {"transaction_items", items}};
    origin.publish(document);
    const std::string channel = trial.channel();
    const auto text = trial.new_text();
    const auto posted = post_at_once(trial, origin, channel, text, 11);
    trial.expect(origin.wait_for_entry(channel, posted.back().event, in(in_time)), "sent",
                 "what is posted doesn't come");
    expect_in_order(origin, channel, posted);
    for (const auto& one : arrivals(origin, "")) {
        const auto slice = slice_in(one.body, channel);
        const auto count = slice.is_object() ? slice["entries"].size() : std::size_t{0};
        trial.expect(count <= items, "within-limits",
                     "a transaction holds " + std::to_string(count) +
                         " entries, where its receiver takes 3 items");
    }
}

// [LOG-5] A follower that says it holds more, but not what the home has.
void believes_only_what_agrees(Trial& trial)
{
    const std::string channel = trial.channel();
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    answer_slice(origin, channel, text, [](const nlohmann::json& slice) {
        auto result = slice_result(slice, "ahead");
        const auto latest = slice.value("latest", std::uint64_t{1});
        result["have"] = latest + 100;
        result["hash"] = event_id("no entry");
        result["agrees"] = {{"seq", latest}, {"hash", event_id("another history")}};
        return result;
    });
    trial.accounts().post(Who::first, channel, text);
    static_cast<void>(wait_for_arrival(origin, text, 1, in_time, "sent"));
    // A channel that waits for what a follower holds takes nothing meanwhile; and to read an answer
    // takes a target a moment.
    std::this_thread::sleep_for(Millis(300));
    const auto event = trial.message();
    const auto response = trial.transact(origin, trial.submitting({event}));
    trial.expect_ok(response);
    const nlohmann::json::json_pointer place("/submissions/0/events/0/status");
    trial.expect(response.json.contains(place) && response.json[place] == "accepted", "not-held",
                 "a submission is answered " + response.json.dump());
    const auto own = post(trial, channel);
    const auto all = trial.accounts().messages(Who::first, channel);
    trial.expect(std::any_of(all.begin(), all.end(),
                             [&](const Message& one) { return one.event == own.event; }),
                 "not-held", "what the target's own account writes has no place in the log");
}

void shows_keys(Trial& trial)
{
    const std::string channel = trial.channel();
    auto& origin = trial.origin();
    auto& author = trial.another();
    trial.join(author, author.user(), channel);
    const auto text = trial.new_text();
    const auto kid = author.name() + "#" + author.key().id();
    const auto x = author.key().jwk()["x"];
    answer_slice(origin, channel, text, [kid](const nlohmann::json& slice) {
        auto result = slice_result(slice, "need-keys");
        result["kids"] = nlohmann::json::array({kid});
        return result;
    });
    const auto event = trial.message_of(author.user(), channel, text);
    trial.expect_ok(trial.transact(author, trial.submitting(author, channel, {event})));
    const auto second = wait_for_arrival(origin, text, 2, in_time, "sent-again");
    const auto shown = slice_in(second.body, channel).value("keys", nlohmann::json::array());
    const auto fits = std::any_of(shown.begin(), shown.end(), [&](const nlohmann::json& one) {
        return one.is_object() && one.value("server", "") == author.name() && one.contains("key") &&
               one["key"].is_object() && one["key"].value("x", nlohmann::json()) == x;
    });
    trial.expect(fits, "keys", "the slice shows " + shown.dump() + ", not the key " + kid);
}

// A channel that `origin` hears no more of, and one that it does.
void expect_silence(Trial& trial, const std::string& channel, const std::string& other)
{
    auto& origin = trial.origin();
    const auto unwanted = post(trial, channel);
    const auto barrier = post(trial, other);
    if (!origin.wait_for_entry(other, barrier.event, in(in_time)))
        throw Broken("unharmed", "another channel has come to a halt");
    // By itself, behind the barrier: what was owed before it would have come with it.
    const auto last = post(trial, other);
    static_cast<void>(origin.wait_for_entry(other, last.event, in(in_time)));
    trial.expect(arrivals(origin, unwanted.text).empty(), "stops",
                 "a channel that the server isn't in any more is sent to it");
}

void stops_when_nobody_follows(Trial& trial)
{
    const std::string channel = trial.channel();
    const auto other = trial.accounts().create_channel(Who::first, {});
    auto& origin = trial.origin();
    trial.join(origin, trial.user(), other);
    const auto text = trial.new_text();
    answer_slice(origin, channel, text,
                 [](const nlohmann::json& slice) { return slice_result(slice, "not-following"); });
    trial.accounts().post(Who::first, channel, text);
    static_cast<void>(wait_for_arrival(origin, text, 1, in_time, "sent"));
    const auto barrier = post(trial, other);
    static_cast<void>(origin.wait_for_entry(other, barrier.event, in(in_time)));
    expect_silence(trial, channel, other);
}

void stops_behind_a_ban(Trial& trial)
{
    const std::string channel = trial.channel();
    const auto other = trial.accounts().create_channel(Who::first, {});
    auto& origin = trial.origin();
    trial.join(origin, trial.user(), other);
    trial.accounts().ban(Who::first, channel, trial.user());
    const auto told = origin.wait_for(
        [&](const Received& one) {
            return is_inbox(one) && one.request.body.find("member.ban") != std::string::npos &&
                   one.request.body.find(channel) != std::string::npos;
        },
        in(in_time));
    trial.expect(told.has_value(), "told", "the entry that bans its last member isn't sent to it");
    expect_silence(trial, channel, other);
}

// A follower whose inbox takes no more than three entries, and doesn't say so in its document.
void halves_what_is_too_large(Trial& trial)
{
    constexpr std::size_t most = 3;
    const std::string channel = trial.channel();
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    const auto sizes = std::make_shared<std::vector<std::size_t>>();
    origin.on([&origin, channel, sizes](const Request& request) -> std::optional<Reply> {
        const auto body = nlohmann::json::parse(request.body, nullptr, false);
        const auto slice = body.is_object() ? slice_in(body, channel) : nlohmann::json();
        if (slice.is_null()) return std::nullopt;
        const auto count = slice["entries"].size();
        origin.with([&] { sizes->push_back(count); });
        if (count <= most) return std::nullopt;
        return origin.signed_json(request, 413, problem("too-large", 413));
    });
    const auto posted = post_at_once(trial, origin, channel, text, 17);
    trial.expect(origin.wait_for_entry(channel, posted.back().event, in(in_time)), "halved",
                 "what is too large for one transaction doesn't come in several");
    expect_in_order(origin, channel, posted);
    const auto seen = origin.with([&] { return *sizes; });
    std::string list;
    for (const auto size : seen) list += (list.empty() ? "" : ", ") + std::to_string(size);
    for (std::size_t n = 1; n < seen.size(); ++n)
        trial.expect(seen[n - 1] <= most || seen[n] < seen[n - 1], "halved",
                     "a transaction of " + std::to_string(seen[n - 1]) +
                         " entries that was too large came again with " + std::to_string(seen[n]) +
                         "; in all they had " + list);
}

}  // namespace

std::vector<Case> outbound_item_cases()
{
    return {
        {.id = "out-25",
         .clause = "INBOX-3",
         .proves = "An event that its home rejects isn't sent again, its author is told, and the "
                   "events behind it go on",
         .run = goes_on_behind_a_rejection,
         .mutants = {{"rejected-blocks", "unharmed"}, {"rejected-again", "final"}},
         .negative = false},
        {.id = "out-26",
         .clause = "INBOX-3",
         .proves = "An event that its home defers comes again when it was told to, and what was "
                   "written behind it comes later",
         .run = keeps_order_behind_what_is_deferred,
         .mutants = {{"deferred-overtaken", "order"}, {"deferred-dropped", "sent-again"}},
         .negative = false},
        {.id = "out-27",
         .clause = "LOG-2",
         .proves = "A slice that is refused comes again later, and holds up no other channel",
         .run = lets_one_channel_wait_alone,
         .mutants = {{"refused-slice-blocks", "unharmed"}},
         .negative = false},
        {.id = "out-28",
         .clause = "LOG-2",
         .proves = "A slice that is deferred comes again after as many seconds as were asked for",
         .run = puts_a_slice_off,
         .mutants = {{"deferred-slice-at-once", "waits"}},
         .negative = false},
        {.id = "out-29",
         .clause = "LOG-2",
         .proves = "Behind a gap the home goes on from what its follower holds",
         .run = goes_back_to_what_is_held,
         .mutants = {{"gap-ignored", "goes-back"}},
         .negative = false},
        {.id = "out-30",
         .clause = "LOG-6",
         .proves = "A slice that lacks keys comes again with them",
         .run = shows_keys,
         .mutants = {{"shows-no-keys", "keys"}},
         .negative = false},
        {.id = "out-31",
         .clause = "LOG-2",
         .proves = "Who answers not-following is sent no more of that channel",
         .run = stops_when_nobody_follows,
         .mutants = {{"never-stops", "stops"}}},
        {.id = "out-32",
         .clause = "MEM-3",
         .proves = "A server whose last member is banned is sent that entry, and nothing behind it",
         .run = stops_behind_a_ban,
         .mutants = {{"never-stops", "stops"}}},
        {.id = "out-33",
         .clause = "RETRY-4",
         .proves = "A transaction that is too large comes in smaller ones, in order",
         .run = halves_what_is_too_large,
         .mutants = {{"too-large-is-final", "halved"}},
         .negative = false},
        {.id = "out-34",
         .clause = "LOG-5",
         .proves = "A follower that claims more entries of another history holds up nobody",
         .run = believes_only_what_agrees,
         .mutants = {{"believes-any-ahead", "not-held"}}},
    };
}

std::vector<Case> outbound_limit_cases()
{
    return {
        {.id = "out-41",
         .clause = "INBOX-6",
         .proves = "A transaction holds no more items than its receiver's document says",
         .run = keeps_to_limits,
         .mutants = {{"sends-over-limits", "within-limits"}},
         .negative = false},
    };
}

}  // namespace entente::conformance
