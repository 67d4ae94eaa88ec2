// The channels' logs as they are stored: runs, the duplicate memory, holes, what a rollback
// leaves. Real SQLite, real group commit, real RocksDB.
#include "log_rig.hpp"

namespace entente::storage::log_rig {
namespace {

using protocol::Millis;

// --- runs --------------------------------------------------------------------------------

TEST(ChannelLogStore, EntriesAndHashesAreFoundOverSeveralRunsAndARestart)
{
    Rig rig(false);
    rig.commit(garden, 1, 3);
    rig.commit(garden, 4, 4);
    rig.commit(garden, 5, 9);
    for (int pass = 0; pass < 2; ++pass) {
        auto checked = rig.with(
            garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
                for (int i = 1; i <= 9; ++i) {
                    auto entry = rig.store->entry_at(transaction.db(), channel, i);
                    if (!entry) return fail(entry);
                    EXPECT_EQ(entry->entry.event, event_text(i));
                    auto hash = rig.store->hash_at(transaction.db(), channel, i);
                    if (!hash) return fail(hash);
                    EXPECT_EQ(*hash, chain(garden, "", 1, 1, i));
                }
                EXPECT_EQ(rig.store->hash_at(transaction.db(), channel, 0).value(), "");
                for (const std::int64_t beyond : {0, 10}) {
                    EXPECT_EQ(rig.store->entry_at(transaction.db(), channel, beyond).error().code,
                              Code::not_found);
                }
                EXPECT_EQ(rig.store->hash_at(transaction.db(), channel, 10).error().code,
                          Code::not_found);
                return {};
            });
        EXPECT_TRUE(checked) << checked.error().detail;
        rig.restart();
    }
}

TEST(ChannelLogStore, WhatThisTransactionAddedIsFoundBeforeItsCommit)
{
    Rig rig;
    rig.commit(garden, 1, 2);
    auto checked =
        rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
            if (auto added = rig.add(transaction, channel, 3); !added) return added;
            if (auto added = rig.add(transaction, channel, 4); !added) return added;
            auto& db = transaction.db();
            EXPECT_EQ(rig.store->entry_at(db, channel, 3).value().entry.event, event_text(3));
            EXPECT_EQ(rig.store->entry_at(db, channel, 2).value().entry.event, event_text(2));
            EXPECT_EQ(rig.store->hash_at(db, channel, 3).value(), chain(garden, "", 1, 1, 3));
            EXPECT_EQ(rig.store->hash_at(db, channel, 2).value(), chain(garden, "", 1, 1, 2));
            EXPECT_EQ(rig.store->hash_at(db, channel, 1).value(), chain(garden, "", 1, 1, 1));
            EXPECT_EQ(rig.store->hash_at(db, channel, 5).error().code, Code::not_found);
            EXPECT_EQ(
                rig.store->find_txn(db, channel, ServerName::trusted("b.example"), txn(4)).value(),
                4);
            EXPECT_EQ(
                rig.store->entry_by_id(db, channel, protocol::event_id(event_text(4))).value().seq,
                4);
            return {};
        });
    EXPECT_TRUE(checked);
}

TEST(ChannelLogStore, JobsOfOneCommitMakeOneRunPerChannelAndOneNotice)
{
    Rig rig(false);
    rig.commit(garden, 1, 1);
    rig.commit(meadow, 1, 1);
    rig.committed.clear();
    ASSERT_TRUE(rig.write([&](WriteTransaction& transaction) -> Result<void> {
        for (int i = 2; i <= 5; ++i) {
            auto channel = rig.store->find(transaction.db(), i % 2 == 0 ? garden : meadow);
            if (!channel) return fail(channel);
            if (auto added = rig.add(transaction, **channel, i); !added) return added;
        }
        return {};
    }));
    ASSERT_EQ(rig.committed.size(), 2U);
    for (const auto& run : rig.committed) EXPECT_EQ(run.entries.size(), 2U);
    EXPECT_EQ(rig.page(garden, 0)->end.seq, 3);
    EXPECT_EQ(rig.page(meadow, 0)->end.seq, 3);
}

TEST(ChannelLogStore, AStatementThatFailsHalfWayLetsNothingStand)
{
    Rig rig;
    rig.commit(garden, 1, 2);
    const auto before = rig.row(garden).value();
    auto done =
        rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
            if (auto added = rig.add(transaction, channel, 3); !added) return added;
            channel.state.name = "changed in memory";
            // Its author can't go on and says so, then answers as though nothing were.
            rig.store->abandon(channel, Error{Code::internal, "half-way", {}, 0});
            return {};
        });
    EXPECT_FALSE(done);
    EXPECT_EQ(rig.row(garden)->hash, before.hash);
    auto checked =
        rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
            EXPECT_EQ(channel.seq, 2);
            EXPECT_EQ(channel.hash, before.hash);
            EXPECT_EQ(channel.state.name, "garden");
            EXPECT_TRUE(channel.added.empty());
            EXPECT_FALSE(
                rig.store
                    ->find_txn(transaction.db(), channel, ServerName::trusted("b.example"), txn(3))
                    .value());
            return {};
        });
    EXPECT_TRUE(checked);
    EXPECT_EQ(rig.by_id(garden, 3).error().code, Code::not_found);
    rig.commit(garden, 3, 3);
    EXPECT_EQ(rig.page(garden, 0)->end.hash, chain(garden, "", 1, 1, 3));
}

TEST(ChannelLogStore, AStallIsRememberedOverARestartAndForgottenWithItsTransaction)
{
    Rig rig;
    rig.commit(garden, 1, 2);
    const auto set = [&](std::optional<Stall> stall, bool stands) {
        return rig.with(garden,
                        [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
                            auto done = rig.store->set_stall(transaction.db(), channel, stall);
                            if (!stands)
                                rig.store->abandon(channel, Error{Code::internal, "", {}, 0});
                            return done;
                        });
    };
    // What the writer holds, which must be what is stored.
    const auto since = [&] {
        return rig
            .with(garden,
                  [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<Millis> {
                      auto stored = find_stall(transaction.db(), channel.id).value();
                      EXPECT_EQ(stored.has_value(), channel.stall.has_value());
                      if (!stored || !channel.stall) return 0;
                      EXPECT_EQ(stored->since, channel.stall->since);
                      EXPECT_EQ(stored->problem, channel.stall->problem);
                      EXPECT_EQ(stored->told, channel.stall->told);
                      return channel.stall->since;
                  })
            .value();
    };
    const auto untold = [&](Millis before) {
        return rig.read([&](Connection& db) { return untold_stalls(db, before, 10); }).value();
    };
    EXPECT_FALSE(set(Stall{5, "malformed", false}, false));
    EXPECT_EQ(since(), 0);
    ASSERT_TRUE(set(Stall{5, "malformed", false}, true));
    rig.restart();
    EXPECT_EQ(since(), 5);
    EXPECT_EQ(untold(4), std::vector<ChannelId>{});
    EXPECT_EQ(untold(5), std::vector<ChannelId>{garden});
    EXPECT_FALSE(set(std::nullopt, false));
    EXPECT_EQ(since(), 5);
    ASSERT_TRUE(set(Stall{5, "not-home", true}, true));
    EXPECT_EQ(untold(5), std::vector<ChannelId>{});
    ASSERT_TRUE(set(std::nullopt, true));
    EXPECT_EQ(since(), 0);
}

// A server's row and a channel made in a transaction that is gone must not be remembered.
TEST(ChannelLogStore, ACommitThatFailsIsForgottenWithItsServersAndChannels)
{
    Rig rig;
    rig.commit(garden, 1, 1);
    auto failed = rig.write([&](WriteTransaction& transaction) -> Result<void> {
        auto made = rig.make(transaction, meadow);
        if (!made) return fail(made);
        auto id = rig.store->server_id(transaction.db(), ServerName::trusted("new.example"));
        if (!id) return fail(id);
        return fail(Code::conflict, "and then it fails");
    });
    EXPECT_EQ(failed.error().code, Code::conflict);
    auto checked = rig.write([&](WriteTransaction& transaction) -> Result<void> {
        EXPECT_EQ(rig.store->find(transaction.db(), meadow).error().code, Code::not_found);
        auto id = rig.store->server_id(transaction.db(), ServerName::trusted("new.example"));
        if (!id) return fail(id);
        EXPECT_EQ(
            testing::integers(transaction.db(), "SELECT id FROM server WHERE name = 'new.example'"),
            std::vector<std::int64_t>{*id});
        return {};
    });
    EXPECT_TRUE(checked);
    EXPECT_TRUE(rig.committed.size() == 1U);
}

// [EVT-2]
TEST(ChannelLogStore, ATxnIsRememberedPerOriginAndChannelOverARestart)
{
    Rig rig(false, 0);
    rig.commit(garden, 1, 2);
    rig.commit(meadow, 7, 7);
    rig.restart();
    const auto seq_of = [&](const ChannelId& name, const char* origin, int number) {
        return rig
            .with(name,
                  [&](WriteTransaction& transaction, LiveChannel& channel) {
                      return rig.store->find_txn(transaction.db(), channel,
                                                 ServerName::trusted(origin), txn(number));
                  })
            .value();
    };
    EXPECT_EQ(seq_of(garden, "b.example", 2), 2);
    EXPECT_EQ(seq_of(garden, "c.example", 2), std::nullopt);
    EXPECT_EQ(seq_of(meadow, "b.example", 2), std::nullopt);
    EXPECT_EQ(seq_of(meadow, "b.example", 7), 1);
}

// --- following ------------------------------------------------------------------------

TEST(ChannelLogStore, ALogThatHasNoEntriesYetSurvivesARestart)
{
    Rig rig(false);
    ASSERT_TRUE(rig.write([&](WriteTransaction& transaction) -> Result<void> {
        ChannelLogStore::NewLog log;
        log.name = garden;
        log.home = home;
        auto made = rig.store->create(transaction.db(), std::move(log));
        if (!made) return fail(made);
        return {};
    }));
    rig.restart();
    auto found =
        rig.with(garden, [](WriteTransaction&, LiveChannel& channel) -> Result<std::string> {
            EXPECT_EQ(channel.seq, 0);
            return channel.state.kind;
        });
    ASSERT_TRUE(found) << found.error().detail;
    EXPECT_EQ(*found, "");
}

ChannelLogStore::NewLog behind_a_hole(std::int64_t floor)
{
    ChannelLogStore::NewLog log;
    log.name = garden;
    log.home = home;
    log.floor = floor;
    log.hash = "hash at the floor";
    log.at = 100;
    log.state = Rig::state("anew");
    log.state.members["bob@b.example"] = protocol::Role::member;
    return log;
}

void expect_hole(Rig& rig)
{
    const auto page = rig.page(garden, 0).value();
    ASSERT_EQ(page.entries.size(), 2U);
    EXPECT_EQ(page.after, (protocol::Position{20, "hash at the floor"}));
    EXPECT_EQ(page.entries[0].seq, 21);
    EXPECT_EQ(page.end.hash, chain(garden, "hash at the floor", 21, 21, 22));
    auto old = rig.read([&](Connection& db) -> Result<std::vector<StoredEntry>> {
        auto row = read_channel(db, garden);
        if (!row) return fail(row);
        return read_before(db, *row, 20, PageLimits{});
    });
    ASSERT_TRUE(old);
    ASSERT_EQ(old->size(), 4U);
    EXPECT_EQ(old->back().seq, 4);
    EXPECT_EQ(old->back().entry.event, event_text(4));
    auto checked =
        rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
            auto& db = transaction.db();
            EXPECT_EQ(rig.store->hash_at(db, channel, 20).value(), "hash at the floor");
            EXPECT_EQ(rig.store->hash_at(db, channel, 4).value(), chain(garden, "", 1, 1, 4));
            EXPECT_EQ(rig.store->hash_at(db, channel, 10).error().code, Code::not_found);
            EXPECT_EQ(rig.store->entry_at(db, channel, 10).error().code, Code::not_found);
            EXPECT_EQ(rig.store->entry_at(db, channel, 22).value().entry.event, event_text(22));
            EXPECT_TRUE(channel.state.is_member("bob@b.example"));
            return {};
        });
    EXPECT_TRUE(checked);
}

// [QRY-2]
TEST(ChannelLogStore, ARejoinLeavesAHoleThatPagesStartBehind)
{
    Rig rig(false);
    rig.commit(garden, 1, 4);
    ASSERT_TRUE(rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) {
        return rig.store->reset_to(transaction.db(), channel, behind_a_hole(20));
    }));
    rig.commit(garden, 21, 22);
    expect_hole(rig);
    rig.restart();
    expect_hole(rig);
}

TEST(ChannelLogStore, ARejoinInTheSameCommitAsEntriesBeforeAndBehindItTearsNothing)
{
    Rig rig(false);
    rig.commit(garden, 1, 2);
    rig.committed.clear();
    ASSERT_TRUE(
        rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
            for (const int i : {3, 4}) {
                if (auto added = rig.add(transaction, channel, i); !added) return added;
            }
            if (auto reset = rig.store->reset_to(transaction.db(), channel, behind_a_hole(20));
                !reset)
                return reset;
            EXPECT_EQ(rig.store->hash_at(transaction.db(), channel, 4).value(),
                      chain(garden, "", 1, 1, 4));
            for (const int i : {21, 22}) {
                if (auto added = rig.add(transaction, channel, i); !added) return added;
            }
            return {};
        }));
    expect_hole(rig);
    ASSERT_EQ(rig.committed.size(), 2U);
    EXPECT_EQ(rig.committed[0].entries.back().seq, 4);
    EXPECT_EQ(rig.committed[1].entries.front().seq, 21);
    rig.restart();
    expect_hole(rig);
}

// [LOG-4] [MEM-13]
TEST(ChannelLogStore, AFreezeOutlivesARestartAndARejoin)
{
    Rig rig(false);
    rig.commit(garden, 1, 4);
    ASSERT_TRUE(rig.with(garden, [&](WriteTransaction&, LiveChannel& channel) -> Result<void> {
        rig.store->freeze(channel);
        return {};
    }));
    rig.restart();
    EXPECT_TRUE(rig.row(garden)->frozen);
    ASSERT_TRUE(rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) {
        return rig.store->reset_to(transaction.db(), channel, behind_a_hole(20));
    }));
    EXPECT_TRUE(rig.row(garden)->frozen);
}

TEST(ChannelLogStore, FewCachedChannelsChangeNothing)
{
    Rig rig(true, 1);
    for (int i = 1; i <= 6; ++i) rig.commit(i % 2 == 0 ? garden : meadow, i, i);
    EXPECT_EQ(rig.page(garden, 0)->end.seq, 3);
    EXPECT_EQ(rig.page(meadow, 0)->end.seq, 3);
    EXPECT_EQ(rig.by_id(garden, 2)->seq, 1);
}

}  // namespace
}  // namespace entente::storage::log_rig
