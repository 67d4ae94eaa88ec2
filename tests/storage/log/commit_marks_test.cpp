// When a database counts as one that may have been put back [LOG-5].
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "storage/commit_marks.hpp"
#include "storage/nonce_window.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/storage/support.hpp"

namespace entente::storage {
namespace {

namespace fs = std::filesystem;

constexpr char add_channel[] =
    "INSERT INTO server (id, name) VALUES (1, 'a.example') ON CONFLICT DO NOTHING; "
    "INSERT INTO channel (id, name, home, floor, state) VALUES (1, 'c', 1, 0, '') "
    "ON CONFLICT DO NOTHING;";

class CommitMarksTest : public ::testing::Test {
 protected:
    CommitMarksTest() { start(); }

    // As the daemon does it; true where older data may have been put back.
    bool start(const std::string& boot = "boot-1")
    {
        stop();
        auto database = make_sqlite_database(folder.file("db"));
        db = std::move(database->open_writer().value());
        EXPECT_TRUE(db->execute(add_channel));
        RocksWindowOptions options;
        options.folder = folder.file("window");
        options.boot_id = boot;
        window = std::move(open_rocks_window(options).value());
        file = std::move(open_commit_file(folder.file("newest"), boot).value());
        marks = std::make_unique<CommitMarks>(&window->commits(), file.get());
        const bool restored = marks->may_be_restored(*db).value();
        EXPECT_TRUE(marks->accept(*db));
        return restored;
    }
    void stop()
    {
        marks.reset();
        file.reset();
        if (window) window->close();
        window.reset();
        db.reset();
    }
    // A run, and what the writer does behind its commit. `told`: not killed in between.
    void commit(bool told = true)
    {
        ++last;
        const auto hash = "hash " + std::to_string(last) + past;
        auto added = db->execute(
            "INSERT INTO run (channel, last, first, epoch, prev_hash, proofs, "
            "body) VALUES (1, " +
            std::to_string(last) + ", 1, 1, '" + hash + "', '', '')");
        ASSERT_TRUE(added);
        if (told) marks->committed(newest_run(*db).value());
    }
    void back_up()
    {
        stop();
        copies = last;
        fs::copy_file(folder.file("db"), folder.file("db.old"),
                      fs::copy_options::overwrite_existing);
        fs::remove_all(folder.file("window.old"));
        fs::copy(folder.file("window"), folder.file("window.old"), fs::copy_options::recursive);
    }
    void put_back(bool window_too)
    {
        stop();
        last = copies;
        for (const char* end : {"", "-wal", "-shm"}) fs::remove(folder.file("db") + end);
        fs::copy_file(folder.file("db.old"), folder.file("db"));
        if (!window_too) return;
        fs::remove_all(folder.file("window"));
        fs::copy(folder.file("window.old"), folder.file("window"), fs::copy_options::recursive);
    }

    testing::TemporaryFolder folder;
    std::unique_ptr<Connection> db;
    std::unique_ptr<ReplayMemory> window;
    std::unique_ptr<CommitMemory> file;
    std::unique_ptr<CommitMarks> marks;
    int last = 0, copies = 0;
    std::string past;
};

TEST_F(CommitMarksTest, ANewServerAndOneThatOnlyStartsAgainAreNotRestored)
{
    EXPECT_FALSE(start());
    commit();
    EXPECT_FALSE(start());
    commit();
    commit();
    EXPECT_FALSE(start());
}

TEST_F(CommitMarksTest, ACommitThatNobodyNotedIsNoOlderDatabase)
{
    commit();
    commit(false);
    EXPECT_FALSE(start());
}

TEST_F(CommitMarksTest, ADatabasePutBackAloneIsNoticed)
{
    commit();
    back_up();
    start();
    commit();
    put_back(false);
    EXPECT_TRUE(start());
    EXPECT_FALSE(start());
}

TEST_F(CommitMarksTest, ADataFolderPutBackWholeIsNoticedByTheRunTimeFile)
{
    commit();
    back_up();
    start();
    commit();
    put_back(true);
    EXPECT_TRUE(start());
}

TEST_F(CommitMarksTest, AnotherPastWithTheSameNumbersIsNoticed)
{
    commit();
    back_up();
    start();
    commit();
    put_back(true);
    start();
    past = "!";
    commit();
    const auto other = fs::path(folder.file("newest.other"));
    fs::copy_file(folder.file("newest"), other);
    put_back(true);
    start();
    past = "?";
    commit();
    stop();
    fs::copy_file(other, folder.file("newest"), fs::copy_options::overwrite_existing);
    EXPECT_TRUE(start());
}

TEST_F(CommitMarksTest, AfterTheMachineWasDownNothingIsKnown)
{
    commit();
    EXPECT_TRUE(start("boot-2"));
    EXPECT_FALSE(start("boot-2"));
}

TEST_F(CommitMarksTest, ALostWindowOrRunTimeFolderMayHideAnOlderDatabase)
{
    commit();
    stop();
    fs::remove_all(folder.file("window"));
    EXPECT_TRUE(start());
    stop();
    fs::remove(folder.file("newest"));
    EXPECT_TRUE(start());
    stop();
    std::ofstream(folder.file("newest")) << "entente-newest-run-1\nboot-1\n";
    EXPECT_TRUE(start());
    CommitMarks without(&window->commits(), nullptr);
    EXPECT_TRUE(without.may_be_restored(*db).value());
}

TEST_F(CommitMarksTest, AServerWithoutEntriesHasNothingToLose)
{
    stop();
    fs::remove(folder.file("newest"));
    EXPECT_FALSE(start("boot-2"));
}

TEST_F(CommitMarksTest, AFileThatCantBeWrittenIsGoneForTheNextStart)
{
    const std::string name(600, 'x');  // more than one record holds
    auto kept = std::move(open_commit_file(folder.file("long"), "boot-1").value());
    EXPECT_FALSE(kept->set_newest_run({1, name}));
    EXPECT_FALSE(fs::exists(folder.file("long")));
    EXPECT_FALSE(kept->set_newest_run({1, "short"}));
}

}  // namespace
}  // namespace entente::storage
