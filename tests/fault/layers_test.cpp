// The two layers under real SQLite and real RocksDB.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sqlite3.h>

#include "storage/sqlite/database.hpp"
#include "tests/fault/rocks_files.hpp"
#include "tests/fault/sqlite_vfs.hpp"
#include "tests/storage/support.hpp"

namespace entente::fault {
namespace {

using storage::Connection;
using storage::testing::integers;
using storage::testing::TemporaryFolder;

constexpr std::array schema = {
    storage::Migration{1, "item", "CREATE TABLE item (id INTEGER PRIMARY KEY, filling BLOB);"}};

class SqliteLayer : public ::testing::Test {
 protected:
    void use(DiskOptions options = {})
    {
        vfs_.reset();
        disk_ = std::make_unique<Disk>(std::move(options));
        vfs_ = std::make_unique<SqliteVfs>(*disk_, "layers-test");
    }
    std::unique_ptr<storage::Database> database() const
    {
        return storage::make_sqlite_database(folder_.file("db"), schema, vfs_->name());
    }
    static Result<void> insert(Connection& db, int id, int octets = 10)
    {
        if (auto begun = db.begin(); !begun) return begun;
        auto done = db.execute("INSERT INTO item VALUES (" + std::to_string(id) + ", zeroblob(" +
                               std::to_string(octets) + "))");
        if (done) done = db.commit();
        if (!done) db.rollback();
        return done;
    }
    void cut() { disk_->cut(); }

    TemporaryFolder folder_;
    std::unique_ptr<Disk> disk_;
    std::unique_ptr<SqliteVfs> vfs_;
};

TEST_F(SqliteLayer, WhatWasCommittedIsThereAfterACut)
{
    use();
    for (int round = 0; round < 3; ++round) {
        auto made = database();
        auto db = made->open_writer().value();
        for (int i = 0; i < 5; ++i) ASSERT_TRUE(insert(*db, round * 5 + i));
        cut();
        db.reset();
        disk_->power_on();
    }
    auto made = database();
    auto db = made->open_writer().value();
    EXPECT_EQ(integers(*db, "SELECT id FROM item ORDER BY id").size(), 15U);
}

// The layer would be blind if this could not be seen: without syncs a cut must take it.
TEST_F(SqliteLayer, WithoutSyncsACutTakesCommits)
{
    use();
    auto made = database();
    auto db = made->open_writer().value();
    ASSERT_TRUE(insert(*db, 1));
    ASSERT_TRUE(db->execute("PRAGMA synchronous=OFF"));
    ASSERT_TRUE(insert(*db, 2));
    cut();
    db.reset();
    disk_->power_on();
    db = made->open_writer().value();
    EXPECT_EQ(integers(*db, "SELECT id FROM item"), std::vector<std::int64_t>{1});
}

TEST_F(SqliteLayer, AFullDiskIsNoBrokenDisk)
{
    use();
    auto made = database();
    auto db = made->open_writer().value();
    ASSERT_TRUE(insert(*db, 1));
    disk_->set_space(0);
    auto refused = insert(*db, 2, 100'000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unavailable);
    EXPECT_FALSE(made->is_broken());
    EXPECT_EQ(integers(*db, "SELECT id FROM item"), std::vector<std::int64_t>{1});
    disk_->set_space(std::nullopt);
    EXPECT_TRUE(insert(*db, 3));
}

TEST_F(SqliteLayer, AFailedSyncBreaksTheDatabase)
{
    use();
    auto made = database();
    auto db = made->open_writer().value();
    disk_->add({Op::sync, "-wal", 1, 1, EIO});
    EXPECT_FALSE(insert(*db, 1));
    EXPECT_TRUE(made->is_broken());
}

class RocksLayer : public ::testing::Test {
 protected:
    void open()
    {
        rocksdb::Options options;
        options.create_if_missing = true;
        options.env = env_.get();
        rocksdb::DB* db = nullptr;
        const auto status = rocksdb::DB::Open(options, folder_.file("rocks"), &db);
        ASSERT_TRUE(status.ok()) << status.ToString();
        db_.reset(db);
    }
    void cut_and_open()
    {
        disk_.cut();
        db_.reset();
        disk_.power_on();
        open();
    }
    rocksdb::Status put(const std::string& key, bool sync)
    {
        rocksdb::WriteOptions options;
        options.sync = sync;
        return db_->Put(options, key, std::string(1'000, 'v'));
    }
    bool has(const std::string& key)
    {
        std::string value;
        return db_->Get({}, key, &value).ok();
    }

    TemporaryFolder folder_;
    Disk disk_;
    std::unique_ptr<rocksdb::Env> env_ = make_rocks_env(disk_);
    std::unique_ptr<rocksdb::DB> db_;
};

TEST_F(RocksLayer, ACutTakesWhatWasNotSyncedAndNothingElse)
{
    open();
    ASSERT_TRUE(put("durable", true).ok());
    ASSERT_TRUE(put("lost", false).ok());
    EXPECT_TRUE(has("lost"));
    cut_and_open();
    EXPECT_TRUE(has("durable"));
    EXPECT_FALSE(has("lost"));
}

TEST_F(RocksLayer, FlushedTablesOutliveACut)
{
    open();
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(put("key " + std::to_string(i), false).ok());
        ASSERT_TRUE(db_->Flush({}).ok());
    }
    ASSERT_TRUE(db_->CompactRange({}, nullptr, nullptr).ok());
    cut_and_open();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(has("key " + std::to_string(i)));
}

TEST_F(RocksLayer, AFailedSyncAndAFullDiskAreTold)
{
    open();
    disk_.set_space(100);
    EXPECT_TRUE(put("too much", false).IsNoSpace());
    disk_.set_space(std::nullopt);
    db_.reset();
    open();
    EXPECT_TRUE(put("resumed", true).ok());
    disk_.add({Op::sync, "", 1, 1, EIO});
    EXPECT_TRUE(put("unsynced", true).IsIOError());
}

}  // namespace
}  // namespace entente::fault
