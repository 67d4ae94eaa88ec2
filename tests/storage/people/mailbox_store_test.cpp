// Mailboxes as rows: numbers without holes, acknowledgement, bounds and shares from both
// sides; and who has to do with whom.
#include "storage/mailbox_store.hpp"
#include "people_rows.hpp"
#include "storage/acquaintances.hpp"

namespace entente::storage {
namespace {

class Mailboxes : public PeopleRows {
 protected:
    Result<std::int64_t> put(const std::string& source = "b.example", std::size_t octets = 2,
                             const std::string& problem = {})
    {
        MailRow row;
        row.source = source;
        row.sender = "eve@" + source;
        row.at = 7;
        row.problem = problem;
        row.body = std::string(octets, 'x');
        return put_mail(*db, phone, row);
    }
    void fill(std::int64_t messages, const std::string& source)
    {
        ASSERT_TRUE(db->begin());
        for (std::int64_t i = 0; i < messages; ++i) ASSERT_TRUE(put(source));
        ASSERT_TRUE(db->commit());
    }
    std::vector<std::int64_t> numbers(std::int64_t after = 0, std::size_t limit = 10'000,
                                      std::size_t octets = 100'000'000)
    {
        std::vector<std::int64_t> read;
        const auto rows = read_mail(*db, phone, after, limit, octets).value();
        for (const auto& row : rows) read.push_back(row.number);
        return read;
    }
    static bool is_full(const Result<std::int64_t>& given)
    {
        return !given && given.error().code == Code::rate_limited;
    }
};

using Numbers = std::vector<std::int64_t>;

TEST_F(Mailboxes, MessagesAreNumberedPerDeviceAndReadInOrder)
{
    EXPECT_EQ(put().value(), 1);
    EXPECT_EQ(put().value(), 2);
    EXPECT_EQ(put_mail(*db, laptop, MailRow{}).value(), 1);
    EXPECT_EQ(put().value(), 3);
    EXPECT_EQ(numbers(), (Numbers{1, 2, 3}));
    EXPECT_EQ(numbers(1), (Numbers{2, 3}));
    EXPECT_EQ(numbers(0, 2), (Numbers{1, 2}));
    EXPECT_EQ(numbers(0, 10, 1), Numbers{1});
    const auto row = read_mail(*db, phone, 0, 1, 100).value().at(0);
    EXPECT_EQ(row.sender, "eve@b.example");
    EXPECT_EQ(row.at, 7);
    EXPECT_EQ(row.body, "xx");
}

TEST_F(Mailboxes, AnAcknowledgementIsCumulativeAndNoNumberComesTwice)
{
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(put());
    ASSERT_TRUE(acknowledge_mail(*db, phone, 3));
    EXPECT_EQ(numbers(), Numbers{4});
    ASSERT_TRUE(acknowledge_mail(*db, phone, 2));
    EXPECT_EQ(numbers(), Numbers{4});
    ASSERT_TRUE(acknowledge_mail(*db, phone, 4));
    EXPECT_EQ(acknowledge_mail(*db, phone, 5).error().code, Code::malformed);
    EXPECT_EQ(put().value(), 5);
    EXPECT_EQ(testing::integers(*db, "SELECT octets FROM mailbox"),
              Numbers{2 + message_overhead_octets});
}

// [INBOX-13]
TEST_F(Mailboxes, OneSourceHasHalfOfItAndAllTogetherTheWhole)
{
    fill(max_mailbox_messages / 2, "b.example");
    EXPECT_TRUE(is_full(put("b.example")));
    fill(max_mailbox_messages / 2 - 1, "c.example");
    EXPECT_TRUE(put("c.example"));
    EXPECT_TRUE(is_full(put("c.example")));
    EXPECT_TRUE(is_full(put("d.example")));
    ASSERT_TRUE(acknowledge_mail(*db, phone, 1));
    EXPECT_TRUE(is_full(put("c.example")));
    EXPECT_TRUE(put("b.example"));
    EXPECT_TRUE(is_full(put("d.example")));
}

TEST_F(Mailboxes, OctetsAreBoundedLikeMessages)
{
    constexpr std::size_t big = 60'000;
    std::int64_t held = 0;
    while (!is_full(put("b.example", big)))
        held += static_cast<std::int64_t>(big) + message_overhead_octets;
    EXPECT_LE(held, max_mailbox_octets / 2);
    EXPECT_GT(held + 2 * static_cast<std::int64_t>(big), max_mailbox_octets / 2);
    while (!is_full(put("c.example", big)))
        held += static_cast<std::int64_t>(big) + message_overhead_octets;
    while (!is_full(put("d.example", big)))
        held += static_cast<std::int64_t>(big) + message_overhead_octets;
    EXPECT_LE(held, max_mailbox_octets);
    EXPECT_GT(held + 2 * static_cast<std::int64_t>(big), max_mailbox_octets);
    ASSERT_TRUE(acknowledge_mail(*db, phone, 2));
    EXPECT_TRUE(put("d.example", big));
}

TEST_F(Mailboxes, NewsOfARefusalHaveRoomOfTheirOwn)
{
    fill(max_mailbox_messages / 2, "b.example");
    fill(max_mailbox_messages / 2, "c.example");
    ASSERT_TRUE(is_full(put("d.example")));
    ASSERT_TRUE(db->begin());
    for (std::int64_t i = 0; i < refusal_room; ++i) ASSERT_TRUE(put("a.example", 2, "not-found"));
    ASSERT_TRUE(db->commit());
    EXPECT_TRUE(is_full(put("a.example", 2, "not-found")));
}

TEST_F(Mailboxes, ARevokedDevicesMessagesAreGone)
{
    ASSERT_TRUE(put());
    ASSERT_TRUE(revoke_device(*db, alice, uuid(1), 10));
    EXPECT_EQ(numbers(), Numbers{});
}

TEST_F(Mailboxes, PeopleAreAcquaintedByAChannelThatOneOfOursIsIn)
{
    const auto acquainted = [&](const std::string& other) {
        return are_acquainted(*db, "alice@a.example", other).value();
    };
    ASSERT_TRUE(db->execute(
        "INSERT INTO member (channel, user, standing, since) VALUES "
        "(1, 'alice@a.example', 0, 1), (1, 'bob@b.example', 2, 1), (1, 'carl@c.example', 3, 1), "
        "(1, 'dora@d.example', 4, 1), (1, 'emil@e.example', 5, 1), (2, 'finn@f.example', 0, 1),"
        "(2, 'alice@a.example', 3, 1);"
        "INSERT INTO invitation (user, channel, home, sender, name, kind, encryption, members, at) "
        "VALUES ('alice@a.example', 'x', 'g.example', 'gina@g.example', '', 'dm', '', 1, 1)"));
    EXPECT_TRUE(acquainted("bob@b.example"));
    EXPECT_TRUE(acquainted("carl@c.example"));
    EXPECT_FALSE(acquainted("dora@d.example"));
    EXPECT_FALSE(acquainted("emil@e.example"));
    EXPECT_FALSE(acquainted("finn@f.example"));
    // Neither invitation is accepted.
    EXPECT_FALSE(acquainted("gina@g.example"));
    const auto server_is = [&](const std::string& server) {
        return is_acquainted_with_server(*db, "alice@a.example", server).value();
    };
    EXPECT_TRUE(server_is("b.example"));
    EXPECT_TRUE(server_is("c.example"));
    for (const auto* server : {"d.example", "e.example", "f.example", "g.example", "xb.example"})
        EXPECT_FALSE(server_is(server)) << server;
}

}  // namespace
}  // namespace entente::storage
