// The channels' logs as they are stored: runs, the duplicate memory, pages, holes, what a
// rollback leaves, and the index that can be lost. Real SQLite, real group commit, real
// RocksDB.
#include <filesystem>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "../support.hpp"
#include "protocol/ed25519.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/log_reader.hpp"
#include "storage/sqlite/database.hpp"

namespace entente::storage {
namespace {

using protocol::ChannelId;
using protocol::Hash;
using protocol::ServerName;

const ChannelId garden = ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example");
const ChannelId meadow = ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ac@a.example");
const ServerName home = ServerName::trusted("a.example");

protocol::Uuid txn(int number)
{
    protocol::Uuid uuid;
    uuid.octets[15] = static_cast<std::uint8_t>(number & 0xff);
    uuid.octets[14] = static_cast<std::uint8_t>(number >> 8);
    return uuid;
}

std::string event_text(int number) { return "event " + std::to_string(number); }

// A store over a folder that may be closed and opened again.
class Rig {
 public:
    explicit Rig(bool with_index = true, std::size_t cached = 8) : with_index_(with_index), cached_channels_(cached)
    {
        protocol::start_crypto();
        open();
    }
    ~Rig() { close(); }
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    template <class Job>
    auto write(Job job)
    {
        return testing::run(io, commits->write(std::move(job)));
    }
    template <class Job>
    auto read(Job job)
    {
        return testing::run(io, commits->read(std::move(job)));
    }

    void open()
    {
        if (with_index_) {
            RocksWindowOptions options;
            options.folder = folder_.file("window");
            options.boot_id = "one";
            index = open_rocks_window(options).value();
        }
        committed.clear();
        commits = std::make_unique<GroupCommit>(io.get_executor(), make_sqlite_database(folder_.file("db")), GroupCommitOptions{},
                                                [](const Error&) {});
        store = std::make_unique<ChannelLogStore>(index.get(), protocol::NameRules{}, cached_channels_,
                                                  [this](const CommittedRun& run) { committed.push_back(run); });
        commits->add(*store);
        ASSERT_TRUE(commits->start());
        ASSERT_TRUE(read([this](Connection& db) { return store->catch_up_index(db); }));
    }
    void close()
    {
        if (!commits) return;
        commits->stop();
        commits.reset();
        store.reset();
        if (index) index->close();
        index.reset();
    }
    void restart(bool lose_index = false)
    {
        close();
        if (lose_index) std::filesystem::remove_all(folder_.file("window"));
        open();
    }

    [[nodiscard]] Result<LiveChannel*> make(WriteTransaction& transaction, const ChannelId& name, std::int64_t floor = 0)
    {
        ChannelLogStore::NewLog log;
        log.name = name;
        log.home = home;
        log.floor = floor;
        log.hash = floor > 0 ? "floor" : "";
        log.state = state();
        return store->create(transaction.db(), std::move(log));
    }
    static protocol::ChannelState state(const std::string& name = "garden")
    {
        protocol::ChannelState made;
        made.kind = "group";
        made.name = name;
        made.home = home.str();
        return made;
    }
    [[nodiscard]] Result<void> add(WriteTransaction& transaction, LiveChannel& channel, int number)
    {
        ChannelLogStore::Addition addition;
        addition.entry.at = number;
        addition.entry.event = event_text(number);
        addition.entry.content = "content";
        addition.event_id = protocol::event_id(addition.entry.event);
        addition.origin = ServerName::trusted("b.example");
        addition.txn = txn(number);
        return store->append(transaction.db(), channel, std::move(addition));
    }
    // Entries first … last, sealed together, in one commit.
    void commit(const ChannelId& name, int first, int last, bool checkpoint = false)
    {
        auto done = write([&](WriteTransaction& transaction) -> Result<void> {
            auto channel = store->find(transaction.db(), name);
            if (!channel && channel.error().code == Code::not_found) channel = make(transaction, name);
            if (!channel) return fail(channel);
            protocol::Seal seal;
            for (int i = first; i <= last; ++i) {
                if (auto added = add(transaction, **channel, i); !added) return added;
                seal.events.push_back(protocol::event_id(event_text(i)));
            }
            store->add_seal(**channel, seal, "root of " + std::to_string(first));
            if (checkpoint) {
                protocol::Checkpoint made;
                made.seq = (*channel)->seq;
                made.hash = (*channel)->hash;
                store->set_checkpoint(**channel, made, "checkpoint at " + std::to_string(last));
            }
            return {};
        });
        ASSERT_TRUE(done) << done.error().detail;
    }
    Result<LogPage> page(const ChannelId& name, std::int64_t after, PageLimits limits = {}, bool to_checkpoint = false)
    {
        return read([&](Connection& db) -> Result<LogPage> {
            auto row = read_channel(db, name);
            if (!row) return fail(row);
            return read_log(db, *row, after, limits, to_checkpoint);
        });
    }
    Result<ChannelRow> row(const ChannelId& name)
    {
        return read([&](Connection& db) { return read_channel(db, name); });
    }
    template <class Job>  // Result<T>(WriteTransaction&, LiveChannel&)
    auto with(const ChannelId& name, Job job)
    {
        return write([&](WriteTransaction& transaction) -> std::invoke_result_t<Job&, WriteTransaction&, LiveChannel&> {
            auto channel = store->find(transaction.db(), name);
            if (!channel) return fail(channel);
            return job(transaction, **channel);
        });
    }
    Result<StoredEntry> by_id(const ChannelId& name, int number)
    {
        return with(name, [&](WriteTransaction& transaction, LiveChannel& channel) {
            return store->entry_by_id(transaction.db(), channel, protocol::event_id(event_text(number)));
        });
    }

    boost::asio::io_context io;
    std::unique_ptr<ReplayMemory> index;
    std::unique_ptr<GroupCommit> commits;
    std::unique_ptr<ChannelLogStore> store;
    std::vector<CommittedRun> committed;

 private:
    testing::TemporaryFolder folder_;
    bool with_index_;
    std::size_t cached_channels_;
};

// The chain of entries first … last behind `hash`, by another hand than the store's.
std::string chain(const ChannelId& name, std::string hash, std::int64_t seq, int first, int last)
{
    for (int i = first; i <= last; ++i)
        hash = protocol::entry_hash(name, 1, seq++, i, hash, protocol::event_id(event_text(i)));
    return hash;
}

// --- runs --------------------------------------------------------------------------------

TEST(ChannelLogStore, EntriesAndHashesAreFoundOverSeveralRunsAndARestart)
{
    Rig rig(false);
    rig.commit(garden, 1, 3);
    rig.commit(garden, 4, 4);
    rig.commit(garden, 5, 9);
    for (int pass = 0; pass < 2; ++pass) {
        auto checked = rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
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
                EXPECT_EQ(rig.store->entry_at(transaction.db(), channel, beyond).error().code, Code::not_found);
            }
            EXPECT_EQ(rig.store->hash_at(transaction.db(), channel, 10).error().code, Code::not_found);
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
    auto checked = rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
        if (auto added = rig.add(transaction, channel, 3); !added) return added;
        if (auto added = rig.add(transaction, channel, 4); !added) return added;
        auto& db = transaction.db();
        EXPECT_EQ(rig.store->entry_at(db, channel, 3).value().entry.event, event_text(3));
        EXPECT_EQ(rig.store->entry_at(db, channel, 2).value().entry.event, event_text(2));
        EXPECT_EQ(rig.store->hash_at(db, channel, 3).value(), chain(garden, "", 1, 1, 3));
        EXPECT_EQ(rig.store->hash_at(db, channel, 2).value(), chain(garden, "", 1, 1, 2));
        EXPECT_EQ(rig.store->hash_at(db, channel, 1).value(), chain(garden, "", 1, 1, 1));
        EXPECT_EQ(rig.store->hash_at(db, channel, 5).error().code, Code::not_found);
        EXPECT_EQ(rig.store->find_txn(db, channel, ServerName::trusted("b.example"), txn(4)).value(), 4);
        EXPECT_EQ(rig.store->entry_by_id(db, channel, protocol::event_id(event_text(4))).value().seq, 4);
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
    auto done = rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
        if (auto added = rig.add(transaction, channel, 3); !added) return added;
        channel.state.name = "changed in memory";
        // Its author can't go on and says so, then answers as though nothing were.
        rig.store->abandon(channel, Error{Code::internal, "half-way", {}, 0});
        return {};
    });
    EXPECT_FALSE(done);
    EXPECT_EQ(rig.row(garden)->hash, before.hash);
    auto checked = rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
        EXPECT_EQ(channel.seq, 2);
        EXPECT_EQ(channel.hash, before.hash);
        EXPECT_EQ(channel.state.name, "garden");
        EXPECT_TRUE(channel.added.empty());
        EXPECT_FALSE(rig.store->find_txn(transaction.db(), channel, ServerName::trusted("b.example"), txn(3)).value());
        return {};
    });
    EXPECT_TRUE(checked);
    EXPECT_EQ(rig.by_id(garden, 3).error().code, Code::not_found);
    rig.commit(garden, 3, 3);
    EXPECT_EQ(rig.page(garden, 0)->end.hash, chain(garden, "", 1, 1, 3));
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
        EXPECT_EQ(testing::integers(transaction.db(), "SELECT id FROM server WHERE name = 'new.example'"),
                  std::vector<std::int64_t>{*id});
        return {};
    });
    EXPECT_TRUE(checked);
    EXPECT_TRUE(rig.committed.size() == 1U);
}

TEST(ChannelLogStore, ATxnIsRememberedPerOriginAndChannelOverARestart)
{
    Rig rig(false, 0);
    rig.commit(garden, 1, 2);
    rig.commit(meadow, 7, 7);
    rig.restart();
    const auto seq_of = [&](const ChannelId& name, const char* origin, int number) {
        return rig.with(name, [&](WriteTransaction& transaction, LiveChannel& channel) {
            return rig.store->find_txn(transaction.db(), channel, ServerName::trusted(origin), txn(number));
        }).value();
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
    auto found = rig.with(garden, [](WriteTransaction&, LiveChannel& channel) -> Result<std::string> {
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
    auto checked = rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
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
    ASSERT_TRUE(rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
        for (const int i : {3, 4}) {
            if (auto added = rig.add(transaction, channel, i); !added) return added;
        }
        if (auto reset = rig.store->reset_to(transaction.db(), channel, behind_a_hole(20)); !reset) return reset;
        EXPECT_EQ(rig.store->hash_at(transaction.db(), channel, 4).value(), chain(garden, "", 1, 1, 4));
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

// --- the index ----------------------------------------------------------------------------

TEST(ChannelLogStore, TheIndexIsCaughtUpAfterItsLoss)
{
    Rig rig;
    rig.commit(garden, 1, 3);
    rig.commit(meadow, 4, 5);
    rig.restart();
    EXPECT_EQ(rig.by_id(garden, 2)->seq, 2);
    rig.restart(true);
    EXPECT_EQ(rig.by_id(garden, 2)->seq, 2);
    EXPECT_EQ(rig.by_id(meadow, 5)->seq, 2);
    EXPECT_EQ(rig.by_id(garden, 5).error().code, Code::not_found);
    EXPECT_EQ(rig.by_id(garden, 99).error().code, Code::not_found);
}

TEST(ChannelLogStore, AnIndexAheadOfTheLogIsMadeAnewAndNeverBelieved)
{
    Rig rig;
    rig.commit(garden, 1, 2);
    rig.index->remember(event_index_mark, SeenEvent{"", 1'000'000});
    rig.index->remember(protocol::as_view(protocol::event_id(event_text(9))), SeenEvent{garden.str(), 2});
    rig.index->remember(protocol::as_view(protocol::event_id(event_text(1))), SeenEvent{garden.str(), 77});
    rig.restart();
    EXPECT_EQ(rig.by_id(garden, 1)->seq, 1);
    EXPECT_EQ(rig.by_id(garden, 9).error().code, Code::not_found);
}

// --- pages --------------------------------------------------------------------------------

TEST(LogReader, PagesOfAnySizeGoTogetherToTheWholeLogFromBothSides)
{
    Rig rig(false);
    rig.commit(garden, 1, 5);
    rig.commit(garden, 6, 6);
    rig.commit(garden, 7, 12);
    EXPECT_TRUE(rc::check([&] {
        const PageLimits limits{*rc::gen::inRange<std::int64_t>(1, 14), *rc::gen::inRange<std::size_t>(1, 200)};
        std::int64_t after = 0;
        std::string hash;
        while (after < 12) {
            const auto page = rig.page(garden, after, limits).value();
            RC_ASSERT(!page.entries.empty());
            RC_ASSERT(static_cast<std::int64_t>(page.entries.size()) <= limits.entries);
            std::size_t octets = 0;
            for (const auto& stored : page.entries) octets += stored.entry.event.size() + stored.entry.content->size();
            RC_ASSERT(page.entries.size() == 1U || octets <= limits.octets);
            RC_ASSERT(page.after == (protocol::Position{after, hash}));
            for (const auto& stored : page.entries) RC_ASSERT(stored.entry.event == event_text(static_cast<int>(++after)));
            hash = chain(garden, "", 1, 1, static_cast<int>(after));
            RC_ASSERT(page.end == (protocol::Position{after, hash}));
        }
        std::int64_t before = 13;
        while (before > 1) {
            auto page = rig.read([&](Connection& db) -> Result<std::vector<StoredEntry>> {
                auto row = read_channel(db, garden);
                if (!row) return fail(row);
                return read_before(db, *row, before, limits);
            }).value();
            RC_ASSERT(!page.empty());
            RC_ASSERT(static_cast<std::int64_t>(page.size()) <= limits.entries);
            RC_ASSERT(page.back().seq == before - 1);
            RC_ASSERT(page.back().seq - page.front().seq + 1 == static_cast<std::int64_t>(page.size()));
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
    ASSERT_TRUE(rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
        protocol::Seal again;
        again.events = {protocol::event_id(event_text(10))};
        if (auto added = rig.add(transaction, channel, 10); !added) return added;
        rig.store->add_seal(channel, again, "one");
        rig.store->add_seal(channel, again, "two");
        return {};
    }));
    EXPECT_EQ(rig.page(garden, 9)->proofs.seals.size(), 1U);
}

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
        ASSERT_TRUE(rig.write([&](WriteTransaction& transaction) { return transaction.db().execute(sql); }));
        EXPECT_EQ(rig.page(garden, 0).error().code, Code::internal);
    };
    spoil("UPDATE run SET body = x'00'");
    // Shorter than the run says: whole entries are missing.
    spoil("UPDATE run SET body = x'01000165'");
    auto checked = rig.with(garden, [&](WriteTransaction& transaction, LiveChannel& channel) -> Result<void> {
        EXPECT_EQ(rig.store->entry_at(transaction.db(), channel, 3).error().code, Code::internal);
        EXPECT_EQ(rig.store->hash_at(transaction.db(), channel, 2).error().code, Code::internal);
        return {};
    });
    EXPECT_TRUE(checked);
}

}  // namespace
}  // namespace entente::storage
