// Requests over HTTPS: what is held for a user is shown to nobody else, and accepted, declined or
// reported once.
#include "rig.hpp"
#include "storage/incoming_store.hpp"
#include "storage/report_store.hpp"

namespace entente::api::testing {
namespace {

const std::string requests_path = "/api/v1/requests";
const std::string offered = "0192f0c1-7b1a-7c3d-8e4f-0123456789ab@b.test";

class RequestsApi : public ::testing::Test {
 protected:
    RequestsApi() : alice(rig.person("alice")), bob(rig.person("bob")) { hold("mallory@b.test"); }

    void hold(const std::string& sender)
    {
        storage::InvitationRow row;
        row.user = alice.user;
        row.channel = offered;
        row.home = "b.test";
        row.sender = sender;
        row.name = "offers";
        row.kind = "dm";
        row.encryption = "none";
        row.members = 1;
        row.at = 1'000;
        row.is_held = true;
        auto job = [row](storage::WriteTransaction& transaction) {
            return storage::put_invitation(transaction.db(), row);
        };
        ASSERT_TRUE(rig.await(rig.commit().write(std::move(job))));
    }
    std::size_t count(const std::string& list, const Person& person)
    {
        return rig.get("/api/v1/" + list, person.access).body.at(list).size();
    }
    Answer settle(const std::string& verb, const Person& person, const json& body = {{"x", 1}})
    {
        return rig.post(requests_path + "/" + offered + "/" + verb, body, person.access);
    }
    std::size_t reports()
    {
        auto job = [](storage::Connection& db) { return storage::reports_after(db, 0, 10); };
        return rig.await(rig.commit().read(std::move(job)))->size();
    }

    Rig rig;
    Person alice, bob;
};

TEST_F(RequestsApi, TheUserSeesWhatIsHeldAndNobodyElseDoes)
{
    const auto shown = rig.get(requests_path, alice.access);
    ASSERT_EQ(shown.status, 200) << shown.text;
    ASSERT_EQ(shown.body["requests"].size(), 1U);
    const auto& request = shown.body["requests"][0];
    EXPECT_EQ(request["channel"], offered);
    EXPECT_EQ(request["from"], "mallory@b.test");
    EXPECT_EQ(request["kind"], "dm");
    EXPECT_EQ(request["name"], "offers");
    EXPECT_EQ(count("requests", bob), 0U);
    EXPECT_EQ(rig.get(requests_path).status, 401);
    for (const auto* verb : {"accept", "decline"}) EXPECT_EQ(settle(verb, bob).status, 404);
    EXPECT_EQ(count("requests", alice), 1U);
}

TEST_F(RequestsApi, OneThatIsDeclinedIsGone)
{
    EXPECT_EQ(settle("decline", alice).status, 204);
    EXPECT_EQ(count("requests", alice), 0U);
    EXPECT_EQ(settle("decline", alice).status, 404);
    EXPECT_EQ(settle("accept", alice).status, 404);
}

TEST_F(RequestsApi, OneThatIsAcceptedIsAnInvitation)
{
    const auto accepted = settle("accept", alice);
    EXPECT_EQ(accepted.status, 200) << accepted.text;
    EXPECT_EQ(accepted.body["channel"], offered);
    EXPECT_EQ(count("requests", alice), 0U);
    EXPECT_EQ(settle("decline", alice).status, 404);
    auto job = [user = alice.user](storage::Connection& db) {
        return storage::invitations_of(db, user);
    };
    EXPECT_EQ(rig.await(rig.commit().read(std::move(job)))->size(), 1U);
}

TEST_F(RequestsApi, OneThatIsReportedIsToldToModeratorsAndGone)
{
    EXPECT_EQ(settle("report", alice, {{"txn", uuid(7)}}).hint(), "/reason: is required");
    EXPECT_EQ(settle("report", bob, {{"txn", uuid(7)}, {"reason", "spam"}}).status, 404);
    const auto told = settle("report", alice, {{"txn", uuid(7)}, {"reason", "spam"}});
    EXPECT_EQ(told.status, 201) << told.text;
    EXPECT_EQ(reports(), 1U);
    EXPECT_EQ(count("requests", alice), 0U);
    EXPECT_EQ(settle("report", alice, {{"txn", uuid(8)}, {"reason", "spam"}}).status, 404);
}

TEST_F(RequestsApi, OneThatNamesNoUserCantBeReported)
{
    hold("b.test");
    const auto refused = settle("report", alice, {{"txn", uuid(7)}, {"reason", "spam"}});
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(reports(), 0U);
    EXPECT_EQ(count("requests", alice), 1U);
}

// Joins that wait: alice moderates a channel of this server, in which bob is a member, and one of
// another server's.
class JoinsApi : public ::testing::Test {
 protected:
    JoinsApi() : alice(rig.person("alice")), bob(rig.person("bob"))
    {
        const auto member = [](int channel, const Person& who, int standing) {
            return "INSERT INTO member (channel, user, standing, since, sees_after) VALUES (" +
                   std::to_string(channel) + ", '" + who.user + "', " + std::to_string(standing) +
                   ", 1, 0);";
        };
        execute(
            "INSERT INTO server (id, name) VALUES (901, 'a.test'), (902, 'b.test');"
            "INSERT INTO channel (id, name, home, floor, state) VALUES (91, '" +
            ours + "', 901, 0, '{}'), (92, '" + theirs +
            "', 902, 0, '{}');"
            "INSERT INTO head (channel, epoch, seq, hash, at) VALUES (91, 1, 1, '', 1), "
            "(92, 1, 1, '', 1);"
            "INSERT INTO join_request (channel, user, at) VALUES "
            "(91, 'mallory@b.test', 1000), (92, 'mallory@c.test', 1000);" +
            member(91, alice, 1) + member(92, alice, 1) + member(91, bob, 0));
    }
    void execute(const std::string& sql)
    {
        auto job = [sql](storage::WriteTransaction& transaction) {
            return transaction.db().execute(sql.c_str());
        };
        ASSERT_TRUE(rig.await(rig.commit().write(std::move(job))));
    }
    json told(const Person& person) { return rig.get(requests_path, person.access).body["joins"]; }
    Answer settle(const std::string& verb, const Person& person, const json& body)
    {
        return rig.post("/api/v1/channels/" + ours + "/requests/" + verb, body, person.access);
    }
    std::vector<storage::ReportRow> reports()
    {
        auto job = [](storage::Connection& db) { return storage::reports_after(db, 0, 10); };
        return *rig.await(rig.commit().read(std::move(job)));
    }

    const std::string ours = "0192f0c1-7b1a-7c3d-8e4f-0123456789ac@a.test";
    const std::string theirs = "0192f0c1-7b1a-7c3d-8e4f-0123456789ad@b.test";
    Rig rig;
    Person alice, bob;
};

TEST_F(JoinsApi, AModeratorIsToldInWhichChannelsTheyWaitAndNobodyElseIs)
{
    EXPECT_EQ(told(alice), (json{{{"channel", ours}, {"waiting", 1}}}));
    EXPECT_EQ(told(bob), json::array());
    const auto path = "/api/v1/channels/" + ours + "/requests";
    const auto listed = rig.get(path, alice.access);
    ASSERT_EQ(listed.status, 200) << listed.text;
    ASSERT_EQ(listed.body["requests"].size(), 1U);
    EXPECT_EQ(listed.body["requests"][0]["user"], "mallory@b.test");
    EXPECT_EQ(rig.get(path, bob.access).code(), "forbidden");
}

TEST_F(JoinsApi, OnlyTheChannelsHomeSaysWhoWaits)
{
    const auto path = "/api/v1/channels/" + theirs + "/requests";
    const auto refused = rig.get(path, alice.access);
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.code(), "not-home");
    const json body{{"user", "mallory@c.test"}, {"txn", uuid(7)}, {"reason", "spam"}};
    EXPECT_EQ(rig.post(path + "/decline", body, alice.access).code(), "not-home");
    EXPECT_EQ(rig.post(path + "/report", body, alice.access).code(), "not-home");
}

TEST_F(JoinsApi, OneThatIsReportedIsToldToModeratorsAndGone)
{
    const json body{{"user", "mallory@b.test"}, {"txn", uuid(7)}, {"reason", "spam"}};
    EXPECT_EQ(settle("report", bob, body).code(), "forbidden");
    EXPECT_EQ(settle("report", alice, {{"user", "mallory@b.test"}, {"txn", uuid(7)}}).hint(),
              "/reason: is required");
    auto other = body;
    other["user"] = "carol@b.test";
    EXPECT_EQ(settle("report", alice, other).status, 404) << "she doesn't wait";
    EXPECT_TRUE(reports().empty());
    const auto done = settle("report", alice, body);
    EXPECT_EQ(done.status, 201) << done.text;
    ASSERT_EQ(reports().size(), 1U);
    EXPECT_EQ(reports()[0].user, "mallory@b.test");
    EXPECT_EQ(reports()[0].channel, ours);
    EXPECT_EQ(reports()[0].reason, "spam");
    EXPECT_EQ(told(alice), json::array());
    EXPECT_EQ(settle("report", alice, body).status, 404);
}

TEST_F(JoinsApi, OneThatIsDeclinedIsGone)
{
    EXPECT_EQ(settle("decline", bob, {{"user", "mallory@b.test"}}).code(), "forbidden");
    EXPECT_EQ(settle("decline", alice, {{"user", "mallory@b.test"}}).status, 204);
    EXPECT_EQ(told(alice), json::array());
    EXPECT_EQ(settle("decline", alice, {{"user", "mallory@b.test"}}).status, 404);
}

}  // namespace
}  // namespace entente::api::testing
