// The simulation itself: a seed replays its run, time moves as it should, and a disk is
// read as it was left.
#include <filesystem>

#include <gtest/gtest.h>

#include "tests/sim/world.hpp"
#include "tests/storage/support.hpp"

namespace entente::sim {
namespace {

class Simulation : public ::testing::Test {
 protected:
    Simulation() { protocol::start_crypto(); }

    RunResult play(std::uint64_t seed)
    {
        storage::testing::TemporaryFolder folder;
        RunOptions options;
        options.seed = seed;
        options.folder = folder.path();
        return run_seed(options);
    }
};

TEST_F(Simulation, ASeedReplaysItsRun)
{
    for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
        const auto first = play(seed);
        const auto second = play(seed);
        EXPECT_EQ(first.hash, second.hash) << seed;
        EXPECT_EQ(first.steps, second.steps) << seed;
        EXPECT_EQ(first.faults, std::vector<std::string>{}) << seed;
    }
}

TEST_F(Simulation, AnotherSeedIsAnotherRun)
{
    EXPECT_NE(play(1).hash, play(2).hash);
}

// What no run does can't fail: over some seeds there is something of everything.
TEST_F(Simulation, RunsComeToSomething)
{
    RunResult sum;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const auto result = play(seed);
        sum.told += result.told;
        sum.entries += result.entries;
        sum.endings += result.endings;
    }
    EXPECT_GT(sum.told, 100U);
    EXPECT_GT(sum.entries, 100U);
    EXPECT_GT(sum.endings, 5U);
}

TEST(SimulatedTime, MovesToWhatComesNext)
{
    Timeline time;
    std::string happened;
    std::set<int> fired;
    time.after(milliseconds(20), [&] { happened += "b"; });
    time.after(milliseconds(10), [&] {
        happened += "a";
        time.after(milliseconds(0), [&] { happened += "A"; });
    });
    time.set_current(3);
    time.armed(time.in(milliseconds(15)));
    const auto end = time.in(milliseconds(18));
    EXPECT_TRUE(time.move_on(end, fired));
    EXPECT_EQ(happened, "aA");
    EXPECT_EQ(time.elapsed_ms(), 10);
    EXPECT_TRUE(time.move_on(end, fired));
    EXPECT_EQ(fired, std::set<int>{3});
    EXPECT_FALSE(time.move_on(end, fired));
    EXPECT_EQ(time.elapsed_ms(), 18);
    EXPECT_EQ(happened, "aA");
}

TEST(SimulatedWindow, LosesUnsyncedNoncesWithThePowerAndBelievesNothingOlder)
{
    WindowMemory memory;
    storage::RocksWindowOptions options;
    options.boot_id = "boot 1";
    options.start = 1'000;
    const protocol::KeyRef key{protocol::ServerName::trusted("a.example"),
                               protocol::KeyId::trusted("k")};
    auto window = open_simulated_window(memory, options);
    ASSERT_TRUE(window->spend(key, "n", 1'000, 1'300));
    Chance chance(1);
    memory.cut(chance);
    EXPECT_FALSE(window->spend(key, "m", 1'000, 1'300));  // its process is gone
    options.boot_id = "boot 2";
    options.start = 1'010;
    window = open_simulated_window(memory, options);
    EXPECT_EQ(window->state(), storage::MemoryState::incomplete);
    const auto again = window->spend(key, "n", 1'000, 1'300);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::unavailable);
    EXPECT_TRUE(window->spend(key, "n", 1'071, 1'371));
}

TEST(SimulatedWindow, AKilledProcessLosesNothing)
{
    WindowMemory memory;
    storage::RocksWindowOptions options;
    options.boot_id = "boot 1";
    const protocol::KeyRef key{protocol::ServerName::trusted("a.example"),
                               protocol::KeyId::trusted("k")};
    auto window = open_simulated_window(memory, options);
    ASSERT_TRUE(window->spend(key, "n", 1'000, 1'300));
    memory.orphan();
    window = open_simulated_window(memory, options);
    EXPECT_EQ(window->state(), storage::MemoryState::complete);
    const auto again = window->spend(key, "n", 1'000, 1'300);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::replayed);
}

TEST(SimulatedBackup, PutsBackWhatWasThereAndNothingElse)
{
    storage::testing::TemporaryFolder folder;
    fault::Disk disk;
    WindowMemory window;
    const auto put = [&](const std::string& name, const std::string& octets) {
        const auto file = disk.open(folder.file(name), fault::Disk::Mode::create_anew).value();
        ASSERT_TRUE(disk.write(file, 0, octets));
    };
    const auto read = [&](const std::string& name) {
        const auto file = disk.open(folder.file(name), fault::Disk::Mode::existing).value();
        std::string octets(disk.size(file), '\0');
        EXPECT_TRUE(disk.read(file, 0, octets.data(), octets.size()));
        return octets;
    };
    put("db", "old");
    const Backup backup(disk, folder.path(), window);
    put("db", "newer");
    put("db-wal", "more");
    backup.put_back(disk, folder.path(), &window);
    EXPECT_EQ(disk.list(folder.path()).value(), std::vector<std::string>{"db"});
    EXPECT_EQ(read("db"), "old");
    // Durable: nothing of it is lost with the power.
    disk.cut();
    disk.power_on();
    EXPECT_EQ(read("db"), "old");
}

}  // namespace
}  // namespace entente::sim
