// Policies over the client API: who sees and changes them, what is refused, and that what is stored
// decides from the next request on.
#include "policies_rig.hpp"

namespace entente::api::testing {
namespace {

TEST_F(PolicyRoutes, AVersionIsPutShownListedAndRestored)
{
    const auto first = put(R"({"id":"r","actions":["media.upload"],"effects":["deny"]})");
    ASSERT_EQ(first.status, 200) << first.text;
    EXPECT_EQ(first.body["version"], 1);
    EXPECT_EQ(first.body["author"], "root@a.test");
    EXPECT_EQ(first.body["reason"], "because");
    EXPECT_EQ(first.field("cache-control"), "no-store");
    EXPECT_EQ(upload(alice, 5).status, 403);
    EXPECT_EQ(put(R"({"id":"r","actions":["media.upload"],"effects":["log"]})").body["version"], 2);
    EXPECT_EQ(upload(alice, 5).status, 201);

    const auto listed = rig.get(policies_path, root.access).body["policies"];
    ASSERT_EQ(listed.size(), 4U);
    EXPECT_EQ(listed[0], (json{{"policy", "channel-roles"},
                               {"version", 0},
                               {"shipped", true},
                               {"rules", listed[0]["rules"]}}));
    EXPECT_EQ(listed[1]["policy"], "own");
    EXPECT_EQ(listed[1]["shipped"], false);
    EXPECT_EQ(listed[1]["rules"], 1);
    const auto shipped = rig.get(policies_path + "/tiers", root.access).body;
    EXPECT_NE(shipped["text"].get<std::string>().find("invitations-of-guests-wait"),
              std::string::npos);

    const auto restored = rig.post(policies_path + "/own/restore",
                                   {{"version", 1}, {"reason", "was better"}}, root.access);
    ASSERT_EQ(restored.status, 200) << restored.text;
    EXPECT_EQ(restored.body["version"], 3);
    EXPECT_EQ(upload(alice, 5).hint(), "by the policy rule own@3/r");
    EXPECT_EQ(rig.post(policies_path + "/own/restore", {{"version", 0}, {"reason", "no more"}},
                       root.access)
                  .body["text"],
              nullptr);
    EXPECT_EQ(upload(alice, 5).status, 201);
    EXPECT_EQ(
        rig.post(policies_path + "/own/restore", {{"version", 9}, {"reason", "x"}}, root.access)
            .hint(),
        "no such version");
    const auto versions = rig.get(policies_path + "/own/versions?limit=3", root.access).body;
    ASSERT_EQ(versions["versions"].size(), 3U);
    EXPECT_EQ(versions["versions"][0]["version"], 4);
    EXPECT_TRUE(versions["versions"][0]["text"].is_null());
    const auto rest =
        rig.get(policies_path + "/own/versions?cursor=" + versions["next"].get<std::string>(),
                root.access)
            .body;
    ASSERT_EQ(rest["versions"].size(), 1U);
    EXPECT_EQ(rest["versions"][0]["version"], 1);
    EXPECT_TRUE(rest["next"].is_null());

    std::vector<std::string> acts;
    const auto log = rig.get("/api/v1/admin/audit", root.access).body;
    for (const auto& entry : log["entries"])
        acts.push_back(entry["act"].get<std::string>() + " " + entry["object"].get<std::string>() +
                       " " + entry["details"].dump());
    ASSERT_EQ(acts.size(), 4U);
    EXPECT_EQ(acts[3], R"(policy.change own {"reason":"because","version":1})");
    EXPECT_EQ(acts[1], R"(policy.change own {"reason":"was better","restored":1,"version":3})");
}

TEST_F(PolicyRoutes, KeysAndDeviceMessagesOfOwnUsersAreAskedOneByOne)
{
    const auto bob = rig.person("bob");
    const auto put_keys = [&](const Person& by) {
        return rig
            .post("/api/v1/keys/upload",
                  {{"one_time", {{{"kind", "x3dh"}, {"id", 1}, {"key", {{"n", 1}}}}}}}, by.access)
            .status;
    };
    ASSERT_EQ(put_keys(bob), 200);
    ASSERT_EQ(put_keys(root), 200);
    const auto rule = put(R"({"id":"r","actions":["key.claim","device.send"],)"
                          R"("when":{"eq":["resource.id","bob@a.test"]},"effects":["deny"]})");
    ASSERT_EQ(rule.status, 200) << rule.text;
    EXPECT_FALSE(rule.body.contains("unasked"));
    json claims = json::array(), messages = json::array();
    for (const std::string user : {"bob@a.test", "root@a.test", "nobody@b.test"}) {
        claims.push_back({{"user", user}, {"device", uuid(1)}, {"kind", "x3dh"}});
        messages.push_back({{"user", user}, {"device", uuid(1)}, {"message", {{"sealed", "x"}}}});
    }
    const auto claimed =
        rig.post("/api/v1/keys/claim", {{"txn", uuid(7)}, {"claims", claims}}, alice.access);
    ASSERT_EQ(claimed.status, 200) << claimed.text;
    ASSERT_EQ(claimed.body["keys"].size(), 3U);
    EXPECT_EQ(claimed.body["keys"][0]["user"], "bob@a.test");
    EXPECT_TRUE(claimed.body["keys"][0]["key"].is_null());
    EXPECT_EQ(claimed.body["keys"][0]["problem"]["type"], "urn:entente:problem:forbidden");
    EXPECT_EQ(claimed.body["keys"][1]["key"]["n"], 1);
    EXPECT_EQ(claimed.body["keys"][2]["problem"]["type"], "urn:entente:problem:unavailable");

    const auto sent = rig.post("/api/v1/devices/messages",
                               {{"txn", uuid(8)}, {"messages", messages}}, alice.access);
    ASSERT_EQ(sent.status, 201) << sent.text;
    EXPECT_EQ(sent.body["results"][0]["status"], "refused");
    EXPECT_EQ(sent.body["results"][0]["problem"]["type"], "urn:entente:problem:forbidden");
    EXPECT_EQ(sent.body["results"][1]["status"], "accepted");
    EXPECT_EQ(sent.body["results"][2]["status"], "pending");
}

TEST_F(PolicyRoutes, WhatIsStoredCountsAfterARestart)
{
    EXPECT_EQ(put(R"({"id":"r","actions":["media.upload"],"effects":["deny"]})").status, 200);
    rig.policies.policies()->replace(trust::policy::shipped_alone()->current());
    EXPECT_EQ(upload(alice, 5).status, 201) << "nothing of it is left in memory";
    rig.restart();
    EXPECT_EQ(upload(alice, 5).status, 403);
}

TEST_F(PolicyRoutes, OneThatCantBeReadAnyMoreIsDeniedToldAndPutRight)
{
    EXPECT_EQ(put(R"({"id":"r","actions":["media.upload"],"effects":["log"]})").status, 200);
    EXPECT_TRUE(rig.await(rig.commit().write([&](storage::WriteTransaction& transaction) {
        return transaction.db().execute(
            R"(UPDATE policy SET text = replace(text, '"log"', '"later"'))");
    })));
    rig.restart();
    EXPECT_EQ(upload(alice, 5).hint(), "by the policy rule (left-out)@0/own");
    const auto listed = rig.get(policies_path + "/own", root.access).body;
    EXPECT_NE(listed["left_out"].get<std::string>().find("/rules/0/effects"), std::string::npos)
        << listed;
    EXPECT_EQ(rig.post(policies_path + "/own/restore", {{"version", 0}, {"reason", "as it was"}},
                       root.access)
                  .status,
              200);
    EXPECT_EQ(upload(alice, 5).status, 201);
}

TEST_F(PolicyRoutes, AFaultIsToldWithItsPlaceAndWhatWasMeant)
{
    const auto wrong = put(R"({"id":"r","actions":["media.upload"],)"
                           R"("when":{"eq":["subject.teir","guest"]},"effects":["deny"]})");
    EXPECT_EQ(wrong.status, 400);
    EXPECT_NE(wrong.hint().find("/rules/0/when/eq/0 (line 1, column 74)"), std::string::npos)
        << wrong.hint();
    EXPECT_NE(wrong.hint().find("did you mean subject.tier?"), std::string::npos) << wrong.hint();
    const auto beyond =
        put(R"({"id":"r","actions":["message.create"],"effects":[{"hold":"user"}]})");
    EXPECT_NE(beyond.hint().find("can't carry it out"), std::string::npos) << beyond.hint();
    const auto long_text = rig.request(
        "PUT", policies_path + "/own",
        {{"text", std::string(trust::policy::max_policy_octets + 1, ' ')}, {"reason", "x"}},
        root.access);
    EXPECT_EQ(long_text.hint(), "/text: at most 1048576 octets");
    EXPECT_EQ(rig.request("PUT", policies_path + "/own", {{"text", rules("")}}, root.access).status,
              400)
        << "a reason is needed";
    EXPECT_EQ(rig.get(policies_path + "/own", root.access).status, 404);
}

TEST_F(PolicyRoutes, CheckSaysWhatPutWouldAndChangesNothing)
{
    const auto check = [&](const std::string& rule) {
        return rig.post(policies_path + "/own/check", {{"text", rules(rule)}}, root.access);
    };
    const auto fine = check(R"({"id":"r","actions":["media.upload"],"effects":["deny"]})");
    EXPECT_EQ(fine.status, 200) << fine.text;
    EXPECT_EQ(fine.body, (json{{"version", 1}}));
    EXPECT_EQ(check(R"({"id":"r","actions":["media.*"],"effects":["deny"]})").body["unasked"],
              json{"media.prefetch"});
    EXPECT_EQ(check(R"({"id":"r","actions":["media.up"],"effects":["deny"]})").status, 400);
    EXPECT_EQ(check(R"({"id":"r","actions":["policy.change"],"effects":["deny"]})").status, 403);
    EXPECT_EQ(upload(alice, 5).status, 201);
    EXPECT_EQ(rig.get(policies_path + "/own", root.access).status, 404);
}

TEST_F(PolicyRoutes, WhoChangesMaySayWhatHeHasSeen)
{
    const auto at = [&](std::int64_t version) {
        return rig
            .request("PUT", policies_path + "/own",
                     {{"text", rules("")}, {"reason", "r"}, {"version", version}}, root.access)
            .status;
    };
    EXPECT_EQ(at(0), 200);
    EXPECT_EQ(at(0), 409);
    EXPECT_EQ(at(1), 200);
}

TEST_F(PolicyRoutes, AdministratorsReadAndSuperadminsChange)
{
    const auto admin = with_role("bob", "admin");
    EXPECT_EQ(rig.get(policies_path, admin.access).status, 200);
    EXPECT_EQ(rig.get(policies_path + "/tiers", admin.access).status, 200);
    EXPECT_EQ(put("", admin).hint(), "no policy rule allows it");
    EXPECT_EQ(
        rig.post(policies_path + "/own/restore", {{"version", 0}, {"reason", "x"}}, admin.access)
            .status,
        403);
    for (const auto* path : {"", "/tiers", "/tiers/versions"})
        EXPECT_EQ(rig.get(policies_path + path, alice.access).status, 403) << path;
    EXPECT_EQ(put("", alice).status, 403);
    EXPECT_EQ(rig.get(policies_path).status, 401);
}

TEST_F(PolicyRoutes, NobodyLocksAllSuperadminsOut)
{
    const auto locked = put(R"({"id":"r","actions":["policy.change"],"effects":["deny"]})");
    EXPECT_EQ(locked.status, 403);
    EXPECT_NE(
        locked.hint().find("no superadmin could be sure to change policies any more: own@1/r"),
        std::string::npos)
        << locked.hint();
    EXPECT_EQ(put(R"({"id":"r","actions":["media.upload"],"effects":["log"]})").status, 200);
}

// Where only one of two superadmins may change policies, that one can't be taken away.
TEST_F(PolicyRoutes, TheOneWhoCanChangePoliciesStays)
{
    const auto other = with_role("other", "superadmin");
    ASSERT_EQ(put(R"({"id":"r","actions":["policy.change"],)"
                  R"("when":{"ne":["subject.id","root@a.test"]},"effects":["deny"]})")
                  .status,
              200);
    const std::pair<const char*, json> acts[] = {{"suspend", json::object()},
                                                 {"ban", json::object()},
                                                 {"delete", json::object()},
                                                 {"role", {{"role", "admin"}}}};
    for (const auto& [what, body] : acts) {
        const auto refused = act(other, "root@a.test", what, body);
        EXPECT_EQ(refused.status, 403) << what;
        EXPECT_NE(refused.hint().find("no superadmin could be sure"), std::string::npos)
            << what << ": " << refused.hint();
    }
    EXPECT_EQ(act(root, "other@a.test", "suspend").status, 200) << "the other may go";
    EXPECT_EQ(rig.get(policies_path, root.access).status, 200);
}

TEST_F(PolicyRoutes, WhoIsBannedCountsForNoSuperadmin)
{
    with_role("other", "superadmin");
    ASSERT_EQ(act(root, "other@a.test", "ban").status, 200);
    EXPECT_EQ(put(R"({"id":"r","actions":["policy.change"],)"
                  R"("when":{"eq":["subject.id","root@a.test"]},"effects":["deny"]})")
                  .status,
              403);
}

TEST_F(PolicyRoutes, FilesAreRefusedBySizeAndCounted)
{
    ASSERT_EQ(put(R"({"id":"small","actions":["media.upload"],"when":{"gt":["context.size",100]},)"
                  R"("effects":["deny"]},)"
                  R"({"id":"two","actions":["media.upload"],)"
                  R"("effects":[{"limit":{"count":2,"seconds":60}}]})")
                  .status,
              200);
    EXPECT_EQ(upload(alice, 101).hint(), "by the policy rule own@1/small");
    EXPECT_EQ(upload(alice, 100).status, 201);
    EXPECT_EQ(upload(alice, 100).status, 201);
    const auto beyond = upload(alice, 100);
    EXPECT_EQ(beyond.status, 429);
    EXPECT_EQ(beyond.hint(), "by the policy rule own@1/two");
    EXPECT_EQ(upload(root, 100).status, 201);
    rig.clock.advance_s(60);
    EXPECT_EQ(upload(alice, 100).status, 201);
}

TEST_F(PolicyRoutes, ADenyOfOneSettingHoldsInWhateverCompanyItComes)
{
    const auto change = [&](const json& settings) {
        return rig.request("PATCH", "/api/v1/admin/settings", {{"settings", settings}},
                           root.access);
    };
    ASSERT_EQ(put(R"({"id":"closed","actions":["settings.change"],)"
                  R"("when":{"eq":["resource.id","registration.mode"]},"effects":["deny"]})")
                  .status,
              200);
    EXPECT_EQ(change({{"branding.name", "one"}}).status, 200);
    const json both{{"branding.name", "two"}, {"registration.mode", "open"}};
    EXPECT_EQ(change(both).hint(), "by the policy rule own@1/closed");
    EXPECT_EQ(rig.get("/api/v1/config").body["branding"]["name"], "one");
}

TEST_F(PolicyRoutes, ReportsAreRefusedToNewAccounts)
{
    EXPECT_EQ(report(alice).status, 201);
    ASSERT_EQ(put(R"({"id":"new","actions":["report.make"],)"
                  R"("when":{"lt":["subject.account_age",3600]},"effects":["deny"]})")
                  .status,
              200);
    EXPECT_EQ(report(alice).hint(), "by the policy rule own@1/new");
    rig.clock.advance_s(3600);
    const auto login = rig.post("/api/v1/auth/login", credentials("alice", "a fine password"));
    EXPECT_EQ(report({"alice@a.test", login.body["access_token"], ""}).status, 201);
}

TEST_F(PolicyRoutes, AccountsAreRefusedByNetworkAndName)
{
    const auto join = [&](const std::string& name) {
        return rig.post("/api/v1/auth/register", credentials(name, "a fine password"));
    };
    EXPECT_EQ(join("carol").status, 201);
    ASSERT_EQ(put(R"({"id":"not-here","actions":["account.register"],)"
                  R"("when":{"eq":["context.network","127.0.0.1"]},"effects":["deny"]})")
                  .status,
              200);
    EXPECT_EQ(join("dan").hint(), "by the policy rule own@1/not-here");
    ASSERT_EQ(put(R"({"id":"name","actions":["account.register"],)"
                  R"("when":{"in":["subject.id",["admin@a.test"]]},"effects":["deny"]})")
                  .status,
              200);
    EXPECT_EQ(join("admin").status, 403);
    EXPECT_EQ(join("dan").status, 201);
}

TEST_F(PolicyRoutes, WhatAdministratorsMayDoIsSaidByPolicies)
{
    const auto admin = with_role("bob", "admin");
    const auto code = [&](const Person& by) {
        return rig.post("/api/v1/admin/registration-codes", json::object(), by.access).status;
    };
    const auto audit = [&](const Person& by) {
        return rig.get("/api/v1/admin/audit", by.access).status;
    };
    const auto reports = [&](const Person& by) {
        return rig.get("/api/v1/admin/reports", by.access).status;
    };
    const auto rename = [&](const Person& by, const char* name) {
        return rig
            .request("PATCH", "/api/v1/admin/settings", {{"settings", {{"branding.name", name}}}},
                     by.access)
            .status;
    };
    EXPECT_EQ(code(admin), 201);
    EXPECT_EQ(audit(admin), 200);
    EXPECT_EQ(reports(admin), 200);
    EXPECT_EQ(rename(root, "one"), 200);
    ASSERT_EQ(
        put(R"({"id":"less","actions":["code.create","audit.read","report.*","account.suspend"],)"
            R"("when":{"eq":["subject.role","admin"]},"effects":["deny"]},)"
            R"({"id":"helper","actions":["code.create","report.list","account.suspend","settings.change"],)"
            R"("when":{"eq":["subject.id","alice@a.test"]},"effects":["allow"]})")
            .status,
        200);
    rig.person("carol");
    EXPECT_EQ(code(admin), 403);
    EXPECT_EQ(audit(admin), 403);
    EXPECT_EQ(reports(admin), 403);
    EXPECT_EQ(act(admin, "carol@a.test", "suspend").hint(), "by the policy rule own@1/less");
    EXPECT_EQ(act(admin, "carol@a.test", "ban").status, 200) << "another action";
    // And what a policy allows a user he may do, but for what nobody may.
    EXPECT_EQ(code(alice), 201);
    EXPECT_EQ(reports(alice), 200);
    EXPECT_EQ(audit(alice), 403);
    EXPECT_EQ(rename(alice, "two"), 200);
    rig.person("dave");
    EXPECT_EQ(act(alice, "dave@a.test", "suspend").status, 200);
    EXPECT_EQ(act(alice, "bob@a.test", "suspend").hint(), "this user has a higher role");
    EXPECT_EQ(act(alice, "dave@a.test", "ban").hint(), "no policy rule allows it");
}

TEST_F(PolicyRoutes, TheSampleIsKeptAndOtherPoliciesCanBeTriedOnIt)
{
    EXPECT_EQ(upload(alice, 50).status, 201);
    const auto rehearse = [&](const std::string& rule) {
        return rig.await(rig.api().policies().rehearse({"own", {}, rules(rule), ""}, 0));
    };
    const auto done = rehearse(R"({"id":"none","actions":["media.upload"],"effects":["deny"]})");
    ASSERT_TRUE(done) << done.error().hint;
    EXPECT_GE(done->decided, 2U) << "alice's registration among them";
    EXPECT_EQ(done->differing, 1U);
    const auto& one = done->differences.at(0);
    EXPECT_EQ(one.subject, "alice@a.test");
    EXPECT_EQ(one.rule_before, "server-roles@0/own-people");
    EXPECT_EQ(one.rule_after, "own@1/none");
    EXPECT_EQ(rehearse("")->differing, 0U);
    EXPECT_FALSE(rehearse("{}"));
    EXPECT_EQ(upload(alice, 50).status, 201) << "nothing was put into force";
}

TEST_F(PolicyRoutes, WhyIsExplained)
{
    const auto explain = [&](const ExplainQuestion& question) {
        return rig.await(rig.api().policies().explain(question)).value();
    };
    using trust::policy::Action;
    using trust::policy::Outcome;
    const auto of_user = explain({"alice@a.test", {}, Action::code_create, ""});
    ASSERT_EQ(of_user.size(), 1U);
    EXPECT_EQ(of_user[0].outcome, Outcome::denied);
    EXPECT_EQ(of_user[0].rule, "(default)/nothing-allows");
    EXPECT_EQ(explain({"root@a.test", {}, Action::code_create, ""})[0].rule,
              "server-roles@0/admins");
    const auto invited =
        explain({"bob@b.test", trust::Tier::guest, Action::invitation_receive, "alice@a.test"});
    EXPECT_EQ(invited[0].outcome, Outcome::held);
    ASSERT_EQ(invited[0].matches.size(), 2U);
    EXPECT_EQ(invited[0].matches[1].effects, "hold user");
    EXPECT_EQ(rig.await(rig.api().policies().explain({"nobody@a.test", {}, {}, ""})).error().code,
              Code::not_found);
    EXPECT_EQ(explain({"root@a.test", {}, Action::account_ban, "root@a.test"})[0].rule,
              "(invariants)/not-oneself");
}

}  // namespace
}  // namespace entente::api::testing
