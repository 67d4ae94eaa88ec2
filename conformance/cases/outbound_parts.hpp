#pragma once

// What the group outbound is made of: an inbox that says what a case wants it to say, and a look
// at what has arrived in it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/judge/case.hpp"
#include "conformance/judge/machine_watch.hpp"
#include "conformance/judge/trial.hpp"

namespace entente::conformance {

// Requests as they ought to be, and orderly answers.
[[nodiscard]] std::vector<Case> outbound_request_cases();
// Refusals, and answers that are none.
[[nodiscard]] std::vector<Case> outbound_retry_cases();
// Items that are put off or refused, and slices that a follower can't take.
[[nodiscard]] std::vector<Case> outbound_item_cases();
// Peers that are down, dead, slow or changed.
[[nodiscard]] std::vector<Case> outbound_peer_cases();
// How much goes into one transaction.
[[nodiscard]] std::vector<Case> outbound_limit_cases();
// What a peer is asked that was away.
[[nodiscard]] std::vector<Case> outbound_absence_cases();

// Of outbound_answers.cpp: cases in which several peers answer the same slice, each otherwise.
void tries_again_after_what_passes(Trial& trial);
void leaves_alone_what_is_final(Trial& trial);
void follows_no_redirect(Trial& trial);
void takes_no_answer_that_does_not_fit(Trial& trial);

// A message of the target's first account.
struct Posted {
    std::string text;
    std::string event;
};
Posted post(Trial& trial, const std::string& channel);
// The trial's channel, all of which the origin has been sent: what is posted next goes alone.
// Throws CouldNotRun.
[[nodiscard]] std::string settled_channel(Trial& trial);

// How a transaction is answered in place of the default, which follows where it is nothing. It is
// called from other threads, and may outlive its case: it holds nothing of it but the origin.
using Way = std::function<std::optional<Reply>(const Request& request)>;
// The first `times` transactions that carry `text` are answered so.
void answer_so(Origin& origin, const std::string& text, int times, Way way);

// A problem of that code, with `retry_after` s where it isn't 0, signed.
[[nodiscard]] Way refusal(Origin& origin, int status, const std::string& code, int retry_after = 0);
// Closed once the transaction was read.
[[nodiscard]] Way no_answer();

// The results of a transaction's items: those that `special` gives, all others as the inbox's.
struct Special {
    std::function<std::optional<nlohmann::json>(const nlohmann::json& item)> event{};
    std::function<std::optional<nlohmann::json>(const nlohmann::json& slice)> slice{};
};
[[nodiscard]] nlohmann::json results_with(Origin& origin, const nlohmann::json& body,
                                          const Special& special);
// Those as a way to answer.
[[nodiscard]] Way results(Origin& origin, Special special);

// Says that every event is accepted and every slice taken, and does nothing of the kind.
[[nodiscard]] nlohmann::json false_results(const nlohmann::json& body);

// Transactions that carry `text`, in the order in which they came.
[[nodiscard]] std::vector<Received> arrivals(const Origin& origin, const std::string& text);
// The `number`th of them, from 1; throws Broken(`assertion`) where it doesn't come in time.
Received wait_for_arrival(Origin& origin, const std::string& text, std::size_t number, Millis time,
                          const std::string& assertion);
// `event` arrives in `origin`'s copy of `channel` within `limit`, as far as this machine doesn't
// explain it; throws Broken(`assertion`), TooNoisy.
void expect_entry_within(Origin& origin, const std::string& channel, const std::string& event,
                         Millis limit, const MachineWatch& watch, const std::string& assertion,
                         const std::string& detail);
// A slice of `channel` in a transaction; null where it has none.
[[nodiscard]] nlohmann::json slice_in(const nlohmann::json& body, const std::string& channel);
// The {"event","content"} with `text` in a submission or a slice.
[[nodiscard]] nlohmann::json item_in(const nlohmann::json& body, const std::string& text);

// Waits until the target's account is told that its message stands so; throws
// Broken(`assertion`).
void expect_standing(Trial& trial, const Posted& posted, const std::string& standing,
                     const std::string& assertion);
// Each of `posted` has arrived in `origin`'s copy of the channel, once and in this order.
void expect_in_order(const Origin& origin, const std::string& channel,
                     const std::vector<Posted>& posted);

}  // namespace entente::conformance
