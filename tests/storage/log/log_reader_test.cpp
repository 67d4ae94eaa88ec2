// Pages of a stored log: their limits from both sides, what proves them, where they end.
#include <rapidcheck.h>

#include "log_rig.hpp"

namespace entente::storage::log_rig {
namespace {

TEST(LogReader, PagesOfAnySizeGoTogetherToTheWholeLogFromBothSides)
{
    Rig rig(false);
    rig.commit(garden, 1, 5);
    rig.commit(garden, 6, 6);
    rig.commit(garden, 7, 12);
    EXPECT_TRUE(rc::check([&] {
        const PageLimits limits{*rc::gen::inRange<std::int64_t>(1, 14),
                                *rc::gen::inRange<std::size_t>(1, 200)};
        std::int64_t after = 0;
        std::string hash;
        while (after < 12) {
            const auto page = rig.page(garden, after, limits).value();
            RC_ASSERT(!page.entries.empty());
            RC_ASSERT(static_cast<std::int64_t>(page.entries.size()) <= limits.entries);
            std::size_t octets = 0;
            for (const auto& stored : page.entries)
                octets += stored.entry.event.size() + stored.entry.content->size();
            RC_ASSERT(page.entries.size() == 1U || octets <= limits.octets);
            RC_ASSERT(page.after == (protocol::Position{after, hash}));
            for (const auto& stored : page.entries)
                RC_ASSERT(stored.entry.event == event_text(static_cast<int>(++after)));
            hash = chain(garden, "", 1, 1, static_cast<int>(after));
            RC_ASSERT(page.end == (protocol::Position{after, hash}));
        }
        std::int64_t before = 13;
        while (before > 1) {
            auto page = rig.read([&](Connection& db) -> Result<std::vector<StoredEntry>> {
                               auto row = read_channel(db, garden);
                               if (!row) return fail(row);
                               return read_before(db, *row, before, limits);
                           })
                            .value();
            RC_ASSERT(!page.empty());
            RC_ASSERT(static_cast<std::int64_t>(page.size()) <= limits.entries);
            RC_ASSERT(page.back().seq == before - 1);
            RC_ASSERT(page.back().seq - page.front().seq + 1 ==
                      static_cast<std::int64_t>(page.size()));
            before = page.front().seq;
        }
    }));
}

TEST(LogReader, APageBehindTheEndIsEmptyAndSaysWhereTheEndIs)
{
    Rig rig(false);
    rig.commit(garden, 1, 3);
    for (const std::int64_t after : {3, 4, 100}) {
        const auto page = rig.page(garden, after).value();
        EXPECT_TRUE(page.entries.empty());
        EXPECT_EQ(page.after, (protocol::Position{3, chain(garden, "", 1, 1, 3)}));
        EXPECT_EQ(page.end, page.after);
    }
    EXPECT_EQ(rig.page(meadow, 0).error().code, Code::not_found);
}

// [LOG-9] [LOG-15]
TEST(LogReader, APageCarriesTheSealsOfItsEntriesAndNoOthers)
{
    Rig rig(false);
    rig.commit(garden, 1, 3);
    rig.commit(garden, 4, 6);
    rig.commit(garden, 7, 9);
    const auto page = rig.page(garden, 4, PageLimits{2, 1'000'000}).value();
    ASSERT_EQ(page.proofs.seals.size(), 1U);
    EXPECT_EQ(page.proofs.roots, std::vector<std::string>{"root of 4"});
    const auto two = rig.page(garden, 2, PageLimits{2, 1'000'000}).value();
    EXPECT_EQ(two.proofs.seals.size(), 2U);
    ASSERT_EQ(two.proofs.roots.size(), 2U);
    EXPECT_EQ(two.proofs.roots[two.proofs.seals[1].proof.root], "root of 4");
    // Sealed twice: one seal says all there is to say.
    ASSERT_TRUE(
        rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
            protocol::Seal again;
            again.events = {protocol::event_id(event_text(10))};
            if (auto added = rig.add(transaction, channel, 10); !added) return added;
            rig.store->add_seal(channel, again, "one");
            rig.store->add_seal(channel, again, "two");
            return {};
        }));
    EXPECT_EQ(rig.page(garden, 9)->proofs.seals.size(), 1U);
}

// [LOG-9]
TEST(LogReader, AFollowersPageEndsAtACheckpointThatItHolds)
{
    Rig rig(false);
    rig.commit(garden, 1, 3, true);
    rig.commit(garden, 4, 6, true);
    const auto all = rig.page(garden, 0, PageLimits{}, true).value();
    EXPECT_EQ(all.end.seq, 6);
    ASSERT_TRUE(all.proofs.checkpoint);
    EXPECT_EQ(all.proofs.checkpoint->seq, 6);
    EXPECT_EQ(all.proofs.roots[all.proofs.checkpoint->proof.root], "checkpoint at 6");
    const auto cut = rig.page(garden, 0, PageLimits{5, 1'000'000}, true).value();
    EXPECT_EQ(cut.end, (protocol::Position{3, chain(garden, "", 1, 1, 3)}));
    ASSERT_TRUE(cut.proofs.checkpoint);
    EXPECT_EQ(cut.proofs.checkpoint->seq, 3);
    EXPECT_TRUE(rig.page(garden, 4, PageLimits{1, 1'000'000}, true)->entries.empty());
}

TEST(LogReader, ADamagedRunIsAnErrorAndNoEntry)
{
    Rig rig(false);
    rig.commit(garden, 1, 3);
    const auto spoil = [&](const char* sql) {
        ASSERT_TRUE(rig.write(
            [&](WriteTransaction& transaction) { return transaction.db().execute(sql); }));
        EXPECT_EQ(rig.page(garden, 0).error().code, Code::internal);
    };
    spoil("UPDATE run SET body = x'00'");
    // Shorter than the run says: whole entries are missing.
    spoil("UPDATE run SET body = x'01000165'");
    auto checked =
        rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
            EXPECT_EQ(rig.store->entry_at(transaction.db(), channel, 3).error().code,
                      Code::internal);
            EXPECT_EQ(rig.store->hash_at(transaction.db(), channel, 2).error().code,
                      Code::internal);
            return {};
        });
    EXPECT_TRUE(checked);
}

}  // namespace
}  // namespace entente::storage::log_rig
