#include "tests/fault/commands.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/storage/support.hpp"

namespace entente::fault {
namespace {

TEST(DiskCommands, SayWhatADiskDoes)
{
    const storage::testing::TemporaryFolder folder;
    const auto options = options_in("seed 7; survive 0.25; fail any 1");
    EXPECT_EQ(options.seed, 7U);
    EXPECT_EQ(options.survival, 0.25);
    Disk disk(options);
    obey(disk, "seed 7; fail write 2 ever -wal\nfull write 1 1 other; space 1000");
    const auto wal = disk.open(folder.file("db-wal"), Disk::Mode::create).value();
    const auto other = disk.open(folder.file("other"), Disk::Mode::create).value();
    EXPECT_TRUE(disk.append(wal, "x"));
    EXPECT_EQ(disk.append(wal, "x").error(), EIO);
    EXPECT_EQ(disk.append(wal, "x").error(), EIO);
    EXPECT_EQ(disk.append(other, "x").error(), ENOSPC);
    EXPECT_EQ(disk.append(other, std::string(2'000, 'x')).error(), ENOSPC);
    obey(disk, "heal; space free");
    EXPECT_TRUE(disk.append(wal, std::string(2'000, 'x')));
    obey(disk, "cut sync 1 -wal");
    EXPECT_TRUE(disk.append(other, "x"));
    EXPECT_FALSE(disk.sync(wal));
    EXPECT_FALSE(disk.append(other, "x"));
}

TEST(DiskCommands, SlowSyncsTakeTheirTimeAndOthersDoNot)
{
    const storage::testing::TemporaryFolder folder;
    Disk disk;
    obey(disk, "slow 30 -wal");
    const auto wal = disk.open(folder.file("db-wal"), Disk::Mode::create).value();
    const auto other = disk.open(folder.file("other"), Disk::Mode::create).value();
    const auto time_of_sync = [&](const Disk::File& file) {
        const auto begin = std::chrono::steady_clock::now();
        EXPECT_TRUE(disk.sync(file));
        return std::chrono::steady_clock::now() - begin;
    };
    EXPECT_GE(time_of_sync(wal), std::chrono::milliseconds(30));
    EXPECT_LT(time_of_sync(other), std::chrono::milliseconds(30));
    obey(disk, "heal");
    EXPECT_LT(time_of_sync(wal), std::chrono::milliseconds(30));
}

TEST(DiskCommands, WhatIsNoCommandIsRefused)
{
    Disk disk;
    for (const char* const text :
         {"fial write 1", "fail wriet 1", "fail write", "space", "keep", "slow"})
        EXPECT_THROW(obey(disk, text), std::runtime_error) << text;
    EXPECT_THROW((void)options_in("seed"), std::runtime_error);
}

}  // namespace
}  // namespace entente::fault
