// What the RocksDB window keeps over ends of every kind, and what it admits to have lost.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

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

TEST(RocksWindow, AMissingFolderOfAnOldServerIsALoss)
{
    const TemporaryFolder folder;
    auto window = open(options_of(folder.file("w"), 1000));
    EXPECT_EQ(window->state(), MemoryState::incomplete);
    auto refused = window->spend(key, "n", 1059, 2000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unavailable);
    EXPECT_TRUE(window->spend(key, "n", 1060, 2000));
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
    EXPECT_EQ(window->spend(key, "n", 1561, 1700).error().code, Code::replayed);
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
    EXPECT_FALSE(window->spend(key, "n", 2059, 3000));
    EXPECT_TRUE(window->spend(key, "n", 2060, 3000));
    EXPECT_TRUE(std::filesystem::exists(path + ".damaged-2000"));
}

TEST(RocksWindow, AFolderInUseIsRefusedAndLeftAlone)
{
    const TemporaryFolder folder;
    auto window = open(options_of(folder.file("w"), 1000, "boot-1", false));
    EXPECT_FALSE(open_rocks_window(options_of(folder.file("w"), 1001)));
    EXPECT_TRUE(window->spend(key, "n", 1000, 2000));
}

TEST(RocksWindow, RemembersWhatWasSeen)
{
    const TemporaryFolder folder;
    auto window = open(options_of(folder.file("w"), 1000, "boot-1", false));
    EXPECT_EQ(window->find("event").error().code, Code::not_found);
    window->remember("event", {"channel@a.example", 77});
    window->close();
    window.reset();
    window = open(options_of(folder.file("w"), 1001));
    auto seen = window->find("event");
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->channel, "channel@a.example");
    EXPECT_EQ(seen->seq, 77);
}

}  // namespace
}  // namespace entente::storage
