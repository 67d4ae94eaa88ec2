// Cursors, unsent submissions, direct events and invitations as rows: what is owed to whom.
#include <gtest/gtest.h>

#include "storage/incoming_store.hpp"
#include "storage/outgoing_store.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/storage/support.hpp"

namespace entente::storage {
namespace {

using protocol::ChannelId;
using protocol::Hash;
using protocol::ServerName;

const ServerName self = ServerName::trusted("a.example");
const ServerName peer = ServerName::trusted("b.example");
const ChannelId garden = ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example");

class Owed : public ::testing::Test {
 protected:
    Owed() : database(make_sqlite_database(folder.file("db"))), db(database->open_writer().value())
    {
        EXPECT_TRUE(
            db->execute("INSERT INTO server (id, name) VALUES (1, 'a.example'), (2, 'b.example'), "
                        "(3, 'c.example');"
                        "INSERT INTO channel (id, name, home, floor, state) VALUES "
                        "(1, '0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example', 1, 0, ''), (2, "
                        "'followed', 3, 0, '');"
                        "INSERT INTO head (channel, epoch, seq, hash, at) VALUES (1, 1, 10, '', "
                        "0), (2, 1, 10, '', 0)"));
    }

    SubmissionRow submission(int number, const std::string& type = "message.create")
    {
        SubmissionRow row;
        row.channel = garden;
        row.home = peer;
        row.user = "alice@a.example";
        row.txn.octets[0] = static_cast<std::uint8_t>(number);
        row.event_id[0] = static_cast<std::uint8_t>(number);
        row.type = type;
        row.event = "event " + std::to_string(number);
        row.content = "content";
        row.at = number;
        return row;
    }
    std::vector<std::int64_t> unsent(std::int64_t after = 0)
    {
        std::vector<std::int64_t> ids;
        const auto rows = unsent_submissions(*db, peer, after, 100).value();
        for (const auto& row : rows) ids.push_back(row.id);
        return ids;
    }

    testing::TemporaryFolder folder;
    std::unique_ptr<Database> database;
    std::unique_ptr<Connection> db;
};

TEST_F(Owed, ACursorStartsAtItsFloorMovesAndEnds)
{
    ASSERT_TRUE(start_cursor(*db, 1, 2, 4));
    auto cursor = find_cursor(*db, 1, peer).value();
    ASSERT_TRUE(cursor);
    EXPECT_EQ(cursor->seq, 4);
    EXPECT_EQ(cursor->floor, 4);
    ASSERT_EQ(owed_logs(*db, self, peer)->size(), 1U);
    ASSERT_TRUE(set_cursor(*db, 1, 2, 10));
    EXPECT_TRUE(owed_logs(*db, self, peer)->empty());
    ASSERT_TRUE(set_cursor(*db, 1, 2, 6));
    ASSERT_TRUE(end_cursor(*db, 1, 2, 8));
    EXPECT_EQ(owed_logs(*db, self, peer)->at(0).until, 8);
    ASSERT_TRUE(set_cursor(*db, 1, 2, 8));
    EXPECT_TRUE(owed_logs(*db, self, peer)->empty());
    ASSERT_TRUE(start_cursor(*db, 1, 2, 9));
    EXPECT_EQ(find_cursor(*db, 1, peer).value()->until, 0);
    EXPECT_EQ(find_cursor(*db, 1, peer).value()->seq, 9);
    ASSERT_TRUE(drop_cursor(*db, 1, 2));
    ASSERT_TRUE(set_cursor(*db, 1, 2, 3));
    EXPECT_FALSE(find_cursor(*db, 1, peer).value());
}

TEST_F(Owed, AnotherFollowersCursorIsNotedUpwardsOnlyAndOwesNothing)
{
    ASSERT_TRUE(note_cursor(*db, 2, 2, 5));
    ASSERT_TRUE(note_cursor(*db, 2, 2, 3));
    EXPECT_EQ(find_cursor(*db, 2, peer).value()->seq, 5);
    EXPECT_TRUE(owed_logs(*db, self, peer)->empty());
    EXPECT_TRUE(owed_servers(*db, self)->empty());
}

TEST_F(Owed, WhoIsOwedAnythingIsFound)
{
    EXPECT_TRUE(owed_servers(*db, self)->empty());
    ASSERT_TRUE(put_direct(*db, 3, "event", "content", 1));
    EXPECT_EQ(*owed_servers(*db, self), std::vector<ServerName>{ServerName::trusted("c.example")});
    ASSERT_TRUE(put_submission(*db, submission(1), 2));
    ASSERT_TRUE(start_cursor(*db, 1, 3, 4));
    EXPECT_EQ(owed_servers(*db, self)->size(), 2U);
    ASSERT_TRUE(
        drop_direct(*db, outgoing_direct(*db, ServerName::trusted("c.example"), 0, 9)->at(0).id));
    ASSERT_TRUE(set_cursor(*db, 1, 3, 10));
    EXPECT_EQ(*owed_servers(*db, self), std::vector<ServerName>{peer});
    ASSERT_TRUE(accept_submission(*db, unsent().at(0), 7));
    EXPECT_TRUE(owed_servers(*db, self)->empty());
}

TEST_F(Owed, SubmissionsKeepTheirOrderAndGoWhenTheyAreSettled)
{
    for (const int i : {1, 2, 3}) ASSERT_TRUE(put_submission(*db, submission(i), 2));
    const auto ids = unsent();
    ASSERT_EQ(ids.size(), 3U);
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
    EXPECT_EQ(unsent(ids[0]).size(), 2U);
    EXPECT_EQ(count_unsent(*db, "alice@a.example", 2).value(), 3);
    ASSERT_TRUE(accept_submission(*db, ids[0], 11));
    ASSERT_TRUE(reject_submission(*db, ids[1], "forbidden"));
    EXPECT_EQ(unsent(), std::vector<std::int64_t>{ids[2]});
    EXPECT_EQ(count_unsent(*db, "alice@a.example", 2).value(), 1);
    EXPECT_EQ(find_submission(*db, submission(1).event_id).value()->seq, 11);
    EXPECT_EQ(find_submission(*db, garden, submission(2).txn).value()->problem, "forbidden");
    ASSERT_TRUE(settle_submission(*db, garden, submission(1).txn));
    EXPECT_FALSE(find_submission(*db, submission(1).event_id).value());
    ASSERT_TRUE(drop_over_before(*db, 3));
    EXPECT_FALSE(find_submission(*db, submission(2).event_id).value());
    EXPECT_TRUE(find_submission(*db, submission(3).event_id).value());
}

TEST_F(Owed, WhatIsOverdueIsGivenOnceOldestFirstAndOnlyWhilePending)
{
    for (const int i : {4, 2, 3, 1, 9}) ASSERT_TRUE(put_submission(*db, submission(i), 2));
    ASSERT_TRUE(accept_submission(*db, unsent().at(1), 7));
    const auto numbers = [](const Result<std::vector<OverdueRow>>& rows) {
        std::vector<std::int64_t> at;
        for (const auto& row : rows.value()) {
            EXPECT_EQ(row.home, peer);
            EXPECT_EQ(row.event_id[0], row.at);
            at.push_back(row.at);
        }
        return at;
    };
    using Numbers = std::vector<std::int64_t>;
    EXPECT_EQ(numbers(overdue_of(*db, "alice@a.example", 4, 10)), (Numbers{1, 3, 4}));
    EXPECT_EQ(numbers(overdue_of(*db, "alice@a.example", 4, 2)), (Numbers{1, 3}));
    EXPECT_EQ(numbers(overdue_of(*db, "bob@a.example", 4, 10)), Numbers{});
    EXPECT_EQ(numbers(take_untold_overdue(*db, 4, 2)), (Numbers{1, 3}));
    EXPECT_EQ(numbers(take_untold_overdue(*db, 4, 2)), Numbers{4});
    EXPECT_EQ(numbers(take_untold_overdue(*db, 8, 2)), Numbers{});
    // Told isn't settled.
    EXPECT_EQ(unsent().size(), 4U);
    EXPECT_EQ(numbers(overdue_of(*db, "alice@a.example", 4, 10)), (Numbers{1, 3, 4}));
}

TEST_F(Owed, ATxnIsUsedOncePerChannel)
{
    ASSERT_TRUE(put_submission(*db, submission(1), 2));
    EXPECT_FALSE(put_submission(*db, submission(1), 2));
}

TEST_F(Owed, AJoinIsOutstandingUntilItIsRejectedOrSettled)
{
    EXPECT_FALSE(has_open_join(*db, garden).value());
    ASSERT_TRUE(put_submission(*db, submission(1), 2));
    EXPECT_FALSE(has_open_join(*db, garden).value());
    ASSERT_TRUE(put_submission(*db, submission(2, "member.join"), 2));
    EXPECT_TRUE(has_open_join(*db, garden).value());
    ASSERT_TRUE(
        accept_submission(*db, find_submission(*db, garden, submission(2).txn).value()->id, 9));
    EXPECT_TRUE(has_open_join(*db, garden).value());
    ASSERT_TRUE(settle_submission(*db, garden, submission(2).txn));
    EXPECT_FALSE(has_open_join(*db, garden).value());
    ASSERT_TRUE(put_submission(*db, submission(3, "member.join"), 2));
    ASSERT_TRUE(reject_submission(*db, find_submission(*db, garden, submission(3).txn).value()->id,
                                  "forbidden"));
    EXPECT_FALSE(has_open_join(*db, garden).value());
}

// [INBOX-4]
TEST_F(Owed, DirectEventsAreRememberedPerOriginForTheirTime)
{
    protocol::Uuid txn;
    Hash id{};
    id[5] = 5;
    EXPECT_FALSE(find_direct_in(*db, 2, txn).value());
    ASSERT_TRUE(remember_direct_in(*db, 2, txn, id, 100));
    EXPECT_EQ(find_direct_in(*db, 2, txn).value(), id);
    EXPECT_FALSE(find_direct_in(*db, 3, txn).value());
    ASSERT_TRUE(forget_direct_before(*db, 100));
    EXPECT_TRUE(find_direct_in(*db, 2, txn).value());
    ASSERT_TRUE(forget_direct_before(*db, 101));
    EXPECT_FALSE(find_direct_in(*db, 2, txn).value());
}

TEST_F(Owed, ALaterInvitationTakesTheEarliersPlace)
{
    InvitationRow row{"alice@a.example",
                      garden.str(),
                      "b.example",
                      "bob@b.example",
                      "name",
                      "group",
                      "none",
                      3,
                      50};
    ASSERT_TRUE(put_invitation(*db, row));
    row.name = "other";
    ASSERT_TRUE(put_invitation(*db, row));
    ASSERT_EQ(invitations_of(*db, row.user)->size(), 1U);
    EXPECT_EQ(find_invitation(*db, row.user, row.channel).value()->name, "other");
    EXPECT_FALSE(find_invitation(*db, "eve@a.example", row.channel).value());
    ASSERT_TRUE(drop_invitation(*db, row.user, row.channel));
    EXPECT_TRUE(invitations_of(*db, row.user)->empty());
}

TEST_F(Owed, FactsAndCreationsAreFoundAgain)
{
    EXPECT_FALSE(find_fact(*db, "name").value());
    ASSERT_TRUE(set_fact(*db, "name", "one"));
    ASSERT_TRUE(set_fact(*db, "name", "two"));
    EXPECT_EQ(find_fact(*db, "name").value(), "two");
    protocol::Uuid txn;
    EXPECT_FALSE(find_creation(*db, "alice@a.example", txn).value());
    ASSERT_TRUE(remember_creation(*db, "alice@a.example", txn, garden.str()));
    EXPECT_EQ(find_creation(*db, "alice@a.example", txn).value(), garden.str());
    EXPECT_FALSE(find_creation(*db, "eve@a.example", txn).value());
}

TEST_F(Owed, AUsersDirectEventIsCountedAndReplacedByTypeAndServer)
{
    const auto row = [](const std::string& type, const std::string& event) {
        DirectRow made;
        made.event = event;
        made.content = "{}";
        made.sender = "alice@a.example";
        made.type = type;
        made.note = "note of " + event;
        return made;
    };
    ASSERT_TRUE(put_direct(*db, 2, "by the server", "{}", 1));
    ASSERT_TRUE(put_users_direct(*db, 2, row("device.message", "one"), 1));
    ASSERT_TRUE(put_users_direct(*db, 2, row("device.message", "two"), 1));
    ASSERT_TRUE(put_users_direct(*db, 3, row("device.message", "elsewhere"), 1));
    ASSERT_TRUE(replace_users_direct(*db, 2, row("device.changed", "first"), 1));
    ASSERT_TRUE(replace_users_direct(*db, 2, row("device.changed", "second"), 1));
    EXPECT_EQ(count_users_direct(*db, "alice@a.example", 2, "device.message").value(), 2);
    EXPECT_EQ(count_users_direct(*db, "bob@a.example", 2, "device.message").value(), 0);
    std::vector<std::string> events;
    const auto owed = outgoing_direct(*db, peer, 0, 10).value();
    for (const auto& direct : owed) events.push_back(direct.event);
    EXPECT_EQ(events, (std::vector<std::string>{"by the server", "one", "two", "second"}));
    EXPECT_EQ(owed[0].note, "");
    EXPECT_EQ(owed[1].note, "note of one");
    EXPECT_EQ(owed[3].type, "device.changed");
}

}  // namespace
}  // namespace entente::storage
