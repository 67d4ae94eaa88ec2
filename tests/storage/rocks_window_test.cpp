// What the RocksDB window keeps over ends of every kind, and what it admits to have lost.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "storage/nonce_window.hpp"
#include "support.hpp"

namespace entente::storage {
namespace {

using testing::TemporaryFolder;

const protocol::KeyRef key{protocol::ServerName::trusted("a.example"),
                           protocol::KeyId::trusted("key")};

RocksWindowOptions options_of(const std::string& folder, protocol::Seconds start,
                              const std::string& boot = "boot-1", bool ran_before = true)
{
    RocksWindowOptions options;
    options.folder = folder;
    options.ran_before = ran_before;
    options.start = start;
    options.boot_id = boot;
    return options;
}

std::unique_ptr<ReplayMemory> open(const RocksWindowOptions& options)
{
    auto opened = open_rocks_window(options);
    if (!opened) throw std::runtime_error(opened.error().detail);
    return std::move(*opened);
}

int spend_for_ever(const std::string& folder)
{
    auto window = open(options_of(folder, 1000, "boot-1", false));
    for (int i = 0; i < 1'000'000; ++i) {
        if (!window->spend(key, std::to_string(i), 1000, 2000)) return 1;
        testing::print_number(i);
    }
    return 0;
}
const testing::Child spender("spend", spend_for_ever);

// [SIG-4]
TEST(RocksWindow, WhatWasSpentStaysSpentAfterKill9)
{
    const TemporaryFolder folder;
    for (int i = 0; i < 3; ++i) {
        const auto path = folder.file("window" + std::to_string(i));
        const auto spent = testing::kill_child_after("spend", path, 300);
        ASSERT_GE(spent.size(), 300U);
        auto window = open(options_of(path, 1001));
        EXPECT_EQ(window->state(), MemoryState::complete);
        for (const int number : spent) {
            auto again = window->spend(key, std::to_string(number), 1000, 2000);
            ASSERT_FALSE(again);
            ASSERT_EQ(again.error().code, Code::replayed);
        }
    }
}

TEST(RocksWindow, TheFirstStartBelievesEveryone)
{
    const TemporaryFolder folder;
    auto window = open(options_of(folder.file("w"), 1000, "boot-1", false));
    EXPECT_EQ(window->state(), MemoryState::first_start);
    EXPECT_TRUE(window->spend(key, "n", 1, 2000));
}

// [SIG-4]
TEST(RocksWindow, AMissingFolderOfAnOldServerIsALoss)
{
    const TemporaryFolder folder;
    auto window = open(options_of(folder.file("w"), 1000));
    EXPECT_EQ(window->state(), MemoryState::incomplete);
    auto refused = window->spend(key, "n", 1060, 2000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unavailable);
    EXPECT_TRUE(window->spend(key, "n", 1061, 2000));
}

TEST(RocksWindow, ALossIsNotForgottenByARestart)
{
    const TemporaryFolder folder;
    open(options_of(folder.file("w"), 1000))->close();
    auto window = open(options_of(folder.file("w"), 1010));
    EXPECT_EQ(window->state(), MemoryState::incomplete);
    EXPECT_FALSE(window->spend(key, "n", 1059, 2000));
    window->close();
    window.reset();
    window = open(options_of(folder.file("w"), 1070));
    EXPECT_EQ(window->state(), MemoryState::complete);
    // Also where its maker holds it back until the restart.
    EXPECT_FALSE(window->spend(key, "n", 1059, 2000));
    EXPECT_TRUE(window->spend(key, "n", 1061, 2000));
}

// [SIG-4]
TEST(RocksWindow, AMachineThatFellLosesItsTrust)
{
    const TemporaryFolder folder;
    open(options_of(folder.file("w"), 1000, "boot-1", false)).reset();
    EXPECT_EQ(open(options_of(folder.file("w"), 1001, "boot-1"))->state(), MemoryState::complete);
    EXPECT_EQ(open(options_of(folder.file("w"), 1002, "boot-2"))->state(), MemoryState::incomplete);
}

TEST(RocksWindow, AnUnknownBootIsNeverTheSame)
{
    const TemporaryFolder folder;
    open(options_of(folder.file("w"), 1000, "", false)).reset();
    EXPECT_EQ(open(options_of(folder.file("w"), 1001, ""))->state(), MemoryState::incomplete);
}

TEST(RocksWindow, AnOrderlyEndSurvivesTheMachinesRestart)
{
    const TemporaryFolder folder;
    auto window = open(options_of(folder.file("w"), 1000, "boot-1", false));
    ASSERT_TRUE(window->spend(key, "n", 1000, 2000));
    window->close();
    EXPECT_FALSE(window->spend(key, "later", 1000, 2000));
    window.reset();
    window = open(options_of(folder.file("w"), 1001, "boot-2"));
    EXPECT_EQ(window->state(), MemoryState::complete);
    EXPECT_EQ(window->spend(key, "n", 1000, 2000).error().code, Code::replayed);
}

// [SIG-4]
TEST(RocksWindow, TheSweepTimeOutlivesTheProcess)
{
    const TemporaryFolder folder;
    auto window = open(options_of(folder.file("w"), 1000, "boot-1", false));
    ASSERT_TRUE(window->sweep(1500));
    const auto swept = window->swept_until();
    window.reset();
    window = open(options_of(folder.file("w"), 1501));
    EXPECT_EQ(window->swept_until(), swept);
    EXPECT_FALSE(window->spend(key, "n", 1400, swept));
}

TEST(RocksWindow, ASweepTimeThatIsNotDurableForgetsNothing)
{
    const TemporaryFolder folder;
    auto window = open(options_of(folder.file("w"), 1000, "boot-1", false));
    ASSERT_TRUE(window->spend(key, "n", 1000, 1100));
    testing::syncs_fail = true;
    EXPECT_FALSE(window->sweep(1500));
    testing::syncs_fail = false;
    // From then on it answers nothing: what its disk keeps is unknown.
    EXPECT_EQ(window->spend(key, "n", 1000, 1100).error().code, Code::unavailable);
    window->close();
    window.reset();
    window = open(options_of(folder.file("w"), 1501));
    EXPECT_EQ(window->state(), MemoryState::incomplete);
    EXPECT_EQ(window->spend(key, "n", 1562, 1700).error().code, Code::replayed);
}

TEST(RocksWindow, ASweepTakesAllInSeveralSteps)
{
    const TemporaryFolder folder;
    auto window = open(options_of(folder.file("w"), 1000, "boot-1", false));
    constexpr int count = 25'000;
    for (int i = 0; i < count; ++i) {
        ASSERT_TRUE(window->spend(key, std::to_string(i), 1000, 1100));
    }
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(window->sweep(1500));
    for (int i = 0; i < count; ++i) {
        ASSERT_TRUE(window->spend(key, std::to_string(i), 1400, 1600)) << i;
    }
}

TEST(RocksWindow, ADamagedFolderIsMovedAsideAndMadeAnew)
{
    const TemporaryFolder folder;
    const auto path = folder.file("w");
    open(options_of(path, 1000, "boot-1", false))->close();
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
        const auto name = entry.path().filename().string();
        if (name.starts_with("MANIFEST")) {
            std::ofstream(entry.path(), std::ios::trunc) << "this is no manifest at all";
        }
    }
    auto window = open(options_of(path, 2000));
    EXPECT_EQ(window->state(), MemoryState::incomplete);
    EXPECT_FALSE(window->spend(key, "n", 2060, 3000));
    EXPECT_TRUE(window->spend(key, "n", 2061, 3000));
    EXPECT_TRUE(std::filesystem::exists(path + ".damaged-2000"));
}

TEST(RocksWindow, AFolderInUseIsRefusedAndLeftAlone)
{
    const TemporaryFolder folder;
    auto window = open(options_of(folder.file("w"), 1000, "boot-1", false));
    EXPECT_FALSE(open_rocks_window(options_of(folder.file("w"), 1001)));
    EXPECT_TRUE(window->spend(key, "n", 1000, 2000));
}

// --- the index by event id ----------------------------------------------------------------

protocol::Hash id_of(std::int64_t number)
{
    return protocol::sha256("event " + std::to_string(number));
}

// Events of `from` … `to` - 1, a commit's worth at a time.
void index_events(ReplayMemory& window, std::int64_t from, std::int64_t to)
{
    constexpr std::int64_t at_once = 1'000;
    for (auto first = from; first < to; first += at_once) {
        std::vector<IndexedEvent> events;
        for (auto i = first; i < std::min(to, first + at_once); ++i)
            events.push_back({id_of(i), {i % 64, i}});
        ASSERT_TRUE(window.events().add_events(events, IndexMark{first, "run"}));
    }
}

using Places = std::vector<EventPlace>;

TEST(RocksWindow, FindsIndexedEventsInThisStartAndTheNext)
{
    const TemporaryFolder folder;
    auto window = open(options_of(folder.file("w"), 1000, "boot-1", false));
    EXPECT_EQ(window->events().index_mark().value(), std::nullopt);
    const std::vector<EventPlace> places = {{1, 1}, {127, 128}, {5'000'000, 300'000'000'000}};
    std::vector<IndexedEvent> events;
    for (const auto& place : places) events.push_back({id_of(place.seq), place});
    ASSERT_TRUE(window->events().add_events(events, std::nullopt));
    EXPECT_EQ(window->events().index_mark().value(), std::nullopt);
    ASSERT_TRUE(window->events().add_events({}, IndexMark{200, "a run"}));
    for (int i = 0; i < 2; ++i) {
        for (const auto& place : places)
            EXPECT_EQ(window->events().find_event(id_of(place.seq)).value(), Places{place});
        EXPECT_EQ(window->events().find_event(id_of(2)).value(), Places{});
        EXPECT_EQ(window->events().index_mark().value(), (IndexMark{200, "a run"}));
        window->close();
        window.reset();
        window = open(options_of(folder.file("w"), 1001));
    }
}

TEST(RocksWindow, AnEventIsFoundHoweverManyCameAfterIt)
{
    // While it was bounded, 64 MiB held about 700,000 of them.
    constexpr std::int64_t count = 1'000'000;
    const TemporaryFolder folder;
    auto window = open(options_of(folder.file("w"), 1000, "boot-1", false));
    index_events(*window, 0, count);
    for (int i = 0; i < 2; ++i) {
        for (std::int64_t number = 0; number < count; number += 997)
            ASSERT_EQ(window->events().find_event(id_of(number)).value(),
                      (Places{{number % 64, number}}));
        EXPECT_EQ(window->events().find_event(id_of(count)).value(), Places{});
        window->close();
        window.reset();
        window = open(options_of(folder.file("w"), 1001));
    }
}

TEST(RocksWindow, OfIdsThatBeginAlikeAllAreFoundUpToABound)
{
    const TemporaryFolder folder;
    auto window = open(options_of(folder.file("w"), 1000, "boot-1", false));
    auto id = id_of(1);
    for (std::int64_t i = 1; i <= 16; ++i) {
        id[31] = static_cast<std::uint8_t>(i);
        ASSERT_TRUE(window->events().add_events({{id, {1, i}}}, std::nullopt));
        EXPECT_EQ(window->events().find_event(id)->size(), static_cast<std::size_t>(i));
    }
    ASSERT_TRUE(window->events().add_events({{id, {1, 17}}}, std::nullopt));
    EXPECT_EQ(window->events().find_event(id)->size(), 16U);
}

TEST(RocksWindow, TakesOverTheFolderOfABoundedIndex)
{
    const TemporaryFolder folder;
    const auto path = folder.file("w");
    auto window = open(options_of(path, 1000, "boot-1", false));
    ASSERT_TRUE(window->spend(key, "n", 1000, 2000));
    window->close();
    window.reset();
    {
        // As it was left by a program that knew no `events`.
        std::vector<std::string> names;
        ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, path, &names).ok());
        std::vector<rocksdb::ColumnFamilyDescriptor> families;
        for (const auto& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
        std::vector<rocksdb::ColumnFamilyHandle*> handles;
        rocksdb::DB* opened = nullptr;
        ASSERT_TRUE(rocksdb::DB::Open({}, path, families, &handles, &opened).ok());
        const std::unique_ptr<rocksdb::DB> old(opened);
        ASSERT_TRUE(old->DropColumnFamily(handles.back()).ok());
        rocksdb::ColumnFamilyOptions bounded;
        bounded.compaction_style = rocksdb::kCompactionStyleFIFO;
        bounded.num_levels = 1;
        ASSERT_TRUE(old->CreateColumnFamily(bounded, "seen", &handles.emplace_back()).ok());
        for (int i = 0; i < 10; ++i) {
            const auto id = id_of(i);
            ASSERT_TRUE(old->Put({}, handles.back(),
                                 rocksdb::Slice(reinterpret_cast<const char*>(id.data()), 32),
                                 "a place")
                            .ok());
            ASSERT_TRUE(old->Flush({}, handles.back()).ok());
        }
        for (auto* handle : handles) ASSERT_TRUE(old->DestroyColumnFamilyHandle(handle).ok());
    }
    for (int i = 0; i < 2; ++i) {
        window = open(options_of(path, 1001));
        EXPECT_EQ(window->state(), MemoryState::complete);
        EXPECT_EQ(window->spend(key, "n", 1000, 2000).error().code, Code::replayed);
        EXPECT_EQ(window->events().index_mark().value(), std::nullopt);
        EXPECT_EQ(window->events().find_event(id_of(1)).value(), Places{});
        window->close();
        window.reset();
        std::vector<std::string> names;
        ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, path, &names).ok());
        EXPECT_EQ(names, (std::vector<std::string>{"default", "nonces", "expiry", "events"}));
    }
}

}  // namespace
}  // namespace entente::storage
