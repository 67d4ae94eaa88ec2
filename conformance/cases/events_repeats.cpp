// The same again, and what is not the same: txn, equivocation, duplicates [EVT-2, INBOX-3,
// INBOX-18].
#include "conformance/cases/events.hpp"

#include <array>
#include <thread>

#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr std::size_t copies_at_once = 8;

// A message with a `txn` of the case's choice.
Event message_with_txn(Trial& trial, const std::string& sender, const std::string& channel,
                       const std::string& text, const std::string& txn)
{
    return make_event(
        {{"type", "message.create"}, {"channel", channel}, {"sender", sender}, {"txn", txn}},
        salted({{"text", text}}), trial.now());
}

void event_equivocation(Trial& trial)
{
    trial.control();
    const auto txn = time_uuid(trial.now());
    const auto first = trial.new_text();
    const auto second = trial.new_text();
    const auto third = trial.new_text();
    auto& origin = trial.origin();
    const auto& channel = trial.channel();
    // Before: equivocation may count against its server.
    const auto other_user = origin.user("oscar");
    trial.join(origin, other_user, channel);
    const auto one = message_with_txn(trial, trial.user(), channel, first, txn);
    const auto two = message_with_txn(trial, trial.user(), channel, second, txn);
    expect_taken(trial, hand_in(trial, origin, channel, one, "the first event"), "the first event");
    expect_result(trial, hand_in(trial, origin, channel, two, "another event with its txn"),
                  "another event with its txn", "rejected", {"equivocation"});
    trial.expect_absent(second);

    // The pair is of the server, not of the user.
    const auto three = message_with_txn(trial, other_user, channel, third, txn);
    expect_result(trial, hand_in(trial, origin, channel, three, "another user's event with it"),
                  "another user's event with its txn", "rejected", {"equivocation"});
    trial.expect_absent(third);
    trial.expect_once(first);
    trial.expect_still_serves();
}

void equivocation_in_one_transaction(Trial& trial)
{
    trial.control();
    const auto txn = time_uuid(trial.now());
    const auto first = trial.new_text();
    const auto second = trial.new_text();
    const auto response = trial.transact(
        trial.origin(),
        trial.submitting({message_with_txn(trial, trial.user(), trial.channel(), first, txn),
                          message_with_txn(trial, trial.user(), trial.channel(), second, txn)}),
        {}, "two events with one txn");
    trial.expect_ok(response);
    expect_result(trial, result_of(response, 1), "the second", "rejected", {"equivocation"});
    expect_taken(trial, result_of(response, 0), "the first");
    trial.expect_absent(second);
    trial.expect_once(first);
}

// Neither another server nor another channel shares the pairs of this one.
void same_txn_elsewhere(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    auto& other = trial.another();
    trial.join(other, other.user(), trial.channel());
    const auto elsewhere = trial.accounts().create_channel(Who::first, {});
    trial.join(origin, trial.user(), elsewhere);
    const auto txn = time_uuid(trial.now());
    const auto send = [&](Origin& from, const std::string& channel, const std::string& what) {
        const auto text = trial.new_text();
        const auto event = message_with_txn(trial, from.user(), channel, text, txn);
        expect_taken(trial, hand_in(trial, from, channel, event, what), what);
        trial.expect(times_read(trial, channel, text) == 1, "once",
                     what + ": it can't be read once");
    };
    send(origin, trial.channel(), "an event");
    send(other, trial.channel(), "another server's event with its txn");
    send(origin, elsewhere, "an event with its txn in another channel");
}

void refused_leaves_txn_free(Trial& trial)
{
    trial.control();
    const auto txn = time_uuid(trial.now());
    const auto refused = trial.new_text();
    const auto taken = trial.new_text();
    auto& origin = trial.origin();
    const auto& channel = trial.channel();
    auto wrong = message_with_txn(trial, trial.user(), channel, refused, txn);
    wrong.content = salted({{"text", refused}});
    expect_result(trial, hand_in(trial, origin, channel, wrong, "a content of another hash"),
                  "a content of another hash", "rejected", {"malformed"});
    const auto right = message_with_txn(trial, trial.user(), channel, taken, txn);
    expect_taken(trial, hand_in(trial, origin, channel, right, "a right one with its txn"),
                 "a right event with the txn of a refused one");
    trial.expect_once(taken);
    trial.expect_absent(refused);
}

// In another transaction, under another seal, over another connection, and twice in one seal.
void event_duplicates(Trial& trial)
{
    trial.control();
    const auto text = trial.new_text();
    auto& origin = trial.origin();
    const auto event = trial.message_of(trial.user(), trial.channel(), text);
    const auto seq =
        expect_taken(trial, hand_in(trial, origin, trial.channel(), event, "an event"), "an event");
    const auto expect_duplicate = [&](const nlohmann::json& result, const std::string& what) {
        const auto again = expect_taken(trial, result, what, "duplicate");
        trial.expect(
            again == seq, "same-seq",
            what + ": its seq is " + std::to_string(again) + ", and was " + std::to_string(seq));
        trial.expect_once(text);
    };
    expect_duplicate(hand_in(trial, origin, trial.channel(), event, "the same again"),
                     "the same again");
    Connection fresh(trial.door());
    const auto response = trial.transact(origin, trial.submitting({event, event}), {},
                                         "twice, over another connection", &fresh);
    trial.expect_ok(response);
    expect_duplicate(result_of(response, 0), "the first of two");
    expect_duplicate(result_of(response, 1), "the second of two");
}

void twice_in_one_submission(Trial& trial)
{
    trial.control();
    const auto text = trial.new_text();
    const auto event = trial.message_of(trial.user(), trial.channel(), text);
    const auto response = trial.transact(trial.origin(), trial.submitting({event, event}), {},
                                         "a new event, twice in one submission");
    trial.expect_ok(response);
    const auto seq = expect_taken(trial, result_of(response, 0), "the first");
    const auto again = expect_taken(trial, result_of(response, 1), "the second", "duplicate");
    trial.expect(again == seq, "same-seq", "the second has another seq than the first");
    trial.expect_once(text);
}

// The same event in requests that are each of its own nonce, sent at the same instant.
void many_at_once(Trial& trial)
{
    trial.control();
    const auto text = trial.new_text();
    const auto event = trial.message_of(trial.user(), trial.channel(), text);
    std::array<std::string, copies_at_once> requests;
    for (auto& request : requests) {
        std::string base;
        std::string signature;
        request = trial.octets_of(trial.origin(), "POST", "/federation/v1/inbox",
                                  trial.submitting({event}), {}, base, signature);
    }
    std::array<AnswerResult, copies_at_once> answers;
    {
        std::vector<std::jthread> senders;
        for (std::size_t place = 0; place < copies_at_once; ++place)
            senders.emplace_back([&, place] {
                Connection own(trial.door());
                answers[place] = own.ask_octets(requests[place]);
            });
    }
    std::size_t accepted = 0;
    std::vector<nlohmann::json> results;
    for (std::size_t place = 0; place < copies_at_once; ++place) {
        Response response;
        response.answer = std::move(answers[place].answer);
        response.error = std::move(answers[place].error);
        response.json = json_body(response.answer);
        Exchange exchange;
        exchange.at = trial.elapsed();
        exchange.what = "one of many at once";
        exchange.sent = requests[place];
        exchange.received = with_remark(response.answer.raw, response.error);
        trial.note(std::move(exchange));
        trial.expect(response.status() == 200, "accepted", "one is answered " + response.text());
        results.push_back(result_of(response));
        accepted += text_in(results.back(), "status") == "accepted" ? 1U : 0U;
    }
    trial.expect(accepted == 1, "once",
                 std::to_string(accepted) + " of the answers call it accepted, not one");
    std::uint64_t seq = 0;
    for (const auto& result : results) {
        const auto its =
            expect_taken(trial, result, "one of many at once",
                         text_in(result, "status") == "accepted" ? "accepted" : "duplicate");
        trial.expect(seq == 0 || seq == its, "same-seq", "two answers name different seqs");
        seq = its;
    }
    trial.expect_once(text);
}

void duplicate_after_restart(Trial& trial)
{
    trial.control();
    const auto text = trial.new_text();
    auto& origin = trial.origin();
    const auto event = trial.message_of(trial.user(), trial.channel(), text);
    const auto seq =
        expect_taken(trial, hand_in(trial, origin, trial.channel(), event, "an event"), "an event");
    trial.hook("restart");
    trial.wait_until_served(Millis(60'000));
    const auto again = hand_in(trial, origin, trial.channel(), event, "the same after the restart");
    const auto same = expect_taken(trial, again, "the same after the restart", "duplicate");
    trial.expect(same == seq, "same-seq", "its seq is another one after the restart");
    trial.expect(times_read(trial, trial.channel(), text) == 1, "once",
                 "after the restart it isn't read exactly once");
}

// Its author was told that it was refused: what is taken later would be a surprise to him.
void rejected_stays_so(Trial& trial)
{
    trial.control();
    const auto text = trial.new_text();
    auto& origin = trial.origin();
    const auto eve = origin.user("eve");
    const auto event = trial.message_of(eve, trial.channel(), text);
    expect_result(trial, hand_in(trial, origin, trial.channel(), event, "no member's message"),
                  "no member's message", "rejected", {"not-member"});
    trial.join(origin, eve, trial.channel());
    expect_result(trial, hand_in(trial, origin, trial.channel(), event, "the same, once a member"),
                  "the same event, once its author is a member", "rejected", {"not-member"});
    trial.expect_absent(text);
    trial.expect_still_serves();
}

}  // namespace

std::vector<Case> event_repeat_cases()
{
    return {
        {.id = "evt-27",
         .clause = "EVT-2",
         .proves = "Another event with a txn that the log holds is equivocation; the first stands",
         .run = event_equivocation,
         .mutants = {{"equivocation-allowed", "refused"}}},
        {.id = "evt-28",
         .clause = "EVT-2",
         .proves = "Of two events with one txn in one transaction the first alone is taken",
         .run = equivocation_in_one_transaction,
         .mutants = {{"equivocation-allowed", "refused"}}},
        {.id = "evt-29",
         .clause = "EVT-2",
         .proves = "The txn of one server's event is free for another server, and another channel",
         .run = same_txn_elsewhere,
         .mutants = {{"txn-of-any-server", "accepted"}},
         .negative = false},
        {.id = "evt-30",
         .clause = "EVT-2",
         .proves = "A refused event leaves its txn free",
         .run = refused_leaves_txn_free,
         .mutants = {{"content-hash-ignored", "refused"}, {"refused-keeps-txn", "accepted"}}},
        {.id = "evt-31",
         .clause = "INBOX-3",
         .proves = "An event that comes again is a duplicate with its seq, and takes effect once",
         .run = event_duplicates,
         .mutants = {{"duplicates-appended", "accepted"}}},
        {.id = "evt-32",
         .clause = "INBOX-3",
         .proves = "An event that stands twice in one submission takes effect once",
         .run = twice_in_one_submission,
         .mutants = {{"duplicates-appended", "accepted"}}},
        {.id = "evt-33",
         .clause = "INBOX-3",
         .proves = "Of the same event in eight requests at once exactly one is accepted",
         .run = many_at_once,
         .mutants = {{"duplicates-appended", "once"}}},
        {.id = "evt-34",
         .clause = "INBOX-2",
         .profile = Profile::durable,
         .proves = "An event that comes again after a restart is a duplicate with its seq",
         .run = duplicate_after_restart,
         .mutants = {{"log-forgotten-at-restart", "accepted"}},
         .hooks = {"restart"},
         .alone = true},
        {.id = "evt-35",
         .clause = "INBOX-18",
         .proves = "What was rejected stays so, though it would be taken by now",
         .run = rejected_stays_so,
         .mutants = {{"rejections-forgotten", "refused"}}},
    };
}

}  // namespace entente::conformance
