// Contents that are taken out of stored runs, and how long a run gets.
#include "log_rig.hpp"

namespace entente::storage::log_rig {
namespace {

std::vector<std::int64_t> runs_of(Rig& rig, const ChannelId& name)
{
    return rig
        .read([&](Connection& db) -> Result<std::vector<std::int64_t>> {
            auto row = read_channel(db, name);
            if (!row) return fail(row);
            std::vector<std::int64_t> lasts;
            for (std::int64_t after = 0;;) {
                auto run = read_run_behind(db, row->id, after);
                if (!run) return fail(run);
                if (run->empty()) return lasts;
                lasts.push_back(after = run->back().seq);
            }
        })
        .value();
}

Result<void> erase(Rig& rig, const std::vector<std::int64_t>& seqs, std::int64_t deleted_by)
{
    return rig.with(garden,
                    [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
                        for (const auto seq : seqs) rig.store->erase(channel, seq, deleted_by);
                        for (const auto seq : seqs) {
                            // Seen at once by who decides in the same transaction.
                            auto entry = rig.store->entry_at(transaction.db(), channel, seq);
                            if (entry) {
                                EXPECT_FALSE(entry->entry.content);
                            }
                        }
                        return {};
                    });
}

TEST(Erasing, AContentGoesAndItsEventItsNeighboursAndItsProofsStay)
{
    Rig rig;
    rig.commit(garden, 1, 3, true);
    rig.commit(garden, 4, 6, true);
    const auto before = rig.page(garden, 0).value();
    ASSERT_TRUE(erase(rig, {2, 3, 5, 99}, 6));
    for (int pass = 0; pass < 2; ++pass) {
        const auto page = rig.page(garden, 0).value();
        ASSERT_EQ(page.entries.size(), 6U);
        for (const auto& stored : page.entries) {
            const bool is_gone = stored.seq == 2 || stored.seq == 3 || stored.seq == 5;
            EXPECT_EQ(stored.entry.content.has_value(), !is_gone) << stored.seq;
            EXPECT_EQ(stored.entry.deleted_by, is_gone ? 6 : 0);
            EXPECT_FALSE(stored.entry.expired);
            EXPECT_EQ(stored.entry.event, event_text(static_cast<int>(stored.seq)));
        }
        EXPECT_EQ(page.end, before.end);
        EXPECT_EQ(page.proofs.seals, before.proofs.seals);
        EXPECT_TRUE(rig.by_id(garden, 5));
        rig.restart();
    }
}

TEST(Erasing, TheFirstDeletionCountsAndStandsAboveAnExpiry)
{
    Rig rig;
    rig.commit(garden, 1, 3);
    const auto expire = [&](const std::vector<std::int64_t>& seqs) {
        auto done = rig.with(garden, [&](WriteTransaction&, LiveChannel& channel) -> Result<void> {
            rig.store->erase_stored(channel.id, seqs, 0);
            return {};
        });
        ASSERT_TRUE(done);
    };
    const auto entry = [&](std::int64_t seq) {
        return rig.page(garden, seq - 1).value().entries.front().entry;
    };
    ASSERT_TRUE(erase(rig, {1}, 2));
    ASSERT_TRUE(erase(rig, {1}, 3));
    expire({1, 2});
    EXPECT_EQ(entry(1).deleted_by, 2);
    EXPECT_FALSE(entry(1).expired);
    EXPECT_TRUE(entry(2).expired);
    ASSERT_TRUE(erase(rig, {2}, 3));
    EXPECT_EQ(entry(2).deleted_by, 3);
    EXPECT_FALSE(entry(2).expired);
    // Both at once.
    auto done = rig.with(garden, [&](WriteTransaction&, LiveChannel& channel) -> Result<void> {
        rig.store->erase_stored(channel.id, {3}, 0);
        rig.store->erase(channel, 3, 4);
        return {};
    });
    ASSERT_TRUE(done);
    EXPECT_EQ(entry(3).deleted_by, 4);
}

TEST(Erasing, WhatIsErasedInItsOwnTransactionIsShownToNobody)
{
    Rig rig;
    rig.commit(garden, 1, 1);
    rig.committed.clear();
    auto done =
        rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
            if (auto added = rig.add(transaction, channel, 2); !added) return added;
            if (auto added = rig.add(transaction, channel, 3); !added) return added;
            rig.store->erase(channel, 2, 3);
            return {};
        });
    ASSERT_TRUE(done);
    ASSERT_EQ(rig.committed.size(), 1U);
    EXPECT_FALSE(rig.committed.front().entries.at(0).entry.content);
    EXPECT_TRUE(rig.committed.front().entries.at(1).entry.content);
    EXPECT_EQ(rig.page(garden, 1).value().entries.front().entry.deleted_by, 3);
}

TEST(Erasing, AnErasureGoesWithItsTransaction)
{
    Rig rig;
    rig.commit(garden, 1, 2);
    auto failed = rig.with(garden, [&](WriteTransaction&, LiveChannel& channel) -> Result<void> {
        rig.store->erase(channel, 1, 2);
        rig.store->abandon(channel, Error{Code::unavailable, "made up", {}, 0});
        return fail(Code::unavailable, "made up");
    });
    EXPECT_FALSE(failed);
    rig.commit(garden, 3, 3);
    EXPECT_TRUE(rig.page(garden, 0).value().entries.front().entry.content);
}

TEST(Erasing, ALargeCommitIsSeveralRunsThatProveAsMuch)
{
    Rig rig;
    const std::string large(max_run_octets / 4, 'x');
    auto done = rig.write([&](WriteTransaction& transaction) -> Result<void> {
        auto channel = rig.make(transaction, garden);
        if (!channel) return fail(channel);
        protocol::Seal seal;
        for (int i = 1; i <= 10; ++i) {
            ChannelLogStore::Addition addition;
            addition.entry.at = i;
            addition.entry.event = event_text(i);
            addition.entry.content = large;
            addition.event_id = protocol::event_id(addition.entry.event);
            addition.origin = ServerName::trusted("b.example");
            addition.txn = txn(i);
            auto added = rig.store->append(transaction.db(), **channel, std::move(addition));
            if (!added) return added;
            seal.events.push_back(protocol::event_id(event_text(i)));
            if (i % 3 != 0) continue;
            rig.store->add_seal(**channel, seal, "root of " + std::to_string(i));
            seal.events.clear();
        }
        protocol::Checkpoint made;
        made.seq = (*channel)->seq;
        made.hash = (*channel)->hash;
        rig.store->set_checkpoint(**channel, made, "checkpoint");
        return {};
    });
    ASSERT_TRUE(done) << done.error().detail;
    ASSERT_EQ(rig.committed.size(), 1U);
    EXPECT_EQ(rig.committed.front().entries.size(), 10U);
    EXPECT_EQ(runs_of(rig, garden), (std::vector<std::int64_t>{4, 8, 10}));
    for (int pass = 0; pass < 2; ++pass) {
        const auto whole = rig.page(garden, 0).value();
        ASSERT_EQ(whole.entries.size(), 10U);
        EXPECT_EQ(whole.end.hash, chain(garden, "", 1, 1, 10));
        EXPECT_EQ(whole.proofs.seals.size(), 3U);
        ASSERT_TRUE(whole.proofs.checkpoint);
        const auto middle = rig.page(garden, 4, PageLimits{3, std::size_t{1} << 30}).value();
        EXPECT_EQ(middle.after.hash, chain(garden, "", 1, 1, 4));
        EXPECT_EQ(middle.end.hash, chain(garden, "", 1, 1, 7));
        EXPECT_EQ(middle.proofs.seals.size(), 2U);  // of 4–6 and 7–9
        EXPECT_EQ(middle.proofs.roots.size(), 2U);
        EXPECT_EQ(rig.page(garden, 2, {}, true).value().end.seq, 10);
        for (int i = 1; i <= 10; ++i) EXPECT_EQ(rig.by_id(garden, i).value().seq, i);
        rig.restart(pass == 0);
    }
}

}  // namespace
}  // namespace entente::storage::log_rig
