// What administrators do about other servers over the client API: who may, what holds then, what is
// refused, and who the audit log says it was.
#include "policies_rig.hpp"

namespace entente::api::testing {
namespace {

const std::string servers_path = "/api/v1/admin/trust/servers";

class AdminTrust : public PolicyRoutes {
 protected:
    AdminTrust() : vera(with_role("vera", "admin")) {}

    Answer set(const std::string& server, const json& body, const Person& by)
    {
        return rig.request("PUT", servers_path + "/" + server, body, by.access);
    }
    Answer set(const std::string& server, const std::string& tier)
    {
        return set(server, {{"tier", tier}}, vera);
    }
    json show(const std::string& server)
    {
        return rig.get(servers_path + "/" + server, vera.access).body;
    }
    std::string tier(const std::string& server)
    {
        const auto shown = show(server);
        return shown.value("tier", "") + " " + shown.value("reason", "");
    }
    Answer import(const std::string& list, const std::string& csv, const std::string& query = {})
    {
        return rig.post_text("/api/v1/admin/trust/lists/" + list + query, csv, "text/csv",
                             vera.access);
    }
    Answer peer(const std::string& server, const std::string& wish)
    {
        return rig.post(servers_path + "/" + server + "/peering", {{"wish", wish}}, vera.access);
    }
    // "actor act object", the newest first.
    std::vector<std::string> audit()
    {
        std::vector<std::string> acts;
        const auto log = rig.get("/api/v1/admin/audit", root.access).body;
        for (const auto& entry : log["entries"])
            acts.push_back(entry["actor"].get<std::string>() + " " +
                           entry["act"].get<std::string>() + " " +
                           entry["object"].get<std::string>());
        return acts;
    }
    void fall(const std::string& server)
    {
        trust::Fall fall;
        fall.server = protocol::ServerName::trusted(server);
        fall.offence = trust::Offence::fork;
        fall.at = rig.clock.now_ms();
        fall.until = fall.at + 3'600'000;
        fall.evidence = R"({"signed":"x"})";
        const auto kept =
            rig.await(rig.commit().write([fall](storage::WriteTransaction& transaction) {
                return storage::put_fall(transaction.db(), fall);
            }));
        ASSERT_TRUE(kept);
        rig.restart();
    }

    Person vera;
};

TEST_F(AdminTrust, ATierIsSetShownAndTakenBackInTheAdministratorsName)
{
    EXPECT_EQ(tier("b.test"), "guest first-contact");
    const auto done = set("b.test", {{"tier", "blocked"}, {"comment", "too loud"}}, vera);
    ASSERT_EQ(done.status, 200) << done.text;
    EXPECT_EQ(done.body,
              (json{{"server", "b.test"}, {"tier", "blocked"}, {"reason", "administrator"}}));
    const auto shown = show("b.test");
    EXPECT_EQ(shown["administrator"]["comment"], "too loud");
    EXPECT_EQ(shown["mode"], "open");
    EXPECT_EQ(show("c.b.test")["above"], "b.test") << "names below are blocked too";

    const auto gone = rig.request("DELETE", servers_path + "/b.test", json::object(), vera.access);
    EXPECT_EQ(gone.status, 200) << gone.text;
    EXPECT_EQ(tier("b.test"), "guest first-contact");
    EXPECT_EQ(rig.request("DELETE", servers_path + "/b.test", json::object(), vera.access).status,
              404);
    EXPECT_EQ(audit(), (std::vector<std::string>{"vera@a.test trust.unset b.test",
                                                 "vera@a.test trust.set b.test"}));
}

TEST_F(AdminTrust, AServerWhoseKeysAreDisputedIsShownAsSuch)
{
    set("b.test", "trusted");
    rig.on_io([this] { rig.disputed.emplace_back("b.test"); });
    EXPECT_EQ(tier("b.test"), "quarantined key-conflict");
}

TEST_F(AdminTrust, OthersAreRefusedAndNothingIsDone)
{
    const auto refused = [](const Answer& answer) { EXPECT_EQ(answer.status, 403) << answer.text; };
    refused(set("b.test", {{"tier", "blocked"}}, alice));
    for (const std::string path : {"/servers", "/servers/b.test", "/falls", "/peerings", "/list"})
        refused(rig.get("/api/v1/admin/trust" + path, alice.access));
    refused(rig.get("/api/v1/admin/explain?subject=b.test", alice.access));
    refused(rig.request("DELETE", servers_path + "/b.test", json::object(), alice.access));
    refused(rig.post(servers_path + "/b.test/pardon", json::object(), alice.access));
    refused(rig.post(servers_path + "/b.test/peering", {{"wish", "propose"}}, alice.access));
    refused(
        rig.post_text("/api/v1/admin/trust/lists/x", "b.test,suspend\n", "text/csv", alice.access));
    // Nothing of a list is read for them, not even what is wrong with it.
    refused(rig.post_text("/api/v1/admin/trust/lists/a!list", "\xff", "text/csv", alice.access));
    EXPECT_EQ(audit(), std::vector<std::string>{});
    EXPECT_EQ(tier("b.test"), "guest first-contact");
}

TEST_F(AdminTrust, APolicyTakesTheRightFromAdminsAndLeavesThemTheLook)
{
    const auto taken = put(
        R"({"id":"r","actions":["peer.change"],"when":{"eq":["subject.role","admin"]},"effects":["deny"]})");
    ASSERT_EQ(taken.status, 200) << taken.text;
    EXPECT_FALSE(taken.body.contains("unasked"));
    EXPECT_EQ(set("b.test", "blocked").hint(), "by the policy rule own@1/r");
    EXPECT_EQ(import("spam", "b.test,suspend\n").status, 403);
    EXPECT_EQ(peer("b.test", "propose").status, 403);
    EXPECT_EQ(tier("b.test"), "guest first-contact");
    EXPECT_EQ(set("b.test", {{"tier", "blocked"}}, root).status, 200);
}

TEST_F(AdminTrust, WhatIsWrongIsNamed)
{
    EXPECT_EQ(set("b.test", "evil").hint(),
              "/tier: must be blocked, quarantined, guest, known or trusted");
    EXPECT_EQ(set("b.test", {{"comment", "x"}}, vera).status, 400);
    const auto comment = [&](std::size_t octets) {
        return set("b.test", {{"tier", "guest"}, {"comment", std::string(octets, 'c')}}, vera)
            .status;
    };
    EXPECT_EQ(comment(trust::max_comment_octets), 200);
    EXPECT_EQ(comment(trust::max_comment_octets + 1), 400);
    EXPECT_EQ(set("a.test", "blocked").hint(), "that is this server itself");
    EXPECT_EQ(set("B", "blocked").status, 400);
    EXPECT_EQ(peer("b.test", "marry").hint(), "/wish: must be propose, accept or end");
    EXPECT_EQ(rig.get(servers_path + "?source=gossip", vera.access).status, 400);
    EXPECT_EQ(rig.get("/api/v1/admin/trust/falls?cursor=x", vera.access).status, 400);
    EXPECT_EQ(rig.post(servers_path + "/b.test/pardon", json::object(), vera.access).status, 404);
    EXPECT_EQ(import("a!list", "b.test,suspend\n").status, 400);
    EXPECT_EQ(import("l", "b.test,suspend\n", "?replace=perhaps").status, 400);
    EXPECT_EQ(rig.post("/api/v1/admin/trust/lists/l", {{"a", 1}}, vera.access).status, 415);
}

TEST_F(AdminTrust, AListIsImportedWithoutItsBadLinesAndExported)
{
    const auto first = import("spam",
                              "#domain,#severity\nb.test,suspend\nnot a name,suspend\n"
                              "c.test,silence\na.test,suspend\nd.test,noop\n");
    ASSERT_EQ(first.status, 200) << first.text;
    EXPECT_EQ(first.body["imported"], 2);
    EXPECT_EQ(first.body["ignored"], 2) << "this server, and noop";
    EXPECT_EQ(first.body["bad_lines"], 1);
    EXPECT_EQ(first.body["bad"][0]["line"], 3);
    EXPECT_EQ(tier("b.test"), "blocked list");
    EXPECT_EQ(show("b.test")["lists"][0]["list"], "spam");

    const auto listed = rig.get(servers_path + "?source=list&limit=1", vera.access).body;
    ASSERT_EQ(listed["servers"].size(), 1U);
    EXPECT_EQ(listed["servers"][0]["server"], "b.test");
    const auto rest =
        rig.get(servers_path + "?source=list&limit=1&cursor=" + listed["next"].get<std::string>(),
                vera.access)
            .body;
    EXPECT_EQ(rest["servers"][0]["server"], "c.test");
    EXPECT_EQ(rig.get(servers_path, vera.access).body["servers"], json::array());

    const auto out = rig.get("/api/v1/admin/trust/list", vera.access);
    EXPECT_EQ(out.field("content-type"), "text/csv; charset=utf-8");
    EXPECT_NE(out.text.find("b.test,suspend"), std::string::npos) << out.text;

    const auto second = import("spam", "c.test,silence\n", "?replace=true");
    EXPECT_EQ(second.body["dropped"], 1);
    EXPECT_EQ(tier("b.test"), "guest first-contact");
    EXPECT_EQ(audit().front(), "vera@a.test trust.imported spam");
}

TEST_F(AdminTrust, AListMayBeSoLongAndNoLonger)
{
    const auto of = [](std::size_t octets) {
        const std::string line = "b.test,suspend\n#";
        return line + std::string(octets - line.size(), '\n');
    };
    EXPECT_EQ(import("l", of(trust::max_list_octets)).status, 200);
    EXPECT_EQ(import("l", of(trust::max_list_octets + 1)).status, 413);
}

TEST_F(AdminTrust, FallsAreListedWithTheirEvidenceAndPardoned)
{
    fall("b.test");
    rig.clock.advance_s(1);
    fall("c.test");
    EXPECT_EQ(tier("b.test"), "quarantined fallen");
    const auto page = rig.get("/api/v1/admin/trust/falls?limit=1", vera.access).body;
    ASSERT_EQ(page["falls"].size(), 1U);
    EXPECT_EQ(page["falls"][0]["server"], "c.test");
    EXPECT_EQ(page["falls"][0]["offence"], "fork");
    EXPECT_EQ(page["falls"][0]["evidence"], (json{{"signed", "x"}}));
    const auto rest =
        rig.get("/api/v1/admin/trust/falls?limit=1&cursor=" + page["next"].get<std::string>(),
                vera.access)
            .body;
    EXPECT_EQ(rest["falls"][0]["server"], "b.test");
    const auto of_b = rig.get("/api/v1/admin/trust/falls?server=b.test", vera.access).body;
    EXPECT_EQ(of_b["falls"].size(), 1U);
    EXPECT_TRUE(of_b["next"].is_null());

    const auto pardoned = rig.post(servers_path + "/b.test/pardon", json::object(), vera.access);
    EXPECT_EQ(pardoned.status, 200) << pardoned.text;
    EXPECT_EQ(tier("b.test"), "guest first-contact");
    EXPECT_EQ(audit().front(), "vera@a.test trust.pardon b.test");
}

TEST_F(AdminTrust, APeeringIsProposedListedAndEnded)
{
    EXPECT_EQ(peer("b.test", "accept").status, 409) << "nobody has proposed it";
    EXPECT_EQ(peer("b.test", "end").status, 404);
    const auto proposed = peer("b.test", "propose");
    ASSERT_EQ(proposed.status, 200) << proposed.text;
    const json row{{"server", "b.test"}, {"ours", true}, {"theirs", false}, {"mutual", false}};
    EXPECT_EQ(proposed.body, row);
    EXPECT_EQ(rig.woken, std::vector<std::string>{"b.test"});
    EXPECT_EQ(rig.get("/api/v1/admin/trust/peerings", vera.access).body["peerings"],
              json::array({row}));
    EXPECT_EQ(show("b.test")["peering"]["ours"], true);
    EXPECT_EQ(peer("b.test", "end").status, 200);
    EXPECT_EQ(rig.get("/api/v1/admin/trust/peerings", vera.access).body["peerings"], json::array());
    EXPECT_EQ(audit(), (std::vector<std::string>{"vera@a.test peer.end b.test",
                                                 "vera@a.test peer.propose b.test"}));
}

TEST_F(AdminTrust, ADecisionIsExplainedAndAChangeRehearsed)
{
    set("b.test", "quarantined");
    const auto told =
        rig.get("/api/v1/admin/explain?subject=bob@b.test&action=invitation.receive", vera.access);
    ASSERT_EQ(told.status, 200) << told.text;
    EXPECT_EQ(told.body["tier"], "quarantined");
    EXPECT_EQ(told.body["decisions"][0]["outcome"], "held") << told.text;
    EXPECT_EQ(
        rig.get("/api/v1/admin/explain?subject=b.test&action=mesage.create", vera.access).hint(),
        "there is no action mesage.create; did you mean message.create?");

    EXPECT_EQ(upload(alice, 5).status, 201);
    const auto kept = rig.await(rig.api().policies().keep_sample());
    ASSERT_TRUE(kept);
    const json wish{{"text", rules(R"({"id":"r","actions":["media.upload"],"effects":["deny"]})")}};
    const auto done = rig.post("/api/v1/admin/policies/own/rehearse", wish, vera.access);
    ASSERT_EQ(done.status, 200) << done.text;
    EXPECT_EQ(done.body["differing"], 1);
    EXPECT_EQ(done.body["differences"][0]["rule_after"], "own@1/r");
    auto too_long = wish;
    too_long["since_s"] = 7 * 86'400 + 1;
    EXPECT_EQ(rig.post("/api/v1/admin/policies/own/rehearse", too_long, vera.access).status, 400);
    EXPECT_EQ(upload(alice, 6).status, 201) << "it was only tried";
}

}  // namespace
}  // namespace entente::api::testing
