// What is written is read again, for everything that crosses the wire in bulk.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "protocol/json_rules.hpp"
#include "protocol/transaction.hpp"
#include "tests/protocol/log_support.hpp"
#include "tests/protocol/strict.hpp"

namespace entente::protocol {
namespace {

// Text with everything that JSON escapes, and characters of every length.
rc::Gen<std::string> any_text()
{
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
                            "a", "\"", "\\", "/", "\n", "\x01", "\x7f", "é", "€", "😀", "{}", " ")),
                        [](const std::vector<std::string>& parts) {
                            std::string text;
                            for (const auto& part : parts) text += part;
                            return text;
                        });
}

std::int64_t count(std::int64_t from = 0)
{
    return *rc::gen::inRange<std::int64_t>(from, max_json_integer);
}

std::size_t size_up_to(int most)
{
    return static_cast<std::size_t>(*rc::gen::inRange(0, most + 1));
}

Hash any_hash()
{
    return sha256(*any_text());
}

std::string any_server()
{
    return *rc::gen::element<std::string>("a.example", "b.example", "x-y.c.example");
}

ChannelId any_channel()
{
    Uuid uuid{*rc::gen::arbitrary<std::array<std::uint8_t, 16>>()};
    uuid.octets[6] = static_cast<std::uint8_t>(0x70 | (uuid.octets[6] & 0x0f));
    uuid.octets[8] = static_cast<std::uint8_t>(0x80 | (uuid.octets[8] & 0x3f));
    return ChannelId::trusted(uuid.str() + "@" + any_server());
}

Position any_position()
{
    if (*rc::gen::arbitrary<bool>()) return {};
    return {count(1), to_base64url(any_hash())};
}

Proof any_proof(std::size_t root)
{
    Proof proof{root, static_cast<std::uint64_t>(count()), {}};
    for (auto left = size_up_to(3); left > 0; --left) proof.path.push_back(any_hash());
    return proof;
}

Seal any_seal(std::size_t root)
{
    Seal seal{{}, any_proof(root)};
    for (auto left = size_up_to(3); left > 0; --left) seal.events.push_back(any_hash());
    return seal;
}

Entry any_entry()
{
    Entry entry;
    entry.at = count();
    entry.event = *any_text();
    switch (*rc::gen::inRange(0, 4)) {
        case 0: entry.content = *any_text(); break;
        case 1: entry.deleted_by = count(1); break;
        case 2: entry.expired = true; break;
        default: break;
    }
    return entry;
}

Slice any_slice(std::size_t root)
{
    Slice slice;
    slice.channel = any_channel();
    slice.epoch = count(1);
    slice.after = any_position();
    for (auto left = size_up_to(4); left > 0; --left) slice.entries.push_back(any_entry());
    for (auto left = size_up_to(2); left > 0; --left) slice.seals.push_back(any_seal(root));
    const auto at = any_position();
    slice.checkpoint = {count(1), at.seq, at.hash, any_proof(root)};
    slice.latest = count();
    if (*rc::gen::arbitrary<bool>()) slice.acks[any_server()] = count();
    if (*rc::gen::arbitrary<bool>()) {
        ShownKey shown{ServerName::trusted(any_server()), std::nullopt, {*any_text()}};
        if (*rc::gen::arbitrary<bool>()) shown.key_x = to_base64url(any_hash());
        slice.keys.push_back(shown);
    }
    return slice;
}

Snapshot any_snapshot(std::size_t root)
{
    const auto at = any_position();
    return {any_channel(), count(1), at.seq, at.hash, count(), *any_text(), any_proof(root)};
}

bool same(const Slice& left, const Slice& right)
{
    if (left.keys.size() != right.keys.size()) return false;
    for (std::size_t i = 0; i < left.keys.size(); ++i) {
        const auto& a = left.keys[i];
        const auto& b = right.keys[i];
        if (a.server != b.server || a.key_x != b.key_x || a.statements != b.statements)
            return false;
    }
    return left.channel == right.channel && left.epoch == right.epoch &&
           left.after == right.after && left.entries == right.entries &&
           left.seals == right.seals && left.checkpoint == right.checkpoint &&
           left.latest == right.latest && left.acks == right.acks;
}

bool same(const Snapshot& left, const Snapshot& right)
{
    return left.channel == right.channel && left.epoch == right.epoch && left.seq == right.seq &&
           left.hash == right.hash && left.at == right.at && left.state == right.state &&
           left.proof == right.proof;
}

bool same(const EventAndContent& left, const EventAndContent& right)
{
    return left.event == right.event && left.content == right.content;
}

// [EVT-4]
RC_GTEST_PROP(Transaction, WhatIsWrittenIsReadAgain, ())
{
    OutgoingTransaction out;
    out.roots = {*any_text()};
    Submission submission{any_channel(), {}, any_seal(0)};
    for (auto left = size_up_to(3); left > 0; --left) {
        submission.events.push_back({*any_text(), *any_text()});
    }
    out.submissions.push_back(submission);
    for (auto left = size_up_to(3); left > 0; --left) out.logs.push_back(any_slice(0));
    for (auto left = size_up_to(3); left > 0; --left)
        out.direct.push_back({*any_text(), *any_text()});
    const auto user = *any_text();
    out.signals.push_back(R"({"type":"read","channel":"c","user":)" + json_string(user) + "}");

    const auto text = write_transaction(out);
    const auto in = parse_transaction(text, {}, strict);
    RC_ASSERT(in.has_value());
    RC_ASSERT(in->roots == out.roots);
    RC_ASSERT(in->submissions.size() == 1U);
    const auto& read = in->submissions[0].value;
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->channel == submission.channel);
    RC_ASSERT(read->seal == submission.seal);
    RC_ASSERT(read->events.size() == submission.events.size());
    for (std::size_t i = 0; i < read->events.size(); ++i) {
        RC_ASSERT(same(read->events[i], submission.events[i]));
    }
    RC_ASSERT(in->logs.size() == out.logs.size());
    for (std::size_t i = 0; i < out.logs.size(); ++i)
        RC_ASSERT(same(*in->logs[i].value, out.logs[i]));
    RC_ASSERT(in->direct.size() == out.direct.size());
    for (std::size_t i = 0; i < out.direct.size(); ++i) {
        RC_ASSERT(same(*in->direct[i].value, out.direct[i]));
    }
    RC_ASSERT(in->signals[0].value->user == user);
    RC_ASSERT(in->signals[0].value->json == out.signals[0]);
}

EventResult any_event_result()
{
    EventResult result;
    if (*rc::gen::arbitrary<bool>()) result.event = any_hash();
    result.status = static_cast<ItemStatus>(*rc::gen::inRange(0, 6));
    result.seq = count();
    result.retry_after = count();
    if (*rc::gen::arbitrary<bool>()) result.problem = Error{Code::forbidden, "", "why", 0};
    if (*rc::gen::arbitrary<bool>()) result.snapshot = any_snapshot(0);
    if (*rc::gen::arbitrary<bool>()) result.floor = count();
    if (*rc::gen::arbitrary<bool>()) result.consent = *any_text();
    return result;
}

bool same(const std::optional<Error>& left, const std::optional<Error>& right)
{
    return left.has_value() == right.has_value() && (!left || left->code == right->code);
}

bool same(const EventResult& left, const EventResult& right)
{
    return left.event == right.event && left.status == right.status && left.seq == right.seq &&
           left.retry_after == right.retry_after && same(left.problem, right.problem) &&
           left.snapshot.has_value() == right.snapshot.has_value() &&
           (!left.snapshot || same(*left.snapshot, *right.snapshot)) && left.floor == right.floor &&
           left.consent == right.consent;
}

SliceResult any_slice_result()
{
    SliceResult result;
    result.channel = *any_text();
    result.status = static_cast<SliceStatus>(*rc::gen::inRange(0, 10));
    result.epoch = count(1);
    result.have = any_position();
    if (*rc::gen::arbitrary<bool>()) result.kids = {*any_text()};
    if (*rc::gen::arbitrary<bool>()) result.agrees = any_position();
    result.retry_after = count();
    if (*rc::gen::arbitrary<bool>()) result.problem = Error{Code::not_home, "", "", 0};
    return result;
}

RC_GTEST_PROP(Result, WhatIsWrittenIsReadAgain, ())
{
    TransactionResult out;
    EventResult joined = any_event_result();
    joined.snapshot = any_snapshot(0);
    out.roots = {*any_text()};
    out.submissions.push_back({*any_text(), {joined, any_event_result()}});
    out.logs.push_back(any_slice_result());
    EventResult direct = any_event_result();
    direct.snapshot.reset();
    out.direct.push_back(direct);
    out.signals.push_back({ItemStatus::accepted, Error{Code::malformed, "", "", 0}});

    const auto in = parse_result(write_result(out, 1763683200456), strict);
    RC_ASSERT(in.has_value());
    RC_ASSERT(in->roots == out.roots);
    RC_ASSERT(in->submissions.at(0).channel == out.submissions[0].channel);
    RC_ASSERT(in->submissions[0].events.size() == 2U);
    RC_ASSERT(same(in->submissions[0].events[0], out.submissions[0].events[0]));
    RC_ASSERT(same(in->submissions[0].events[1], out.submissions[0].events[1]));
    RC_ASSERT(same(in->direct.at(0), direct));
    const auto& left = in->logs.at(0);
    const auto& right = out.logs[0];
    RC_ASSERT(left.channel == right.channel);
    RC_ASSERT(left.status == right.status);
    RC_ASSERT(left.epoch == right.epoch);
    RC_ASSERT(left.have == right.have);
    RC_ASSERT(left.kids == right.kids);
    RC_ASSERT(left.agrees == right.agrees);
    RC_ASSERT(left.retry_after == right.retry_after);
    RC_ASSERT(same(left.problem, right.problem));
    RC_ASSERT(in->signals.at(0).status == ItemStatus::accepted);
    RC_ASSERT(in->signals[0].problem->code == Code::malformed);
}

RC_GTEST_PROP(LogAnswer, WhatIsWrittenIsReadAgain, ())
{
    const LogAnswer out{{*any_text()}, any_slice(0)};
    const auto in = parse_log_answer(write_log_answer(out), strict);
    RC_ASSERT(in.has_value());
    RC_ASSERT(in->roots == out.roots);
    RC_ASSERT(same(in->slice, out.slice));
}

RC_GTEST_PROP(SnapshotAnswer, WhatIsWrittenIsReadAgain, ())
{
    const SnapshotAnswer out{{*any_text()}, any_snapshot(0)};
    const auto in = parse_snapshot_answer(write_snapshot_answer(out), strict);
    RC_ASSERT(in.has_value());
    RC_ASSERT(in->roots == out.roots);
    RC_ASSERT(same(in->snapshot, out.snapshot));
}

}  // namespace
}  // namespace entente::protocol
