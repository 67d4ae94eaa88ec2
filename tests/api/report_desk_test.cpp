// What administrators make of reports, over HTTPS.
#include "protocol/octets.hpp"
#include "rig.hpp"

namespace entente::api::testing {
namespace {

constexpr const char* reports_path = "/api/v1/admin/reports";
constexpr const char* reported_channel = "0192f0c1-7b1a-7c3d-8e4f-0123456789ab@b.test";

class Desk : public ::testing::Test {
 protected:
    Desk() : alice(rig.person("alice"))
    {
        rig.person("root");
        auto done = rig.await(rig.commit().write([](storage::WriteTransaction& transaction) {
            return transaction.db().execute(
                "UPDATE account_user SET role = 'admin' WHERE localpart = 'root'");
        }));
        EXPECT_TRUE(done);
        root = rig.post("/api/v1/auth/login", credentials("root", "a fine password"))
                   .body["access_token"];
    }
    // A report by alice; its path.
    std::string report(const std::string& user, bool of_an_event = true)
    {
        json body{{"txn", uuid(++txn)}, {"user", user}, {"reason", "rude"}};
        if (of_an_event) {
            body["channel"] = reported_channel;
            body["event"] = protocol::to_base64url(protocol::sha256("x"));
        }
        const auto answer = rig.post("/api/v1/reports", body, alice.access);
        EXPECT_EQ(answer.status, 201) << answer.text;
        return std::string(reports_path) + "/" + std::to_string(txn);
    }
    Answer act(const std::string& path, const json& body = json::object())
    {
        return rig.post(path, body, root);
    }
    std::vector<std::string> passed()
    {
        std::vector<std::string> servers;
        rig.on_io([&] { servers = rig.report_passing.passed; });
        return servers;
    }
    json log() { return rig.get("/api/v1/admin/audit?limit=200", root).body.at("entries"); }

    Rig rig;
    Person alice;
    std::string root;
    int txn = 0;
};

TEST_F(Desk, AReportIsClosedOnceWithItsVerdict)
{
    const auto path = report("alice@a.test", false);
    EXPECT_EQ(act(path + "/close", {{"verdict", "maybe"}}).hint(),
              "/verdict: upheld or dismissed is needed");
    const auto closed = act(path + "/close", {{"verdict", "upheld"}, {"reason", "it is so"}});
    ASSERT_EQ(closed.status, 200) << closed.text;
    EXPECT_EQ(closed.body["closed_by"], "root@a.test");
    EXPECT_EQ(act(path + "/close", {{"verdict", "upheld"}}).status, 200);
    EXPECT_EQ(act(path + "/close", {{"verdict", "dismissed"}}).status, 409);
    EXPECT_TRUE(rig.get(reports_path, root).body["reports"].empty());
    const auto listed = rig.get(std::string(reports_path) + "?state=closed", root);
    ASSERT_EQ(listed.body["reports"].size(), 1U);
    EXPECT_EQ(listed.body["reports"][0]["verdict"], "upheld");
    EXPECT_EQ(rig.get(std::string(reports_path) + "?state=x", root).hint(),
              "?state: open or closed is needed");
    ASSERT_EQ(log().size(), 1U);
    EXPECT_EQ(log()[0]["act"], "report.close");
    EXPECT_EQ(log()[0]["object"], "report 1");
    EXPECT_EQ(log()[0]["details"]["verdict"], "upheld");
    EXPECT_EQ(log()[0]["details"]["user"], "alice@a.test");
    EXPECT_EQ(act(std::string(reports_path) + "/99/close", {{"verdict", "upheld"}}).status, 404);
    EXPECT_EQ(act(std::string(reports_path) + "/x/close", {{"verdict", "upheld"}}).status, 404);
}

TEST_F(Desk, OnlyAnUpheldReportOfAnothersUserCountsAgainstHisServerAndOnce)
{
    rig.on_io([&] {
        trust::PinnedServer pins;
        pins.server = protocol::ServerName::trusted("b.test");
        pins.conflict = true;
        rig.upheld.proof = trust::Proof::of_conflict(pins).value();
    });
    const auto asked = [&] {
        int count = 0;
        rig.on_io([&] { count = rig.upheld.asked; });
        return count;
    };
    const auto close = [&](const std::string& path, const std::string& verdict) {
        const auto answer = act(path + "/close", {{"verdict", verdict}});
        EXPECT_EQ(answer.status, 200) << answer.text;
        return answer.body.value("counts_against", "");
    };
    EXPECT_EQ(close(report("mallory@b.test"), "dismissed"), "");
    EXPECT_EQ(close(report("alice@a.test"), "upheld"), "");
    EXPECT_EQ(close(report("mallory@b.test", false), "upheld"), "") << "of no event";
    EXPECT_EQ(asked(), 0);
    const auto path = report("mallory@b.test");
    EXPECT_EQ(close(path, "upheld"), "b.test");
    EXPECT_EQ(asked(), 1);
    EXPECT_EQ(close(path, "upheld"), "b.test") << "told again";
    EXPECT_EQ(asked(), 1) << "and not counted again";
    EXPECT_EQ(log().at(0).at("details").at("counts_against"), "b.test");

    const auto next = report("mallory@b.test");
    EXPECT_EQ(rig.post(next + "/close", {{"verdict", "upheld"}}, alice.access).status, 403);
    EXPECT_EQ(asked(), 1) << "who may not close it has nothing proven";

    rig.on_io([&] { rig.upheld.proof.reset(); });
    EXPECT_EQ(close(report("mallory@b.test"), "upheld"), "") << "nothing proves it";
    EXPECT_EQ(log().size(), 5U);
}

TEST_F(Desk, OneOfAnothersUserIsSentOnceWithItsProof)
{
    const auto path = report("mallory@b.test");
    const auto sent = act(path + "/send", {{"with_content", false}});
    ASSERT_EQ(sent.status, 200) << sent.text;
    EXPECT_TRUE(sent.body.contains("sent_at"));
    EXPECT_EQ(act(path + "/send").body["sent_at"], sent.body["sent_at"]);
    EXPECT_EQ(passed(), std::vector<std::string>{"b.test"});
    ASSERT_EQ(log().size(), 1U);
    EXPECT_EQ(log()[0]["act"], "report.send");
    EXPECT_EQ(log()[0]["details"]["to"], "b.test");
    EXPECT_EQ(log()[0]["details"]["with_content"], false);
    EXPECT_EQ(rig.post(path + "/send", json::object(), alice.access).status, 403);
}

TEST_F(Desk, WhatCantBeProvenIsNotSent)
{
    EXPECT_EQ(act(report("alice@a.test") + "/send").hint(), "the reported user is of this server");
    EXPECT_EQ(act(report("mallory@b.test", false) + "/send").hint(),
              "this report names no event: there is nothing to prove");
    rig.on_io([&] {
        rig.report_passing.problem =
            Error{Code::not_found, "", "this server doesn't hold the event", 0};
    });
    const auto path = report("mallory@b.test");
    EXPECT_EQ(act(path + "/send").status, 404);
    EXPECT_EQ(act(path + "/send", {{"with_content", 1}}).status, 400);
    EXPECT_TRUE(passed().empty());
    EXPECT_TRUE(log().empty());
    EXPECT_EQ(rig.get(path + "/proof", root).status, 404) << "it came without one";
}

TEST_F(Desk, AHundredAreSentADayAtMost)
{
    std::string path;
    for (int i = 0; i <= reports_sent_a_day; ++i) {
        auto options = json{{"txn", uuid(++txn)},
                            {"user", "mallory@b.test"},
                            {"channel", reported_channel},
                            {"event", protocol::to_base64url(protocol::sha256("x"))}};
        // As by many users, of whom each has his own number.
        auto row = rig.await(rig.commit().write([&](storage::WriteTransaction& transaction) {
            storage::ReportRow made;
            made.origin = "a.test";
            made.sender = "u" + std::to_string(txn) + "@a.test";
            made.user = "mallory@b.test";
            made.channel = reported_channel;
            made.event = options.at("event");
            return storage::put_report(transaction.db(), made, made.origin);
        }));
        ASSERT_TRUE(row);
        path = std::string(reports_path) + "/" + std::to_string(txn) + "/send";
        if (i < reports_sent_a_day) {
            ASSERT_EQ(act(path).status, 200) << i;
        }
    }
    EXPECT_EQ(act(path).status, 429);
    rig.clock.advance_s(86'400);
    root =
        rig.post("/api/v1/auth/login", credentials("root", "a fine password")).body["access_token"];
    EXPECT_EQ(act(path).status, 200);
}

TEST_F(Desk, ListsComeInPagesAndClosedOnesGoAfterAYear)
{
    for (int i = 0; i < 3; ++i) report("alice@a.test", false);
    const auto first = rig.get(std::string(reports_path) + "?limit=2", root);
    ASSERT_EQ(first.body["reports"].size(), 2U);
    const auto rest = rig.get(
        std::string(reports_path) + "?limit=2&cursor=" + first.body["next"].get<std::string>(),
        root);
    ASSERT_EQ(rest.body["reports"].size(), 1U);
    EXPECT_TRUE(rest.body["next"].is_null());
    EXPECT_EQ(rig.get(std::string(reports_path) + "?cursor=eA", root).hint(),
              "?cursor: not one of ours");

    EXPECT_EQ(act(std::string(reports_path) + "/1/close", {{"verdict", "dismissed"}}).status, 200);
    const auto count = [&](bool are_closed) {
        return rig.await(rig.api().reports().list(are_closed, 0, 10))->size();
    };
    rig.clock.advance_s(storage::closed_report_life_ms / 1000);
    EXPECT_TRUE(rig.await(rig.api().reports().sweep()));
    EXPECT_EQ(count(true), 1U);
    rig.clock.advance_s(1);
    EXPECT_TRUE(rig.await(rig.api().reports().sweep()));
    EXPECT_EQ(count(true), 0U);
    EXPECT_EQ(count(false), 2U) << "open ones stay";
}

}  // namespace
}  // namespace entente::api::testing
