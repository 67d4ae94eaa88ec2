// Transactions and their results (section 6): the body of POST /federation/v1/inbox,
// read and written. One pass of the JSON rules, then simdjson; an item that can't be
// read stands in its place with a problem, so that it never fails its neighbours
// [INBOX-1].
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/slice.hpp"

namespace entente::protocol {

struct EventAndContent {
    std::string event;
    std::string content;
};

struct Submission {
    ChannelId channel;
    std::vector<EventAndContent> events;
    Seal seal;
};

struct Signal {
    std::string type;
    std::string channel;
    std::string user;
    std::string json;  // the whole object's octets
};

// An item as it was read: the value, or why it can't be one.
template <class T>
struct Read {
    std::optional<T> value;
    Error problem;             // where there is no value
    std::string channel_text;  // what stood in `channel`, where anything did
    std::size_t items = 1;     // how many items it counts as [INBOX-6]
};

struct Transaction {
    std::vector<std::string> roots;  // JWS
    std::vector<Read<Submission>> submissions;
    std::vector<Read<Slice>> logs;
    std::vector<Read<EventAndContent>> direct;
    std::vector<Read<Signal>> signals;
    [[nodiscard]] std::size_t items() const;
};

struct TransactionLimits {
    std::size_t bytes = 4'194'304;
    std::size_t items = 1000;
    friend bool operator==(const TransactionLimits&, const TransactionLimits&) = default;
};

// `malformed` where the whole can't be read (not JSON, EVT-3 broken, a part that is no
// array, more roots than items + 1, an unused root, a proof's index beyond `roots`,
// a path over 32); `too_large` over the limits.
[[nodiscard]] Result<Transaction> parse_transaction(std::string_view body,
                                                    const TransactionLimits& limits,
                                                    NameRules rules);

enum class ItemStatus : std::uint8_t {
    accepted,
    duplicate,
    rejected,
    deferred,
    ignored,
    need_snapshot
};
[[nodiscard]] std::string_view to_text(ItemStatus status);
[[nodiscard]] std::optional<ItemStatus> item_status_from(std::string_view text);

// A snapshot (sections 5, 7 and 8); `state` is the JSON text in RFC 8785 form.
struct Snapshot {
    ChannelId channel;
    std::int64_t epoch = 1;
    std::int64_t seq = 0;
    std::string hash;
    Millis at = 0;
    std::string state;
    Proof proof;
};

struct EventResult {
    std::optional<Hash> event;  // nothing where it could not be parsed
    ItemStatus status = ItemStatus::rejected;
    std::int64_t seq = 0;          // accepted, duplicate of a submission
    std::int64_t retry_after = 0;  // deferred
    std::optional<Error> problem;
    std::optional<Snapshot> snapshot;  // [MEM-3]
    std::optional<std::int64_t> floor;
    std::string consent;  // [SUC-2] JWS, in the result of a move.ask
};

struct SubmissionResult {
    std::string channel;
    std::vector<EventResult> events;
};

struct SignalResult {
    ItemStatus status = ItemStatus::ignored;
    std::optional<Error> problem;
};

struct TransactionResult {
    std::vector<std::string> roots;
    std::vector<SubmissionResult> submissions;
    std::vector<SliceResult> logs;
    std::vector<EventResult> direct;
    std::vector<SignalResult> signals;
};

[[nodiscard]] std::string write_result(const TransactionResult& result, Millis now);
// A peer's answer; `malformed` where it can't be read.
[[nodiscard]] Result<TransactionResult> parse_result(std::string_view body, NameRules rules);

// What a sender fills; roots and proofs are already in place.
struct OutgoingTransaction {
    std::vector<std::string> roots;
    std::vector<Submission> submissions;
    std::vector<Slice> logs;
    std::vector<EventAndContent> direct;
    std::vector<std::string> signals;  // JSON objects
};
[[nodiscard]] std::string write_transaction(const OutgoingTransaction& transaction);

// Section 7: {"roots":[],"slice":{}} and {"roots":[],"snapshot":{}}.
struct LogAnswer {
    std::vector<std::string> roots;
    Slice slice;
};
struct SnapshotAnswer {
    std::vector<std::string> roots;
    Snapshot snapshot;
};
[[nodiscard]] std::string write_log_answer(const LogAnswer& answer);
[[nodiscard]] Result<LogAnswer> parse_log_answer(std::string_view body, NameRules rules);
[[nodiscard]] std::string write_snapshot_answer(const SnapshotAnswer& answer);
[[nodiscard]] Result<SnapshotAnswer> parse_snapshot_answer(std::string_view body, NameRules rules);

}  // namespace entente::protocol
