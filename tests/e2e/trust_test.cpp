// The operator's word on other servers while they run: who is blocked is neither answered nor
// called, from the next request on and over a restart; lists go in and out.
#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class Trust : public WorldTest {
 protected:
    Told trust(const std::string& server, std::vector<std::string> arguments)
    {
        arguments.insert(arguments.begin(), "trust");
        auto told = control(node(server), std::move(arguments));
        EXPECT_EQ(told.exit_code, 0) << told.output;
        return told;
    }
    std::string tier(const std::string& server, const std::string& of)
    {
        const auto told = trust(server, {"show", of});
        return told.json.value("tier", "") + " " + told.json.value("reason", "");
    }
    static std::string read_file(const std::string& path)
    {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
};

TEST_F(Trust, ABlockedServerIsNeitherAnsweredNorCalledUntilThatIsTakenBack)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    EXPECT_EQ(tier("a.test", "b.test"), "trusted configuration");

    trust("a.test", {"set", "b.test", "blocked", "--comment", "too loud & more"});
    EXPECT_EQ(tier("a.test", "b.test"), "blocked administrator");
    EXPECT_EQ(trust("a.test", {"show", "b.test"}).json.at("administrator").at("comment"),
              "too loud & more");
    bob.post(channel, "from b");
    alice.post(channel, "from a");
    // b is refused, and knows why.
    wait_until("b is paused", [&] {
        const auto peer = control(node("b.test"), {"peer", "show", "a.test"});
        const auto& link = peer.json.at("link");
        return link.contains("problem") && link.at("problem").at("code") == "blocked";
    });
    // a doesn't call b: nothing waits there, though it is owed something.
    const auto owed = control(node("a.test"), {"peer", "show", "b.test"});
    EXPECT_EQ(owed.json.at("owed").at("entries"), 1);
    EXPECT_EQ(owed.json.at("link").at("state"), "idle");
    EXPECT_TRUE(bob.texts(channel) == std::vector<std::string>{} ||
                bob.texts(channel) == std::vector<std::string>{"from b"});

    auto& a = node("a.test");
    a.kill9();
    a.start();
    EXPECT_EQ(tier("a.test", "b.test"), "blocked administrator");

    trust("a.test", {"unset", "b.test"});
    EXPECT_EQ(tier("a.test", "b.test"), "trusted configuration");
    EXPECT_EQ(control(a, {"trust", "unset", "b.test"}).exit_code, 1);
    // What a owes goes at once; b would try once a day.
    EXPECT_EQ(control(node("b.test"), {"peer", "wake", "a.test"}).exit_code, 0);
    wait_until("both have both",
               [&] { return alice.texts(channel).size() == 2 && bob.texts(channel).size() == 2; });
}

TEST_F(Trust, AnAdministratorsClientDoesWhatTheOperatorDoesInItsOwnName)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    const std::string path = "/admin/trust/servers/b.test";
    EXPECT_EQ(alice.request("PUT", path, {{"tier", "blocked"}}).status, 403);
    EXPECT_EQ(control(node("a.test"), {"user", "role", "alice", "admin"}).exit_code, 0);
    alice.login();
    EXPECT_EQ(alice.request("PUT", path, {{"tier", "blocked"}}).status, 200);
    EXPECT_EQ(tier("a.test", "b.test"), "blocked administrator");
    auto& a = node("a.test");
    a.kill9();
    a.start();
    EXPECT_EQ(tier("a.test", "b.test"), "blocked administrator");
    const auto acts = control(a, {"audit", "list"}).json.at("entries");
    EXPECT_EQ(acts.back().at("act"), "trust.set");
    EXPECT_EQ(acts.back().at("actor"), "alice@a.test");
}

TEST_F(Trust, AGuestsInvitationWaitsForTheUserAndAQuarantinedJoinForAModerator)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    trust("a.test", {"set", "b.test", "guest"});
    const auto theirs = bob.create_channel("offers");
    bob.invite(theirs, alice.user());
    wait_until("alice is asked",
               [&] { return alice.call("GET", "/requests").at("requests").size() == 1; });
    EXPECT_EQ(alice.call("GET", "/requests").at("requests").at(0).at("from"), bob.user());
    EXPECT_TRUE(alice.call("GET", "/invitations").at("invitations").empty());
    alice.call("POST", "/requests/" + theirs + "/accept", json::object());
    EXPECT_TRUE(alice.call("GET", "/requests").at("requests").empty());
    alice.join(theirs);

    trust("a.test", {"set", "b.test", "quarantined"});
    const auto ours = alice.create_channel("square", {{"public", true}});
    {
        auto socket = alice.open_socket();
        const auto tried = bob.call("POST", "/channels/" + ours + "/join", {{"txn", new_uuid()}});
        socket.read_until("request");
        wait_until("bob is refused",
                   [&] { return bob.delivery(tried.at("event")).at("status") == "rejected"; });
    }
    // It waits over a kill of the home, and is there for whoever connects only then.
    node("a.test").kill9();
    node("a.test").start();
    alice.login();
    EXPECT_EQ(alice.call("GET", "/requests").at("joins"),
              (json{{{"channel", ours}, {"waiting", 1}}}));
    const auto asked = alice.call("GET", "/channels/" + ours + "/requests").at("requests");
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked.at(0).at("user"), bob.user());
    EXPECT_EQ(bob.request("GET", "/channels/" + ours + "/requests").status, 404);
    alice.invite(ours, bob.user());
    bob.join(ours);
    EXPECT_TRUE(alice.call("GET", "/channels/" + ours + "/requests").at("requests").empty());
    EXPECT_TRUE(alice.call("GET", "/requests").at("joins").empty());
    const auto log = alice.log(ours);
    EXPECT_EQ(std::ranges::count_if(log,
                                    [&](const auto& entry) {
                                        return entry.type == "member.join" &&
                                               entry.sender == bob.user();
                                    }),
              1);
}

TEST_F(Trust, APeeringIsProposedAcceptedAndEnded)
{
    open({"a.test", "b.test"});
    auto& a = node("a.test");
    auto& b = node("b.test");
    const auto peering = [&](const std::string& at, const std::string& with) {
        const auto told = trust(at, {"show", with});
        return told.json.contains("peering") ? told.json.at("peering") : json();
    };
    const json both{{"ours", true}, {"theirs", true}};
    EXPECT_EQ(control(b, {"peer", "accept", "a.test"}).exit_code, 1);
    EXPECT_EQ(control(a, {"peer", "propose", "b.test"}).exit_code, 0);
    wait_until("b has heard", [&] { return !peering("b.test", "a.test").is_null(); });
    const auto accepted = control(b, {"peer", "accept", "a.test"});
    ASSERT_EQ(accepted.exit_code, 0) << accepted.output;
    EXPECT_EQ(accepted.json.at("mutual"), true);
    wait_until("a has heard", [&] { return peering("a.test", "b.test") == both; });
    EXPECT_EQ(control(a, {"peer", "end", "b.test"}).exit_code, 0);
    wait_until("b has heard of the end", [&] { return peering("b.test", "a.test").is_null(); });
}

TEST_F(Trust, AListIsImportedWithoutItsBadLinesAndExported)
{
    open({"a.test"});
    auto& a = node("a.test");
    const auto file = a.folder() + "/list.csv";
    std::ofstream(file) << "#domain,#severity,#reject_media,#reject_reports,#public_comment,"
                           "#obfuscate\nspam.test,suspend,False,False,\"sends, much\",False\n"
                           "Bad Name,suspend\nloud.test,silence\nfine.test,noop\na.test,suspend\n";
    auto told = trust("a.test", {"list", "import", file});
    EXPECT_EQ(told.json.at("imported"), 2);
    EXPECT_EQ(told.json.at("ignored"), 2);
    EXPECT_EQ(told.json.at("bad_lines"), 1);
    EXPECT_EQ(told.json.at("bad").at(0).at("line"), 3);
    EXPECT_EQ(tier("a.test", "spam.test"), "blocked list");
    EXPECT_EQ(tier("a.test", "loud.test"), "quarantined list");
    EXPECT_EQ(tier("a.test", "fine.test"), "guest first-contact");

    // The administrator's own entry wins, and is what others are told.
    trust("a.test", {"set", "spam.test", "known"});
    trust("a.test", {"set", "worse.test", "blocked"});
    EXPECT_EQ(tier("a.test", "spam.test"), "known administrator");
    const auto out = a.folder() + "/out.csv";
    trust("a.test", {"list", "export", out});
    EXPECT_EQ(read_file(out),
              "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate,#origin"
              "\r\nloud.test,silence,False,False,,False,list\r\n"
              "worse.test,suspend,False,False,,False,\r\n");
    EXPECT_EQ(control(a, {"trust", "list", "export", out}).exit_code, 1) << "it is there already";

    std::ofstream(file) << "other.test,suspend\n";
    trust("a.test", {"list", "import", file, "--replace"});
    EXPECT_EQ(tier("a.test", "loud.test"), "guest first-contact");
    EXPECT_EQ(tier("a.test", "other.test"), "blocked list");
    trust("a.test", {"list", "import", file, "--replace", "--name", "second"});
    const auto lists = trust("a.test", {"show", "other.test"}).json.at("lists");
    ASSERT_EQ(lists.size(), 2U);
    EXPECT_EQ(lists.at(0).at("list"), "list") << "the file's name";
    EXPECT_EQ(lists.at(1).at("list"), "second");
    const auto plain =
        run_program({"ententctl", "trust", "show", "other.test", "--config", a.config_file()});
    EXPECT_EQ(plain.exit_code, 0);
    EXPECT_NE(plain.output.find("other.test is blocked: by a list"), std::string::npos)
        << plain.output;

    EXPECT_TRUE(trust("a.test", {"falls"}).json.at("falls").empty());
    EXPECT_EQ(control(a, {"trust", "pardon", "other.test"}).exit_code, 1);
    EXPECT_EQ(control(a, {"trust", "set", "a.test", "known"}).exit_code, 1);
    EXPECT_EQ(control(a, {"trust", "list", "import", a.folder() + "/none"}).exit_code, 1);
    EXPECT_EQ(control(a, {"trust", "list", "import", file, "--name", "a b"}).exit_code, 1);
}

}  // namespace
}  // namespace entente::e2e
