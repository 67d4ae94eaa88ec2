// Accounts and registration codes as administrators see and change them.
#include "storage/account_admin_store.hpp"
#include "people_rows.hpp"
#include "protocol/octets.hpp"

namespace entente::storage {
namespace {

class AccountAdmin : public PeopleRows {
 protected:
    AccountRow row(const std::string& name) { return find_account(*db, name, 10).value(); }
    bool can_be_used(const protocol::Uuid& session) { return bool(find_session(*db, session, 10)); }
    protocol::Uuid session_of(std::int64_t user)
    {
        return live_sessions_of(*db, user, 10).value().at(0);
    }
    Result<void> code(int number, std::int64_t uses = 1, protocol::Millis expires = 100)
    {
        return make_invite_code(
            *db, {protocol::sha256(std::to_string(number)), uses, 10, expires, "root"});
    }
    std::vector<InviteCodeRow> codes(protocol::Millis now, const std::string& after = {},
                                     std::size_t limit = 2'000)
    {
        return invite_codes_after(*db, after, limit, now).value();
    }
};

TEST_F(AccountAdmin, ARestrictionShutsSessionsOutAndItsEndOfTheOneDoesntLiftTheOther)
{
    const auto session = session_of(alice);
    EXPECT_TRUE(can_be_used(session));
    EXPECT_TRUE(row("alice").is_active());
    ASSERT_TRUE(set_suspended(*db, alice, 5));
    ASSERT_TRUE(set_banned(*db, alice, 6));
    EXPECT_EQ(row("alice").suspended_at, 5);
    EXPECT_EQ(row("alice").banned_at, 6);
    EXPECT_TRUE(find_user(*db, "alice")->banned);
    ASSERT_TRUE(set_suspended(*db, alice, std::nullopt));
    EXPECT_FALSE(can_be_used(session));
    EXPECT_FALSE(row("alice").is_active());
    EXPECT_FALSE(find_device(*db, "alice", uuid(1)).value()) << "no message for who is banned";
    ASSERT_TRUE(set_banned(*db, alice, std::nullopt));
    EXPECT_TRUE(can_be_used(session));
    EXPECT_TRUE(find_device(*db, "alice", uuid(1)).value());
    ASSERT_TRUE(set_suspended(*db, alice, 5));
    EXPECT_FALSE(can_be_used(session));
}

TEST_F(AccountAdmin, AClosedAccountIsGoneButForItsName)
{
    const auto session = session_of(alice);
    const auto ended = close_account(*db, alice, 7).value();
    EXPECT_EQ(ended, std::vector{session});
    EXPECT_FALSE(can_be_used(session));
    EXPECT_EQ(find_user(*db, "alice").error().code, Code::not_found);
    EXPECT_EQ(row("alice").deleted_at, 7);
    EXPECT_EQ(row("alice").sessions, 0);
    EXPECT_TRUE(devices_of(*db, alice)->empty());
    EXPECT_EQ(create_user(*db, "alice", "hash", AccountRole::user, 8).error().code, Code::conflict);
    EXPECT_EQ(log_in(alice, 1).error().code, Code::forbidden) << "its device is revoked";
}

TEST_F(AccountAdmin, OnlySuperadminsWhoCanActAreCounted)
{
    const auto count = [&] { return count_active_superadmins(*db).value(); };
    EXPECT_EQ(count(), 0);
    ASSERT_TRUE(set_role(*db, alice, AccountRole::superadmin));
    ASSERT_TRUE(set_role(*db, bob, AccountRole::superadmin));
    EXPECT_EQ(count(), 2);
    ASSERT_TRUE(set_banned(*db, bob, 1));
    EXPECT_EQ(count(), 1);
    ASSERT_TRUE(set_suspended(*db, alice, 1));
    EXPECT_EQ(count(), 0);
    EXPECT_FALSE(has_superadmin(*db).value());
    ASSERT_TRUE(set_suspended(*db, alice, std::nullopt));
    EXPECT_TRUE(has_superadmin(*db).value());
}

TEST_F(AccountAdmin, ALoginIsCheckedAgainWhereItsSessionIsMade)
{
    const auto seen = find_user(*db, "alice").value();
    EXPECT_TRUE(check_login(*db, seen));
    ASSERT_TRUE(set_one_time_password(*db, alice, "other", 50));
    EXPECT_EQ(check_login(*db, seen).error().code, Code::unauthenticated);
    const auto now = find_user(*db, "alice").value();
    EXPECT_EQ(now.one_time_until, 50);
    EXPECT_TRUE(check_login(*db, now));
    ASSERT_TRUE(set_password(*db, alice, "own"));
    EXPECT_FALSE(find_user(*db, "alice")->one_time_until);
    const auto later = find_user(*db, "alice").value();
    ASSERT_TRUE(set_banned(*db, alice, 5));
    EXPECT_FALSE(check_login(*db, later));
}

TEST_F(AccountAdmin, ListsGoOnBehindAName)
{
    const auto names = [&](const std::string& after, std::size_t limit) {
        std::vector<std::string> found;
        const auto rows = accounts_after(*db, after, limit, 10);
        for (const auto& account : *rows) found.push_back(account.localpart);
        return found;
    };
    EXPECT_EQ(names("", 9), (std::vector<std::string>{"alice", "bob"}));
    EXPECT_EQ(names("", 1), std::vector<std::string>{"alice"});
    EXPECT_EQ(names("alice", 9), std::vector<std::string>{"bob"});
    EXPECT_EQ(row("bob").sessions, 1);
    EXPECT_EQ(find_account(*db, "nobody", 10).error().code, Code::not_found);
}

TEST_F(AccountAdmin, CodesAreListedUntilTheyAreUsedUpOverOrRevoked)
{
    ASSERT_TRUE(code(1));
    ASSERT_TRUE(code(2, 2));
    ASSERT_TRUE(code(3, 1, 50));
    EXPECT_EQ(codes(10).size(), 3U);
    EXPECT_EQ(codes(49).size(), 3U);
    EXPECT_EQ(codes(50).size(), 2U);
    const auto first = codes(10, "", 1);
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(codes(10, first[0].id).size(), 2U);
    EXPECT_EQ(first[0].made_by, "root");
    EXPECT_EQ(first[0].made_at, 10);

    ASSERT_TRUE(create_user_by_code(*db, protocol::sha256("1"), "carol", "hash", 20));
    EXPECT_EQ(codes(20).size(), 2U);
    const auto id = invite_code_id(protocol::sha256("2"));
    EXPECT_TRUE(revoke_invite_code(*db, id, 20));
    EXPECT_EQ(revoke_invite_code(*db, id, 20).error().code, Code::not_found);
    EXPECT_EQ(create_user_by_code(*db, protocol::sha256("2"), "dave", "hash", 20).error().code,
              Code::forbidden);
    EXPECT_EQ(revoke_invite_code(*db, "x", 20).error().code, Code::not_found);
    EXPECT_EQ(invite_codes_after(*db, "x", 1, 20).error().code, Code::malformed);
}

TEST_F(AccountAdmin, AThousandCodesAreOpenAtMost)
{
    ASSERT_TRUE(db->begin());
    for (int i = 0; i < max_invite_codes; ++i) ASSERT_TRUE(code(i));
    EXPECT_EQ(code(-1).error().code, Code::forbidden);
    // What is over makes room, and is forgotten.
    const auto made = make_invite_code(*db, {protocol::sha256("late"), 1, 100, 200, "root"});
    EXPECT_TRUE(made);
    EXPECT_EQ(testing::integers(*db, "SELECT count(*) FROM account_invite_code"),
              std::vector<std::int64_t>{1});
    ASSERT_TRUE(db->commit());
}

}  // namespace
}  // namespace entente::storage
