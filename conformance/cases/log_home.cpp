// The target as a home: what it shows of a log to servers with a member, and of its state to those
// that join [QRY-1 … QRY-5, MEM-3, LOG-12].
#include <algorithm>

#include "conformance/cases/log_parts.hpp"
#include "conformance/judge/follower.hpp"
#include "conformance/judge/trial.hpp"
#include "conformance/judge/verify.hpp"

namespace entente::conformance {

namespace {

KeyOf keys_of(Trial& trial)
{
    return [&](const std::string& server, const std::string& kid) {
        return trial.key_of(server, kid);
    };
}

std::string path_of(const std::string& channel, const std::string& rest)
{
    return "/federation/v1/channels/" + channel + rest;
}

// The answer to a log query, all of it proven [LOG-1, QRY-5].
nlohmann::json log_of(Trial& trial, Origin& origin, const std::string& channel,
                      const std::string& query)
{
    const auto response = trial.query(origin, path_of(channel, "/log" + query));
    trial.expect_ok(response);
    trial.expect(response.json.is_object(), "proven", "the answer to a log query is no object");
    const auto roots = response.json.value("roots", nlohmann::json::array());
    const auto slice = response.json.value("slice", nlohmann::json::object());
    const auto flaw =
        flaw_of_transaction({{"roots", roots}, {"logs", {slice}}}, trial.target(), keys_of(trial));
    trial.expect(flaw.empty(), "proven", "the answer to a log query: " + flaw);
    trial.expect(roots.size() <= slice["entries"].size() + 1, "proven",
                 "the answer has more roots than entries and one [QRY-5]");
    trial.expect(slice.value("channel", "") == channel, "proven", "the slice is another channel's");
    return slice;
}

std::uint64_t seq_of(const nlohmann::json& position)
{
    return position.value("seq", std::uint64_t{0});
}

// What the join of `origin`'s user to a channel with this `history` was answered; a channel with a
// message from before.
struct Joined {
    std::string channel;
    std::string before;
    nlohmann::json result;
    nlohmann::json roots;
};

Joined join_one(Trial& trial, Origin& origin, const std::string& history)
{
    Joined joined;
    joined.channel =
        trial.accounts().create_channel(Who::first, {.is_public = true, .history = history});
    joined.before = trial.new_text();
    trial.accounts().post(Who::first, joined.channel, joined.before);
    const auto response = trial.join(origin, origin.user(), joined.channel);
    const nlohmann::json::json_pointer place("/submissions/0/events/0");
    joined.result = response.json[place];
    joined.roots = response.json.value("roots", nlohmann::json::array());
    return joined;
}

void shows_a_proven_log(Trial& trial)
{
    trial.control();
    const auto text = trial.new_text();
    const auto own = trial.accounts().post(Who::first, trial.channel(), text);
    const auto slice = log_of(trial, trial.origin(), trial.channel(), "?after=0&limit=100");
    const auto& entries = slice["entries"];
    trial.expect(slice["after"] == nlohmann::json({{"seq", 0}, {"hash", ""}}), "proven",
                 "the log doesn't begin at its beginning: " + slice["after"].dump());
    trial.expect(slice.value("latest", std::uint64_t{0}) == entries.size() &&
                     event_id(entries.back()["event"].get<std::string>()) == own,
                 "complete", "the slice doesn't end with the channel's last entry");
    // A query without `after` and `limit` says the same.
    trial.expect(log_of(trial, trial.origin(), trial.channel(), "")["checkpoint"]["hash"] ==
                     slice["checkpoint"]["hash"],
                 "complete", "a query without after and limit shows something else");
}

void keeps_to_the_limit(Trial& trial)
{
    trial.control();
    std::string hash;
    std::uint64_t after = 0;
    std::uint64_t latest = 1;
    for (int pages = 0; after < latest && pages < 10; ++pages) {
        const auto slice = log_of(trial, trial.origin(), trial.channel(),
                                  "?after=" + std::to_string(after) + "&limit=2");
        const auto count = slice["entries"].size();
        trial.expect(count >= 1 && count <= 2, "limit",
                     "a page of 2 holds " + std::to_string(count) + " entries");
        trial.expect(seq_of(slice["after"]) == after && slice["after"]["hash"] == hash, "limit",
                     "the page doesn't begin where the last one ended");
        hash = slice["checkpoint"]["hash"].get<std::string>();
        after += count;
        latest = slice.value("latest", std::uint64_t{0});
    }
    trial.expect(after == latest, "limit", "the pages don't lead to the end");
}

void refuses_bad_numbers(Trial& trial)
{
    trial.control();
    for (const auto* query : {"?limit=0", "?limit=1001", "?limit=-1", "?limit=2.0", "?limit=x",
                              "?after=-1", "?after=x", "?after=9007199254740992"})
        trial.expect_refused(
            trial.query(trial.origin(), path_of(trial.channel(), std::string("/log") + query), {},
                        "the defect"),
            {{400, "malformed"}});
    trial.expect_still_serves();
}

void shows_a_heartbeat_at_the_end(Trial& trial)
{
    trial.control();
    const auto all = log_of(trial, trial.origin(), trial.channel(), "");
    const auto latest = all.value("latest", std::uint64_t{0});
    const auto slice =
        log_of(trial, trial.origin(), trial.channel(), "?after=" + std::to_string(latest));
    trial.expect(slice["entries"].empty() && seq_of(slice["after"]) == latest &&
                     slice["checkpoint"]["hash"] == all["checkpoint"]["hash"],
                 "complete", "behind the last entry the slice is " + slice.dump());
}

void shows_the_end_beyond_it(Trial& trial)
{
    trial.control();
    const auto all = log_of(trial, trial.origin(), trial.channel(), "");
    const auto latest = all.value("latest", std::uint64_t{0});
    const auto slice = log_of(trial, trial.origin(), trial.channel(), "?after=1000000");
    trial.expect(slice["entries"].empty() && seq_of(slice["after"]) == latest &&
                     slice["checkpoint"]["hash"] == all["checkpoint"]["hash"],
                 "complete",
                 "behind the end, which is entry " + std::to_string(latest) + ", the slice is " +
                     slice.dump() + ", and should have no entries and the end's checkpoint");
    trial.expect_still_serves();
}

// --- joins

// The state that a join's snapshot shows, all of it proven and as of the join.
nlohmann::json state_at_join(Trial& trial, Origin& origin, const Joined& joined)
{
    const auto snapshot = joined.result.value("snapshot", nlohmann::json());
    trial.expect(snapshot.is_object(), "snapshot",
                 "the join's result has no snapshot: " + joined.result.dump());
    const auto flaw = flaw_of_snapshot(joined.roots, snapshot, trial.target(), keys_of(trial));
    trial.expect(flaw.empty(), "snapshot", flaw);
    trial.expect(seq_of(snapshot) == seq_of(joined.result), "snapshot",
                 "the snapshot isn't as of the join: " + snapshot.dump());
    const auto state = nlohmann::json::parse(snapshot.value("state", ""), nullptr, false);
    std::vector<nlohmann::json> members = {
        nlohmann::json::array({trial.accounts().user(Who::first), "owner"}),
        nlohmann::json::array({origin.user(), "member"})};
    std::sort(members.begin(), members.end());
    const nlohmann::json sorted = members;
    trial.expect(state.is_object() && state.value("members", nlohmann::json()) == sorted,
                 "snapshot", "the state's members aren't the two: " + state.dump());
    return state;
}

void gives_a_snapshot(Trial& trial)
{
    auto& origin = trial.origin();
    const auto joined = join_one(trial, origin, "all");
    const auto state = state_at_join(trial, origin, joined);
    trial.expect(state.value("history", "") == "all" && state.value("public", false) &&
                     state.value("home", "") == trial.target() && state.size() == 13,
                 "snapshot", "the state isn't the channel's: " + state.dump());
    trial.expect(joined.result.value("floor", std::uint64_t{7}) == 0, "floor",
                 "under the history all the floor isn't 0: " + joined.result.dump());
    const auto slice = log_of(trial, origin, joined.channel, "?after=0");
    trial.expect(slice["checkpoint"]["hash"] == joined.result["snapshot"]["hash"], "snapshot",
                 "the snapshot's hash isn't the log's");
    trial.expect(slice.dump().find(joined.before) != std::string::npos, "complete",
                 "under the history all the log lacks what was before the join");
}

void shows_nothing_below_the_floor(Trial& trial)
{
    auto& origin = trial.origin();
    const auto joined = join_one(trial, origin, "since-join");
    static_cast<void>(state_at_join(trial, origin, joined));
    const auto seq = seq_of(joined.result);
    trial.expect(joined.result.value("floor", std::uint64_t{0}) == seq, "floor",
                 "under the history since-join the floor isn't the join: " + joined.result.dump());
    const auto text = trial.new_text();
    const auto event = trial.accounts().post(Who::first, joined.channel, text);
    for (const auto* query : {"?after=0", "?after=1", ""}) {
        const auto slice = log_of(trial, origin, joined.channel, query);
        trial.expect(seq_of(slice["after"]) == seq, "floor",
                     "the log begins at " + slice["after"].dump() + ", not at the floor");
        trial.expect(slice.dump().find(joined.before) == std::string::npos, "floor",
                     "a newcomer is shown what was before it");
        trial.expect(slice.dump().find(text) != std::string::npos, "complete",
                     "a newcomer isn't shown what came behind it");
    }
    // What is sent by itself begins there as well.
    if (!origin.wait_for_entry(joined.channel, event, in(Millis(10'000))))
        throw Broken("complete", "a newcomer isn't sent what came behind it");
    for (const auto& one : origin.received())
        trial.expect(one.request.body.find(joined.before) == std::string::npos, "floor",
                     "a newcomer is sent what was before it");
}

// [QRY-13] In what is sent by itself and in what is asked for.
void says_the_floor(Trial& trial)
{
    auto& origin = trial.origin();
    const auto joined = join_one(trial, origin, "since-join");
    const auto seq = seq_of(joined.result);
    const auto event = trial.accounts().post(Who::first, joined.channel, trial.new_text());
    if (!origin.wait_for_entry(joined.channel, event, in(Millis(10'000))))
        throw Broken("complete", "a newcomer isn't sent what came behind its join");
    const auto expect_floor = [&](const nlohmann::json& slice, const std::string& where) {
        trial.expect(slice.value("floor", std::uint64_t{0}) == seq, "floor",
                     where + ": a slice for who joined at " + std::to_string(seq) + " has " +
                         (slice.contains("floor") ? "the floor " + slice["floor"].dump()
                                                  : std::string("no floor")));
    };
    for (const auto& one : origin.received()) {
        if (!is_inbox(one) || !one.body.is_object() || !one.body.contains("logs")) continue;
        for (const auto& slice : one.body["logs"]) expect_floor(slice, "sent");
    }
    expect_floor(log_of(trial, origin, joined.channel, "?after=0"), "asked for");
}

void answers_a_snapshot_query(Trial& trial)
{
    trial.control();
    const auto response = trial.query(trial.origin(), path_of(trial.channel(), ""));
    trial.expect_ok(response);
    trial.expect(response.json.is_object(), "snapshot", "the answer is no object");
    const auto snapshot = response.json.value("snapshot", nlohmann::json::object());
    const auto flaw = flaw_of_snapshot(response.json.value("roots", nlohmann::json()), snapshot,
                                       trial.target(), keys_of(trial));
    trial.expect(flaw.empty(), "snapshot", flaw);
    const auto slice = log_of(trial, trial.origin(), trial.channel(), "");
    trial.expect(slice["checkpoint"]["hash"] == snapshot.value("hash", "") &&
                     slice["checkpoint"]["seq"] == seq_of(snapshot),
                 "snapshot", "the snapshot isn't as of the log's end");
}

void shows_no_deleted_content(Trial& trial)
{
    trial.control();
    const auto text = trial.new_text();
    const auto event = trial.accounts().post(Who::first, trial.channel(), text);
    trial.accounts().remove(Who::first, trial.channel(), event);
    const auto slice = log_of(trial, trial.origin(), trial.channel(), "");
    const auto& entries = slice["entries"];
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& one) {
        return event_id(one["event"].template get<std::string>()) == event;
    });
    trial.expect(found != entries.end(), "complete", "the event is gone with its content");
    trial.expect(slice.dump().find(text) == std::string::npos && !found->contains("content"),
                 "erased", "the log shows a content that was deleted");
    trial.expect(found->value("deleted_by", std::uint64_t{0}) == entries.size(), "erased",
                 "the entry doesn't say which one deleted it: " + found->dump());
}

// [LOG-5] What a home lacks behind where both agree it asks the follower for.
void gives_back_what_its_home_has_lost(Trial& trial)
{
    Follower follower(trial);
    const auto agreed = follower.have();
    static_cast<void>(follower.say());
    static_cast<void>(follower.say());
    follower.catch_up();
    auto& home = follower.home();
    const auto response =
        trial.query(trial.origin(), path_of(home.id(), "/log?after=" + std::to_string(agreed)));
    trial.expect_ok(response);
    const auto slice = response.json.is_object()
                           ? response.json.value("slice", nlohmann::json::object())
                           : nlohmann::json::object();
    const auto flaw = flaw_of_slice(response.json.value("roots", nlohmann::json::array()), slice,
                                    trial.origin().name(), keys_of(trial));
    trial.expect(flaw.empty(), "given-back", "what a follower gives back isn't proven: " + flaw);
    trial.expect(slice["after"].value("seq", std::uint64_t{0}) == agreed &&
                     slice["checkpoint"].value("hash", "") == home.hash_at(home.latest()),
                 "given-back", "it doesn't give back all that its home had: " + slice.dump());
    follower.expect_goes_on();
}

}  // namespace

std::vector<Case> log_home_cases()
{
    return {
        {.id = "log-45",
         .clause = "LOG-1",
         .proves = "A log query is answered by a slice whose entries lead to the target's "
                   "checkpoint, each other server's under its seal",
         .run = shows_a_proven_log,
         .mutants = {{"shows-no-seals", "proven"}, {"shows-wrong-checkpoint", "proven"}},
         .negative = false},
        {.id = "log-46",
         .clause = "QRY-3",
         .proves = "Log queries with limit=2 are answered by at most two entries each, which "
                   "follow after, up to the end",
         .run = keeps_to_the_limit,
         .mutants = {{"limit-ignored", "limit"}},
         .negative = false},
        {.id = "log-47",
         .clause = "QRY-3",
         .proves = "A log query with limit=0, limit=1001, after=-1, or with what is no whole "
                   "number, is refused as malformed (400)",
         .run = refuses_bad_numbers,
         .mutants = {{"limit-unchecked", "refused"}}},
        {.id = "log-48",
         .clause = "LOG-2",
         .proves = "A log query with after at the last entry is answered by a slice without "
                   "entries, with that entry's proven checkpoint",
         .run = shows_a_heartbeat_at_the_end,
         .mutants = {{"end-not-found", "accepted"}},
         .negative = false},
        {.id = "log-49",
         .clause = "QRY-14",
         .proves = "A log query with after=1000000, far beyond the end, is answered as one with "
                   "after at the last entry",
         .run = shows_the_end_beyond_it,
         .mutants = {{"beyond-end-wraps", "complete"}},
         .negative = false},
        {.id = "log-50",
         .clause = "MEM-3",
         .proves = "The result of a server's first join carries the channel's state, proven and as "
                   "of the join, and the floor 0 under history all",
         .run = gives_a_snapshot,
         .mutants = {{"join-without-snapshot", "snapshot"}, {"snapshot-before-join", "snapshot"}},
         .negative = false},
        {.id = "log-51",
         .clause = "QRY-2",
         .proves = "Under history since-join neither a log query nor a slice shows a server what "
                   "lies before its join",
         .run = shows_nothing_below_the_floor,
         .mutants = {{"floor-ignored", "floor"}}},
        {.id = "log-52",
         .clause = "QRY-4",
         .proves = "A snapshot query is answered by the channel's state as of the last entry, "
                   "proven by the target's signature",
         .run = answers_a_snapshot_query,
         .mutants = {{"snapshot-not-canonical", "snapshot"}},
         .negative = false},
        {.id = "log-53",
         .clause = "MEM-4",
         .proves = "A log query shows a deleted message without its content, and with the number "
                   "of the entry that deleted it",
         .run = shows_no_deleted_content,
         .mutants = {{"deleted-shown", "erased"}}},
        {.id = "log-54",
         .clause = "QRY-13",
         .proves = "Slices that the target sends, or answers a log query with, name as floor the "
                   "number of the receiver's join",
         .run = says_the_floor,
         .mutants = {{"shows-no-floor", "floor"}},
         .negative = false},
        {.id = "log-55",
         .clause = "LOG-5",
         .proves = "A home that asks the target for entries of its own channel is given them, "
                   "under the checkpoint that it has signed",
         .run = gives_back_what_its_home_has_lost,
         .mutants = {{"gives-nothing-back", "accepted"}},
         .negative = false},
    };
}

}  // namespace entente::conformance
