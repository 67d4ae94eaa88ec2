// The disk that is played: what a cut takes, what it leaves, which calls fail.
#include "tests/fault/disk.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/storage/support.hpp"

namespace entente::fault {
namespace {

using storage::testing::TemporaryFolder;

class DiskTest : public ::testing::Test {
 protected:
    Disk::File open(Disk& disk, const std::string& name, Disk::Mode mode = Disk::Mode::create) const
    {
        auto file = disk.open(folder_.file(name), mode);
        if (!file) throw std::runtime_error("open " + name);
        return *file;
    }
    static std::string read(Disk& disk, const Disk::File& file)
    {
        std::string octets(static_cast<std::size_t>(disk.size(file)), '?');
        const auto got = disk.read(file, 0, octets.data(), octets.size());
        if (!got) return "error " + std::to_string(got.error());
        octets.resize(*got);
        return octets;
    }
    // What the machine's own file system has, or nothing.
    std::optional<std::string> durable(const std::string& name) const
    {
        std::ifstream file(folder_.file(name), std::ios::binary);
        if (!file) return std::nullopt;
        std::stringstream text;
        text << file.rdbuf();
        return text.str();
    }
    void put(Disk& disk, const std::string& name, std::string_view content) const
    {
        const auto file = open(disk, name, Disk::Mode::create_anew);
        ASSERT_TRUE(disk.write(file, 0, content));
        ASSERT_TRUE(disk.sync(file));
        ASSERT_TRUE(disk.sync_folder(folder_.path()));
    }
    TemporaryFolder folder_;
};

TEST_F(DiskTest, WhatWasNotSyncedIsSeenAndIsGoneAfterACut)
{
    Disk disk;
    put(disk, "a", "durable");
    const auto file = open(disk, "a");
    ASSERT_TRUE(disk.write(file, 3, "ING and more"));
    EXPECT_EQ(read(disk, file), "durING and more");
    EXPECT_EQ(durable("a"), "durable");
    disk.cut();
    EXPECT_FALSE(disk.write(file, 0, "x"));
    EXPECT_FALSE(disk.open(folder_.file("a"), Disk::Mode::existing));
    disk.power_on();
    EXPECT_EQ(read(disk, open(disk, "a")), "durable");
    EXPECT_EQ(disk.sync(file).error(), EIO) << "a file that was open before the cut";
}

TEST_F(DiskTest, ANewFileNeedsItsFolderSynced)
{
    Disk disk;
    const auto file = open(disk, "a");
    ASSERT_TRUE(disk.write(file, 0, "content"));
    ASSERT_TRUE(disk.sync(file));
    EXPECT_EQ(durable("a"), std::nullopt);
    ASSERT_TRUE(disk.sync_folder(folder_.path()));
    EXPECT_EQ(durable("a"), "content");
}

TEST_F(DiskTest, ARenameReplacesWholeOrNotAtAll)
{
    Disk disk;
    put(disk, "current", "old");
    const auto file = open(disk, "next");
    ASSERT_TRUE(disk.write(file, 0, "new"));
    ASSERT_TRUE(disk.sync(file));
    ASSERT_TRUE(disk.rename(folder_.file("next"), folder_.file("current")));
    EXPECT_EQ(read(disk, open(disk, "current")), "new");
    EXPECT_EQ(disk.size_of(folder_.file("next")).error(), ENOENT);
    EXPECT_EQ(durable("current"), "old");
    ASSERT_TRUE(disk.sync_folder(folder_.path()));
    EXPECT_EQ(durable("current"), "new");
    EXPECT_EQ(disk.list(folder_.path()).value(), std::vector<std::string>{"current"});
}

TEST_F(DiskTest, ARemovedFileComesBackUnlessItsFolderWasSynced)
{
    Disk disk;
    put(disk, "a", "one");
    put(disk, "b", "two");
    ASSERT_TRUE(disk.remove(folder_.file("a")));
    ASSERT_TRUE(disk.sync_folder(folder_.path()));
    ASSERT_TRUE(disk.remove(folder_.file("b")));
    EXPECT_TRUE(disk.list(folder_.path()).value().empty());
    disk.cut();
    disk.power_on();
    EXPECT_EQ(disk.list(folder_.path()).value(), std::vector<std::string>{"b"});
}

TEST_F(DiskTest, ATruncationIsForgottenUnlessSynced)
{
    Disk disk;
    put(disk, "a", "0123456789");
    auto file = open(disk, "a");
    ASSERT_TRUE(disk.truncate(file, 4));
    ASSERT_TRUE(disk.append(file, "ab"));
    EXPECT_EQ(read(disk, file), "0123ab");
    disk.cut();
    disk.power_on();
    file = open(disk, "a");
    EXPECT_EQ(read(disk, file), "0123456789");
    ASSERT_TRUE(disk.truncate(file, 4));
    ASSERT_TRUE(disk.write(file, 8, "z"));
    ASSERT_TRUE(disk.sync(file));
    EXPECT_EQ(durable("a"), std::string("0123\0\0\0\0z", 9));
}

TEST_F(DiskTest, SurvivorsAreWholeSectorsChosenByTheSeed)
{
    constexpr std::size_t sectors = 400;
    const auto survivors = [&](std::uint64_t seed) {
        Disk disk({seed, 0.5, {}});
        const auto name = "a" + std::to_string(seed);
        put(disk, name, std::string(sectors * sector_octets, 'o'));
        const auto file = open(disk, name);
        EXPECT_TRUE(disk.write(file, 0, std::string(sectors * sector_octets, 'n')));
        disk.cut();
        const auto left = durable(name).value();
        std::set<std::size_t> found;
        for (std::size_t i = 0; i < sectors; ++i) {
            const auto sector = left.substr(i * sector_octets, sector_octets);
            EXPECT_EQ(sector.find_first_not_of(sector[0]), std::string::npos) << "torn inside";
            if (sector[0] == 'n') found.insert(i);
        }
        return found;
    };
    const auto first = survivors(1);
    EXPECT_GT(first.size(), sectors / 4);
    EXPECT_LT(first.size(), sectors * 3 / 4);
    EXPECT_EQ(survivors(1), first);
    EXPECT_NE(survivors(2), first);
}

TEST_F(DiskTest, ACutInTheMidstOfASyncLeavesAPartOfIt)
{
    Disk disk({7, 0.5, {}});
    put(disk, "a", std::string(100 * sector_octets, 'o'));
    const auto file = open(disk, "a");
    ASSERT_TRUE(disk.write(file, 0, std::string(100 * sector_octets, 'n')));
    const auto before = durable("a").value();
    disk.add({Op::sync, "", 1, 1, power_cut});
    EXPECT_FALSE(disk.sync(file));
    EXPECT_NE(durable("a").value(), before);
    EXPECT_NE(durable("a").value(), std::string(100 * sector_octets, 'n'));
}

TEST_F(DiskTest, APageThatASyncLostIsSeenAndNeverWrittenAgain)
{
    Disk disk;
    put(disk, "a", "old");
    const auto file = open(disk, "a");
    ASSERT_TRUE(disk.write(file, 0, "new"));
    disk.add({Op::sync, "", 1, 1, EIO});
    EXPECT_EQ(disk.sync(file).error(), EIO);
    EXPECT_TRUE(disk.sync(file)) << "the kernel tells once";
    EXPECT_EQ(read(disk, file), "new");
    EXPECT_EQ(durable("a"), "old");
    ASSERT_TRUE(disk.write(file, 0, "NEW"));
    EXPECT_TRUE(disk.sync(file));
    EXPECT_EQ(durable("a"), "NEW") << "unless somebody writes it again";
}

TEST_F(DiskTest, TheNthCallOfAKindFailsOnFilesThatFit)
{
    Disk disk;
    const auto wal = open(disk, "db-wal");
    const auto db = open(disk, "db");
    disk.add({Op::write, "-wal", 2, 2, EIO});
    EXPECT_TRUE(disk.write(db, 0, "x"));
    EXPECT_TRUE(disk.write(wal, 0, "x"));
    EXPECT_EQ(disk.write(wal, 0, "x").error(), EIO);
    EXPECT_TRUE(disk.write(db, 0, "x"));
    EXPECT_EQ(disk.write(wal, 0, "x").error(), EIO);
    EXPECT_TRUE(disk.write(wal, 0, "x"));
    EXPECT_EQ(disk.struck(), 2U);
    EXPECT_EQ(disk.calls(Op::write), 6U);
}

TEST_F(DiskTest, AFullDiskTakesNoGrowthUntilItIsFreed)
{
    Disk disk;
    const auto file = open(disk, "a");
    ASSERT_TRUE(disk.append(file, "0123456789"));
    disk.set_space(4);
    EXPECT_EQ(disk.append(file, "abcdef").error(), ENOSPC);
    EXPECT_EQ(read(disk, file), "0123456789abcd") << "as much as fits was written";
    EXPECT_TRUE(disk.write(file, 0, "in place"));
    EXPECT_EQ(disk.append(file, "x").error(), ENOSPC);
    ASSERT_TRUE(disk.truncate(file, 12));
    EXPECT_TRUE(disk.append(file, "xy"));
    EXPECT_EQ(disk.append(file, "z").error(), ENOSPC);
    disk.set_space(std::nullopt);
    EXPECT_TRUE(disk.append(file, std::string(100'000, 'z')));
}

TEST_F(DiskTest, KeptFilesLoseNothing)
{
    Disk disk;
    disk.keep("kept");
    const auto file = open(disk, "kept");
    ASSERT_TRUE(disk.append(file, "never synced"));
    ASSERT_TRUE(disk.append(open(disk, "other"), "never synced"));
    disk.cut();
    EXPECT_EQ(durable("kept"), "never synced");
    EXPECT_EQ(durable("other"), std::nullopt);
}

TEST_F(DiskTest, WhatAKilledProcessLeftBehindIsCleared)
{
    std::ofstream(folder_.file(".volatile-1")) << "of a new file whose name was never durable";
    Disk disk;
    put(disk, "a", "x");
    EXPECT_EQ(disk.list(folder_.path()).value(), std::vector<std::string>{"a"});
    EXPECT_EQ(durable(".volatile-1"), std::nullopt);
}

}  // namespace
}  // namespace entente::fault
