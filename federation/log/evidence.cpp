#include "federation/log/evidence.hpp"

#include <algorithm>

#include "federation/log/follower_slice.hpp"
#include "storage/log_reader.hpp"

namespace entente::federation {

namespace {

void drop_contents(protocol::Slice& slice)
{
    for (auto& entry : slice.entries) entry.content.reset();
}

// Only the roots that it points at.
std::string text_of(const VerifiedSlice& shown)
{
    protocol::LogAnswer answer;
    answer.slice = shown.slice;
    drop_contents(answer.slice);
    storage::RunProofs roots;
    const auto move_root = [&](protocol::Proof& proof) {
        proof.root = roots.root_index(shown.root_of(proof));
    };
    move_root(answer.slice.checkpoint.proof);
    for (auto& seal : answer.slice.seals) move_root(seal.proof);
    answer.roots = std::move(roots.roots);
    return protocol::write_log_answer(answer);
}

// What is held from behind `after` on, to the first checkpoint that covers it. Nothing where
// there is none, as of what this very commit has brought.
Result<std::string> held_text(storage::Connection& db, const storage::LiveChannel& channel,
                              std::int64_t after)
{
    auto row = storage::read_channel(db, channel.name);
    if (!row) return fail(row);
    after = std::clamp(after, row->floor, std::max(row->floor, row->seq - 1));
    auto end = storage::end_of_run(db, row->id, after + 1);
    if (!end) return fail(end);
    if (!*end) return std::string();
    storage::PageLimits limits;
    limits.entries = **end - after;
    limits.octets = protocol::max_state_octets;
    auto page = storage::read_log(db, *row, after, limits, true);
    if (!page) return fail(page);
    if (page->entries.empty() || !page->proofs.checkpoint) return std::string();
    auto answer = follower_slice(*row, std::move(*page));
    drop_contents(answer.slice);
    return protocol::write_log_answer(answer);
}

}  // namespace

Result<bool> keep_evidence(storage::Connection& db, const storage::LiveChannel& channel,
                           const VerifiedSlice& shown, std::string_view kind, std::int64_t seq,
                           Millis now)
{
    storage::EvidenceRow row;
    row.kind = kind;
    row.home = channel.home;
    row.at = now;
    row.epoch = shown.slice.epoch;
    row.seq = seq;
    row.shown = text_of(shown);
    if (kind == fork_evidence) {
        auto held = held_text(db, channel, seq - 1);
        if (!held) return fail(held);
        row.held = std::move(*held);
    }
    return storage::put_evidence(db, channel.id, row);
}

}  // namespace entente::federation
