// A report that an administrator passes on, between running servers: what arrives is proven.
#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class Reports : public WorldTest {
 protected:
    // An own server's message in a shared channel, reported by the other's user.
    std::string event_of(Client& reader, const std::string& channel, const std::string& text)
    {
        for (const auto& entry : reader.log(channel))
            if (entry.text == text) return entry.id;
        throw Broken("no such message: " + text);
    }
    json reports(const std::string& server)
    {
        return control(node(server), {"report", "list"}).json.at("reports");
    }
    // The report that came with a proof.
    json proven_at(const std::string& server)
    {
        for (const auto& report : reports(server))
            if (report.value("proven", false)) return report;
        return nullptr;
    }
};

// The channel's home is the reporter's server in one round, the author's in the other.
TEST_F(Reports, TheAuthorsServerGetsTheProofOfWhatItsUserWrote)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    for (auto* home : {&alice, &bob}) {
        auto* guest = home == &alice ? &bob : &alice;
        const auto channel = shared_channel(*home, {guest});
        bob.post(channel, "something rude");
        wait_until("the message has come", [&] { return !alice.texts(channel).empty(); });
        const auto event = event_of(alice, channel, "something rude");
        alice.call("POST", "/reports",
                   {{"txn", new_uuid()},
                    {"user", bob.user()},
                    {"channel", channel},
                    {"event", event},
                    {"reason", "rude"}});
        const auto id = reports("a.test").back().at("id").get<std::string>();
        const auto sent = control(node("a.test"), {"report", "send", id});
        ASSERT_EQ(sent.exit_code, 0) << sent.output;
        wait_until("it has arrived", [&] { return !proven_at("b.test").is_null(); });
        const auto arrived = proven_at("b.test");
        EXPECT_EQ(arrived.at("event"), event);
        EXPECT_EQ(arrived.at("from"), "a.test");

        const auto there = arrived.at("id").get<std::string>();
        const auto file = world().folder() + "/proof" + there;
        EXPECT_EQ(control(node("b.test"), {"report", "proof", there, file}).exit_code, 0);
        const auto judged = run_program({"ententctl", "verify-proof", "--json", file});
        ASSERT_EQ(judged.exit_code, 0) << judged.output;
        EXPECT_NE(json::parse(judged.output).at("content").get<std::string>().find("rude"),
                  std::string::npos);
        const auto closed = control(node("b.test"), {"report", "close", there, "upheld"});
        EXPECT_EQ(closed.json.at("verdict"), "upheld") << closed.output;
    }
    const auto log = control(node("a.test"), {"audit", "list"}).json.at("entries");
    ASSERT_EQ(log.size(), 3U);
    EXPECT_EQ(log.at(2).at("act"), "report.send");
    EXPECT_EQ(log.at(2).at("details").at("to"), "b.test");
}

TEST_F(Reports, WhatTheReportedUserDidntWriteIsNotSent)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    alice.post(channel, "alice's own");
    alice.call("POST", "/reports",
               {{"txn", new_uuid()},
                {"user", bob.user()},
                {"channel", channel},
                {"event", event_of(alice, channel, "alice's own")}});
    const auto sent = control(node("a.test"), {"report", "send", "1"});
    EXPECT_EQ(sent.exit_code, 1);
    EXPECT_NE(sent.output.find("the reported user didn't write this"), std::string::npos)
        << sent.output;
}

}  // namespace
}  // namespace entente::e2e
