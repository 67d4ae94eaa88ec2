// Checkpoints on a disk that fails: what they move from the WAL into the database is there
// before, during and after, and the WAL may be emptied or start anew at any moment.
#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "storage/sqlite/database.hpp"
#include "tests/fault/sqlite_vfs.hpp"
#include "tests/storage/support.hpp"

namespace entente::fault {
namespace {

using storage::Connection;
using storage::testing::integers;

constexpr std::array checkpoint_schema = {
    storage::Migration{1, "item", "CREATE TABLE item (id INTEGER PRIMARY KEY, filling BLOB);"}};
constexpr int rounds = 3;
constexpr int inserts_a_round = 8;
// So much that a round passes the size from which a checkpoint is made.
constexpr int octets_an_insert = 150'000;
// After so many calls without a commit a resting WAL is emptied.
constexpr int calls_at_rest = 22;

class Checkpoints : public ::testing::Test {
 protected:
    void use(DiskOptions options)
    {
        vfs_.reset();
        std::filesystem::remove_all(folder_.file("db"));
        std::filesystem::remove_all(folder_.file("db-wal"));
        std::filesystem::remove_all(folder_.file("db-shm"));
        disk_ = std::make_unique<Disk>(std::move(options));
        vfs_ = std::make_unique<SqliteVfs>(*disk_, "checkpoint-test");
    }
    static bool insert(Connection& db, int id)
    {
        const auto text = "INSERT INTO item VALUES (" + std::to_string(id) + ", randomblob(" +
                          std::to_string(octets_an_insert) + "))";
        const bool done = db.begin() && db.execute(text) && db.commit();
        if (!done) db.rollback();
        return done;
    }
    // What was acknowledged.
    std::vector<int> work()
    {
        std::vector<int> told;
        auto database =
            storage::make_sqlite_database(folder_.file("db"), checkpoint_schema, vfs_->name());
        auto db = database->open_writer();
        for (int round = 0; db && round < rounds; ++round) {
            for (int i = 0; i < inserts_a_round; ++i) {
                const int id = round * inserts_a_round + i;
                if (!database->is_broken() && insert(**db, id)) told.push_back(id);
            }
            const int calls = round == 1 ? calls_at_rest : 2;
            for (int i = 0; i < calls && !database->is_broken(); ++i) database->maintain();
        }
        return told;
    }
    void expect_there(const std::vector<int>& told)
    {
        auto database =
            storage::make_sqlite_database(folder_.file("db"), checkpoint_schema, vfs_->name());
        auto db = database->open_writer();
        ASSERT_TRUE(db) << db.error().detail;
        const auto found = integers(**db, "SELECT id FROM item ORDER BY id");
        for (const int id : told) ASSERT_TRUE(std::ranges::binary_search(found, id)) << id;
        ASSERT_EQ(integers(**db,
                           "SELECT count(*) FROM pragma_integrity_check WHERE "
                           "integrity_check = 'ok'"),
                  std::vector<std::int64_t>{1});
    }

    storage::testing::TemporaryFolder folder_;
    std::unique_ptr<Disk> disk_;
    std::unique_ptr<SqliteVfs> vfs_;
};

TEST_F(Checkpoints, FailAtAnyCallAndLoseNothing)
{
    use({});
    ASSERT_EQ(work().size(), static_cast<std::size_t>(rounds * inserts_a_round));
    int cases = 0;
    for (const auto op : {Op::write, Op::truncate, Op::sync, Op::remove}) {
        const auto calls = disk_->calls(op);
        const std::uint64_t step = op == Op::write ? calls / 20 + 1 : 1;
        for (std::uint64_t n = 1; n <= calls; n += step) {
            for (const int error : {EIO, ENOSPC}) {
                if (error == ENOSPC && op != Op::write) continue;
                SCOPED_TRACE(std::string(name_of(op)) + " " + std::to_string(n) + " errno " +
                             std::to_string(error));
                use({});
                disk_->add({op, "", n, 1, error});
                const auto told = work();
                disk_->cut();
                disk_->heal();
                disk_->power_on();
                expect_there(told);
                ++cases;
                if (HasFatalFailure()) return;
            }
        }
        use({});
        ASSERT_FALSE(work().empty());
    }
    std::cout << cases << " cases\n";
}

TEST_F(Checkpoints, AreCutAtAnyCallAndLoseNothing)
{
    use({});
    ASSERT_FALSE(work().empty());
    const auto calls = disk_->all_calls();
    const auto step = calls / 30 + 1;
    for (std::uint64_t n = 1; n <= calls; n += step) {
        for (const double survival : {0.0, 0.5}) {
            SCOPED_TRACE("call " + std::to_string(n) + " survival " + std::to_string(survival));
            use({n, survival, {}});
            disk_->add({std::nullopt, "", n, 1, power_cut});
            const auto told = work();
            disk_->heal();
            disk_->power_on();
            expect_there(told);
            if (HasFatalFailure()) return;
        }
    }
}

}  // namespace
}  // namespace entente::fault
