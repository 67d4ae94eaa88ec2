// Versions of policies as rows: only ever added, by whom and why, and none that would shut
// everybody out.
#include "storage/policy_store.hpp"

#include <gtest/gtest.h>

#include "storage/account_store.hpp"
#include "storage/query.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/storage/support.hpp"
#include "trust/policy/shipped.hpp"

namespace entente::storage {
namespace {

using protocol::ServerName;
using trust::policy::Action;
using trust::policy::Attribute;
using trust::policy::Compiled;
using trust::policy::Request;

const ServerName self = ServerName::trusted("a.example");

std::string policy_with(const std::string& rule)
{
    return R"({"version":1,"rules":[)" + rule + "]}";
}

const std::string tagging =
    policy_with(R"({"id":"r","actions":["message.create"],"effects":[{"tag":"t"}]})");
const std::string nobody =
    policy_with(R"({"id":"r","actions":["message.create"],"effects":["deny"]})");
const std::string locking =
    policy_with(R"({"id":"r","actions":["policy.change"],"effects":["deny"]})");

std::string locking_out(const std::string& user)
{
    return policy_with(R"({"id":"r","actions":["policy.change"],"when":{"eq":["subject.id",")" +
                       user + R"("]},"effects":["deny"]})");
}

Request message()
{
    Request request{Action::message_create};
    request.word(Attribute::subject_kind, trust::policy::SubjectKind::user)
        .word(Attribute::subject_channel_role, trust::policy::ChannelRole::member);
    return request;
}

class PolicyStore : public ::testing::Test {
 protected:
    PolicyStore()
        : database(make_sqlite_database(folder.file("db"))), db(database->open_writer().value())
    {
        add("root", AccountRole::superadmin);
        add("alice", AccountRole::admin);
    }
    void add(const std::string& name, AccountRole role)
    {
        ASSERT_TRUE(create_user(*db, name, "hash", role, 1));
    }
    Result<PolicyPut> put(const std::string& id, std::int64_t seen, std::optional<std::string> text,
                          const std::string& reason = "because")
    {
        return put_policy(*db, self, {id, seen, std::move(text), "root@a.example", reason, 5});
    }
    Code refusal(const Result<PolicyPut>& given)
    {
        return given ? Code::internal : given.error().code;
    }
    std::int64_t rows() { return testing::integers(*db, "SELECT count(*) FROM policy").at(0); }

    testing::TemporaryFolder folder;
    std::unique_ptr<Database> database;
    std::unique_ptr<Connection> db;
};

TEST_F(PolicyStore, HoldsTheShippedPoliciesAtFirst)
{
    EXPECT_TRUE(newest_policies(*db)->empty());
    const auto policies = read_policies(*db)->policies;
    const auto verdict = policies->decide(message());
    EXPECT_EQ(verdict.rule.text(), "channel-roles@0/members-speak");
    EXPECT_TRUE(verdict.is_permitted());
}

TEST_F(PolicyStore, ANewVersionIsInForceAtOnceAndAfterANewStart)
{
    const auto first = put("own", 0, nobody).value();
    EXPECT_EQ(first.version, 1);
    EXPECT_EQ(first.policies->decide(message()).rule.text(), "own@1/r");
    EXPECT_EQ(put("own", 1, nobody).value().version, 2);
    db.reset();
    database = make_sqlite_database(folder.file("db"));
    db = database->open_writer().value();
    const auto policies = read_policies(*db)->policies;
    EXPECT_EQ(policies->decide(message()).rule.text(), "own@2/r");
}

TEST_F(PolicyStore, EveryVersionStaysWithItsAuthorReasonAndTime)
{
    ASSERT_TRUE(put("own", 0, nobody, "first"));
    ASSERT_TRUE(put("own", 1, tagging, "second"));
    ASSERT_TRUE(put("own", 2, std::nullopt, "third"));
    ASSERT_TRUE(put("else", 0, tagging));
    const auto history = policy_history(*db, "own", 0, 10).value();
    ASSERT_EQ(history.size(), 3U);
    EXPECT_EQ(history[0].version, 3);
    EXPECT_EQ(history[0].text, std::nullopt);
    EXPECT_EQ(history[1].text, tagging);
    EXPECT_EQ(history[2].text, nobody);
    EXPECT_EQ(history[2].reason, "first");
    EXPECT_EQ(history[2].author, "root@a.example");
    EXPECT_EQ(history[2].at, 5);
    EXPECT_EQ(policy_history(*db, "own", 3, 1)->at(0).version, 2);
    EXPECT_TRUE(policy_history(*db, "own", 1, 10)->empty());
    const auto newest = newest_policies(*db).value();
    ASSERT_EQ(newest.size(), 2U);
    EXPECT_EQ(newest[0].id, "else");
    EXPECT_EQ(newest[1].version, 3);
}

TEST_F(PolicyStore, TakingOneBackLeavesWhatIsShippedOrNone)
{
    ASSERT_TRUE(put("own", 0, nobody));
    auto after = put("own", 1, std::nullopt).value();
    EXPECT_TRUE(after.policies->decide(message()).is_permitted());
    ASSERT_TRUE(put("channel-roles", 0, tagging));
    EXPECT_FALSE(read_policies(*db)->policies->decide(message()).is_permitted());
    after = put("channel-roles", 1, std::nullopt).value();
    EXPECT_EQ(after.policies->decide(message()).rule.text(), "channel-roles@0/members-speak");
    EXPECT_EQ(refusal(put("never", 0, std::nullopt)), Code::not_found);
    EXPECT_EQ(refusal(put("tiers", 0, std::nullopt)), Code::not_found);
}

TEST_F(PolicyStore, WhoHasNotSeenTheNewestVersionIsRefused)
{
    ASSERT_TRUE(put("own", 0, nobody));
    EXPECT_EQ(refusal(put("own", 0, tagging)), Code::conflict);
    EXPECT_EQ(refusal(put("own", 2, tagging)), Code::conflict);
    EXPECT_EQ(rows(), 1);
    EXPECT_TRUE(put("own", 1, tagging));
}

TEST_F(PolicyStore, WhatCantBeReadIsRefusedWithItsPlace)
{
    const auto refused =
        put("own", 0,
            policy_with(
                R"({"id":"r","actions":["*"],"when":{"present":"subject.x"},"effects":["log"]})"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::malformed);
    EXPECT_TRUE(refused.error().hint.starts_with("/rules/0/when/present (line 1, column "))
        << refused.error().hint;
    EXPECT_EQ(refusal(put("own", 0, std::string(trust::policy::max_policy_octets + 1, ' '))),
              Code::too_large);
    EXPECT_EQ(rows(), 0);
}

TEST_F(PolicyStore, NameAuthorAndReasonAreNeeded)
{
    EXPECT_EQ(refusal(put("Own", 0, tagging)), Code::malformed);
    EXPECT_EQ(refusal(put("", 0, tagging)), Code::malformed);
    EXPECT_EQ(refusal(put("own", 0, tagging, "")), Code::malformed);
    EXPECT_EQ(refusal(put_policy(*db, self, {"own", 0, tagging, "", "why", 5})), Code::malformed);
    EXPECT_EQ(refusal(put("own", 0, tagging, std::string(max_policy_reason_octets + 1, 'x'))),
              Code::too_large);
    EXPECT_EQ(rows(), 0);
    EXPECT_TRUE(put("own", 0, tagging, std::string(max_policy_reason_octets, 'x')));
}

TEST_F(PolicyStore, PoliciesAreCountedWithTheShippedOnes)
{
    const auto room = trust::policy::max_policies - trust::policy::shipped_policies().size();
    for (std::size_t i = 0; i < room; ++i) ASSERT_TRUE(put("p" + std::to_string(i), 0, tagging));
    EXPECT_EQ(refusal(put("more", 0, tagging)), Code::too_large);
    EXPECT_TRUE(put("tiers", 0, trust::policy::shipped_policies()[2].text.data()));
    ASSERT_TRUE(put("p0", 1, std::nullopt));
    EXPECT_TRUE(put("more", 0, tagging));
}

TEST_F(PolicyStore, WhatWouldLockOutTheLastSuperadminIsRefused)
{
    EXPECT_EQ(refusal(put("own", 0, locking)), Code::forbidden);
    EXPECT_EQ(refusal(put("server-roles", 0, policy_with(""))), Code::forbidden);
    EXPECT_EQ(refusal(put("own", 0, locking_out("root@a.example"))), Code::forbidden);
    EXPECT_EQ(rows(), 0);
    EXPECT_TRUE(put("own", 0, locking_out("root@b.example")));
    add("second", AccountRole::superadmin);
    EXPECT_TRUE(put("own", 1, locking_out("root@a.example")));
}

TEST_F(PolicyStore, ASuperadminWhoAloneCouldChangePoliciesStays)
{
    EXPECT_FALSE(check_policies_without(*db, self, "root"));
    add("second", AccountRole::superadmin);
    EXPECT_TRUE(check_policies_without(*db, self, "second"));
    ASSERT_TRUE(put("own", 0, locking_out("root@a.example")));
    EXPECT_TRUE(check_policies_without(*db, self, "root"));
    const auto stays = check_policies_without(*db, self, "second");
    ASSERT_FALSE(stays);
    EXPECT_EQ(stays.error().code, Code::forbidden);
    // A suspended one is none.
    ASSERT_TRUE(db->execute("UPDATE account_user SET suspended_at = 1 WHERE localpart = 'root'"));
    EXPECT_EQ(refusal(put("own", 1, locking_out("second@a.example"))), Code::forbidden);
}

Request change_by(trust::policy::ServerRole role)
{
    Request request{Action::policy_change};
    request.word(Attribute::subject_role, role);
    return request;
}

// Of one that denies some messages, the rest of the text is what a later program would write.
const std::string later =
    policy_with(R"({"id":"r","actions":["message.create"],"when":{"moon":"full"},)"
                R"("effects":["deny"]})");

class LeftOut : public PolicyStore {
 protected:
    // As an older or later program left it.
    void store(const std::string& id, const std::string& text)
    {
        ASSERT_TRUE(run(*db,
                        "INSERT INTO policy (id, version, text, author, reason, at) "
                        "VALUES (?, 1, ?, 'root@a.example', 'because', 5)",
                        id, text));
    }
    [[nodiscard]] HeldPolicies held() { return read_policies(*db).value(); }
};

TEST_F(LeftOut, OneThatCantBeReadIsToldByNameAndWhatItNamesIsDenied)
{
    store("own", later);
    const auto now = held();
    ASSERT_EQ(now.left_out.size(), 1U);
    EXPECT_EQ(now.left_out[0].id, "own");
    EXPECT_EQ(now.left_out[0].version, 1);
    EXPECT_NE(now.left_out[0].why.find("/rules/0/when"), std::string::npos) << now.left_out[0].why;
    EXPECT_EQ(now.policies->decide(message()).rule.text(), "(left-out)@0/own");
    EXPECT_FALSE(now.policies->decide(message()).is_permitted());
    Request register_one{Action::account_register};
    EXPECT_TRUE(now.policies->decide(register_one).is_permitted()) << "it doesn't name that";
    EXPECT_TRUE(put("own", 1, tagging)) << "it can be put right";
    EXPECT_TRUE(held().left_out.empty());
    EXPECT_TRUE(held().policies->decide(message()).is_permitted());
}

TEST_F(LeftOut, WhereNothingCanBeMadeOutOnlyAdministratorsOfPoliciesAct)
{
    for (const auto& text : {std::string("{"), policy_with(R"({"id":"r","actions":["later.act"]})"),
                             policy_with(R"({"id":"r","actions":"*"})")}) {
        ASSERT_TRUE(db->execute("DELETE FROM policy"));
        store("own", text);
        const auto now = held().policies;
        EXPECT_FALSE(now->decide(message()).is_permitted()) << text;
        EXPECT_FALSE(now->decide(Request{Action::account_register}).is_permitted()) << text;
        EXPECT_TRUE(now->decide(Request{Action::slice_take}).is_permitted()) << text;
        using enum trust::policy::ServerRole;
        EXPECT_TRUE(now->decide(change_by(superadmin)).is_permitted()) << text;
        EXPECT_FALSE(now->decide(change_by(admin)).is_permitted()) << text;
        EXPECT_FALSE(now->decide(change_by(user)).is_permitted()) << text;
    }
}

TEST_F(LeftOut, AShippedOneHoldsInThePlaceOfItsOwn)
{
    store("server-roles", "{");
    EXPECT_TRUE(
        held().policies->decide(change_by(trust::policy::ServerRole::superadmin)).is_permitted());
    EXPECT_TRUE(put("server-roles", 1, std::nullopt));
    EXPECT_TRUE(held().left_out.empty());
}

TEST_F(LeftOut, OneBesideAnotherCanBePutRight)
{
    store("own", "{");
    store("other", "{");
    EXPECT_EQ(held().left_out.size(), 2U);
    EXPECT_TRUE(put("own", 1, tagging));
    ASSERT_EQ(held().left_out.size(), 1U);
    EXPECT_EQ(held().left_out[0].id, "other");
    EXPECT_TRUE(put("third", 0, tagging));
}

// As where the program ships one more.
TEST_F(LeftOut, WhatThereIsNoRoomForIsDeniedAndNoNewOneTakesItsPlace)
{
    const auto room = trust::policy::max_policies - trust::policy::shipped_policies().size();
    for (std::size_t i = 0; i < room; ++i) ASSERT_TRUE(put("p" + std::to_string(i), 0, tagging));
    EXPECT_TRUE(held().left_out.empty());
    for (const auto* id : {"z1", "z2"}) store(id, nobody);
    const auto now = held();
    ASSERT_GE(now.left_out.size(), 2U);
    EXPECT_EQ(now.left_out.back().id, "z2");
    EXPECT_NE(now.left_out.back().why.find("64 policies"), std::string::npos);
    EXPECT_EQ(now.policies->decide(message()).rule.policy, "(left-out)");
    EXPECT_EQ(refusal(put("a", 0, tagging)), Code::too_large);
    EXPECT_EQ(refusal(put("zz", 0, tagging)), Code::too_large);
    EXPECT_EQ(refusal(put("z2", 1, tagging)), Code::too_large);
    EXPECT_TRUE(put("z2", 1, std::nullopt));
    EXPECT_TRUE(put("p0", 1, tagging)) << "who is held can be changed";
    EXPECT_TRUE(put("z1", 1, std::nullopt));
    EXPECT_TRUE(held().left_out.empty());
}

TEST(LivePolicies, AreReplacedWhenTheCommitIsDone)
{
    testing::TemporaryFolder folder;
    asio::io_context io;
    GroupCommit commits(io.get_executor(), make_sqlite_database(folder.file("db")),
                        GroupCommitOptions{},
                        [](const Error& error) { ADD_FAILURE() << error.detail; });
    ASSERT_TRUE(commits.start());
    const auto live = std::make_shared<trust::policy::Policies>(
        Compiled::make(trust::policy::shipped_sources()).value());
    const auto edit = [&](const std::string& text) {
        auto job = [&, text](WriteTransaction& transaction) {
            return put_policy(transaction, self, {"own", 0, text, "root", "why", 5}, live);
        };
        return testing::run(io, commits.write(std::move(job)));
    };
    EXPECT_FALSE(edit(locking));
    EXPECT_TRUE(live->current()->decide(message()).is_permitted());
    EXPECT_EQ(edit(nobody).value(), 1);
    EXPECT_FALSE(live->current()->decide(message()).is_permitted());
    commits.stop();
}

}  // namespace
}  // namespace entente::storage
