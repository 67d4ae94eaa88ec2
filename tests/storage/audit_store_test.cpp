// The audit log in a database: appended in the transaction of the act, and never changed.
#include <gtest/gtest.h>

#include "storage/audit_store.hpp"
#include "storage/sqlite/database.hpp"
#include "support.hpp"

namespace entente::storage {
namespace {

const auto server = protocol::ServerName::trusted("a.example");

class AuditStore : public ::testing::Test {
 protected:
    AuditStore()
        : database(make_sqlite_database(folder.file("db"))), db(database->open_writer().value())
    {
    }
    trust::AuditEntry append(const std::string& object, protocol::Millis at)
    {
        return append_audit(*db, server, at, {audit_operator, "user.ban", object, R"({"a":1})"})
            .value();
    }

    testing::TemporaryFolder folder;
    std::unique_ptr<Database> database;
    std::unique_ptr<Connection> db;
};

TEST_F(AuditStore, EachEntryFollowsTheOneBefore)
{
    EXPECT_EQ(audit_head(*db).value(), trust::AuditHead{});
    const auto first = append("a", 10);
    const auto second = append("b", 20);
    EXPECT_EQ(first.seq, 1);
    EXPECT_EQ(first.previous, "");
    EXPECT_EQ(second.seq, 2);
    EXPECT_EQ(second.previous, first.hash);
    EXPECT_EQ(second.hash, trust::audit_hash(server, second));
    EXPECT_EQ(audit_head(*db).value(), (trust::AuditHead{2, second.hash}));
    const auto third = append("c", 5);
    EXPECT_EQ(third.at, 20) << "a clock that went back makes no entry older than the last";

    EXPECT_EQ(audit_between(*db, 0, 9, 9).value(), (std::vector{first, second, third}));
    EXPECT_EQ(audit_between(*db, 1, 2, 9).value(), std::vector{second});
    EXPECT_EQ(audit_between(*db, 0, 9, 1).value(), std::vector{first});
    EXPECT_EQ(audit_before(*db, 3, 9).value(), (std::vector{second, first}));
    EXPECT_EQ(audit_before(*db, 9, 1).value(), std::vector{third});
}

TEST_F(AuditStore, NothingLeavesItAndNothingInItChanges)
{
    append("a", 10);
    const auto last = append("b", 20);
    for (const auto* sql :
         {"UPDATE audit SET object = 'c' WHERE seq = 1", "DELETE FROM audit",
          "DELETE FROM audit WHERE seq = 2",
          "INSERT INTO audit VALUES (1, 1, 'a', 'a', 'a', '{}', '', '')",
          "INSERT OR REPLACE INTO audit VALUES (2, 1, 'a', 'a', 'a', '{}', '', '')",
          "INSERT INTO audit VALUES (4, 1, 'a', 'a', 'a', '{}', '', '')"})
        EXPECT_FALSE(db->execute(sql)) << sql;
    EXPECT_EQ(audit_head(*db).value(), (trust::AuditHead{2, last.hash}));
    EXPECT_TRUE(db->execute("INSERT INTO audit VALUES (3, 1, 'a', 'a', 'a', '{}', '', '')"));
}

TEST_F(AuditStore, ItIsUndoneWithTheActItTellsOf)
{
    append("a", 10);
    ASSERT_TRUE(db->begin());
    append("b", 20);
    db->rollback();
    EXPECT_EQ(audit_head(*db)->seq, 1);
    EXPECT_EQ(append("c", 30).seq, 2);
}

TEST_F(AuditStore, WhatCantBeAnEntryIsRefusedAndWritesNothing)
{
    const auto refused = append_audit(*db, server, 1, {"", "act", "object"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::internal);
    EXPECT_EQ(audit_head(*db)->seq, 0);
}

}  // namespace
}  // namespace entente::storage
