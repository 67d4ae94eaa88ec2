// ententctl against running servers: peers, comparing logs, proofs of entries.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class Control : public WorldTest {
 protected:
    // A channel of alice@a.test that bob@b.test follows from its first entry on, with messages
    // of both; b.test has them all.
    std::string lively_channel(Client& alice, Client& bob)
    {
        auto channel = shared_channel(alice, {&bob}, {{"history", "all"}});
        for (int i = 0; i < 4; ++i) {
            alice.post(channel, "from a " + std::to_string(i));
            bob.post(channel, "from b " + std::to_string(i));
            wait_until("both have it", [&] {
                const auto count = static_cast<std::size_t>(2 * (i + 1));
                return alice.texts(channel).size() == count && bob.texts(channel).size() == count;
            });
        }
        return channel;
    }
    static std::int64_t seq_of(Client& reader, const std::string& channel, const std::string& text)
    {
        for (const auto& entry : reader.log(channel))
            if (entry.text == text) return entry.seq;
        throw Broken("no such message: " + text);
    }
    static const json* find_peer(const Told& told, const std::string& server)
    {
        for (const auto& peer : told.json.at("peers"))
            if (peer.at("server") == server) return &peer;
        return nullptr;
    }
    static std::string read_file(const std::string& path)
    {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
};

TEST_F(Control, PeersAreListedShownAndWoken)
{
    open({"a.test", "b.test"});
    auto& a = node("a.test");
    auto& b = node("b.test");
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});

    auto told = control(a, {"peer", "list"});
    ASSERT_EQ(told.exit_code, 0) << told.output;
    const auto* peer = find_peer(told, "b.test");
    ASSERT_NE(peer, nullptr) << told.output;
    EXPECT_EQ(peer->at("pinned"), true);
    EXPECT_EQ(peer->at("key_conflict"), false);
    EXPECT_EQ(peer->at("tier"), "trusted");
    EXPECT_GT(peer->at("last_heard"), 0);

    // From now on whoever can't be reached is left alone for ten minutes.
    a.terminate();
    a.run_as("ententd", {"ENTENTE_FEDERATION_RETRY_FIRST_MS=600000",
                         "ENTENTE_FEDERATION_RETRY_MAX_MS=600000"});
    a.start();
    b.kill9();
    alice.post(channel, "while b is away");
    wait_until("the link waits", [&] {
        told = control(a, {"peer", "list"});
        peer = find_peer(told, "b.test");
        return peer->at("link").at("state") == "waiting";
    });
    EXPECT_EQ(peer->at("owed").at("entries"), 1);
    EXPECT_GT(peer->at("owed").at("oldest_at"), 0);
    EXPECT_GT(peer->at("link").at("next_try"), told.json.at("now").get<std::int64_t>() + 300'000);
    EXPECT_EQ(peer->at("link").at("problem").at("code"), "unavailable");

    // The killed one's socket is in its way, and it replaces it.
    EXPECT_EQ(control(b, {"peer", "list"}).exit_code, 3);
    b.start();
    EXPECT_EQ(control(b, {"peer", "list"}).exit_code, 0);

    told = control(a, {"peer", "show", "b.test"});
    ASSERT_EQ(told.exit_code, 0) << told.output;
    EXPECT_EQ(told.json.at("keys").size(), 1U);
    EXPECT_EQ(told.json.at("keys").at(0).at("status"), "active");
    ASSERT_EQ(told.json.at("channels").size(), 1U);
    EXPECT_EQ(told.json.at("channels").at(0).at("channel"), channel);
    const auto& shared = told.json.at("channels").at(0);
    EXPECT_EQ(shared.at("cursor").at("seq").get<std::int64_t>() + 1, shared.at("seq"));

    told = control(a, {"peer", "wake", "b.test"});
    EXPECT_EQ(told.exit_code, 0) << told.output;
    wait_until("the message has come", [&] { return !bob.texts(channel).empty(); });
    wait_until("nothing is owed any more", [&] {
        told = control(a, {"peer", "show", "b.test"});
        return told.json.at("owed").at("entries") == 0 &&
               told.json.at("link").at("state") == "idle";
    });
    EXPECT_EQ(control(a, {"peer", "show", "z.test"}).exit_code, 1);
    EXPECT_EQ(control(a, {"peer", "wake", "z.test"}).exit_code, 1);
    EXPECT_EQ(control(a, {"peer", "wake", "a.test"}).exit_code, 1);
    EXPECT_EQ(control(a, {"peer", "wake", "no/name"}).exit_code, 2);
    EXPECT_EQ(control(a, {"peer"}).exit_code, 2);
}

TEST_F(Control, ChannelsAreListedAndShown)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = lively_channel(alice, bob);
    for (const auto* name : {"a.test", "b.test"}) {
        const auto listed = control(node(name), {"channel", "list"});
        ASSERT_EQ(listed.exit_code, 0) << listed.output;
        ASSERT_EQ(listed.json.at("channels").size(), 1U);
        EXPECT_EQ(listed.json.at("channels").at(0).at("name"), "garden");
        EXPECT_EQ(listed.json.at("channels").at(0).at("seq"), 11);
    }
    const auto shown = control(node("a.test"), {"channel", "show", channel});
    ASSERT_EQ(shown.exit_code, 0) << shown.output;
    EXPECT_EQ(shown.json.at("members"), 2);
    EXPECT_EQ(shown.json.at("home"), "a.test");
    EXPECT_EQ(shown.json.at("followers").at(0).at("server"), "b.test");
    const auto plain = run_program(
        {"ententctl", "channel", "show", channel, "--config", node("a.test").config_file()});
    EXPECT_EQ(plain.exit_code, 0);
    EXPECT_NE(plain.output.find("garden"), std::string::npos);
    EXPECT_EQ(
        control(node("a.test"), {"channel", "show", "0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.test"})
            .exit_code,
        1);
}

TEST_F(Control, TheSameLogIsProvenSameFromAllSides)
{
    open({"a.test", "b.test", "c.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    auto carol = person("c.test", "carol");
    const auto channel = lively_channel(alice, bob);
    alice.invite(channel, carol.user());
    carol.join(channel);
    alice.post(channel, "to all");
    wait_until("all have it", [&] {
        return bob.log(channel).size() == alice.log(channel).size() &&
               carol.log(channel).size() == alice.log(channel).size();
    });
    for (const auto& [here, there] :
         std::vector<std::pair<std::string, std::string>>{{"a.test", "b.test"},
                                                          {"a.test", "c.test"},
                                                          {"b.test", "a.test"},
                                                          {"c.test", "a.test"},
                                                          {"b.test", "c.test"},
                                                          {"c.test", "b.test"}}) {
        for (const auto& arguments : std::vector<std::vector<std::string>>{
                 {"peer", "verify", there}, {"peer", "verify", there, "--all"}}) {
            const auto told = control(node(here), arguments);
            EXPECT_EQ(told.exit_code, 0) << here << " and " << there << ": " << told.output;
            ASSERT_EQ(told.json.at("channels").size(), 1U) << told.output;
            EXPECT_EQ(told.json.at("result"), "same");
            const auto& compared = told.json.at("channels").at(0);
            EXPECT_EQ(compared.at("after"), 0) << told.output;
            EXPECT_EQ(compared.at("through"), 14) << told.output;
        }
    }
    node("c.test").kill9();
    const auto away = control(node("b.test"), {"peer", "verify", "c.test"});
    EXPECT_EQ(away.exit_code, 3) << away.output;
    EXPECT_EQ(away.json.at("result"), "incomparable");
    // Nobody whose channels are shared: nothing to compare, and nothing that differs.
    const auto none = control(node("b.test"), {"peer", "verify", "z.test"});
    EXPECT_EQ(none.exit_code, 0) << none.output;
    node("b.test").terminate();
    EXPECT_EQ(control(node("b.test"), {"peer", "verify", "a.test"}).exit_code, 3);
}

TEST_F(Control, ANewcomersShorterLogIsComparedFromItsBeginning)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = alice.create_channel("garden");
    alice.post(channel, "before");
    alice.invite(channel, bob.user());
    bob.join(channel);
    alice.post(channel, "after");
    wait_until("the message has come", [&] { return !bob.texts(channel).empty(); });
    for (const auto& [here, there] : std::vector<std::pair<std::string, std::string>>{
             {"a.test", "b.test"}, {"b.test", "a.test"}}) {
        const auto told = control(node(here), {"peer", "verify", there, "--all"});
        EXPECT_EQ(told.exit_code, 0) << here << ": " << told.output;
        const auto& compared = told.json.at("channels").at(0);
        EXPECT_GT(compared.at("after"), 0) << told.output;
        EXPECT_EQ(compared.at("through"), 5) << told.output;
    }
}

TEST_F(Control, AnEntryThatWasChangedInOneDatabaseIsNamed)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = lively_channel(alice, bob);
    const auto seq = seq_of(alice, channel, "from b 1");
    auto& b = node("b.test");
    b.terminate();
    tamper(b, channel, seq, [](protocol::Entry& entry) {
        const auto at = entry.event.find("bob@b.test");
        entry.event.replace(at, 3, "bab");
    });
    b.start();

    // Here, where it was changed: the home's signed entry stands against it.
    const auto here = control(b, {"peer", "verify", "a.test"});
    EXPECT_EQ(here.exit_code, 1) << here.output;
    EXPECT_EQ(here.json.at("result"), "differs");
    const auto& compared = here.json.at("channels").at(0);
    EXPECT_EQ(compared.at("difference").at("seq"), seq) << here.output;
    EXPECT_EQ(compared.at("difference").at("signed"), true);
    EXPECT_LE(compared.at("damage").at("first"), seq);
    EXPECT_GE(compared.at("damage").at("last"), seq);
    const auto plain =
        run_program({"ententctl", "peer", "verify", "a.test", "--config", b.config_file()});
    EXPECT_EQ(plain.exit_code, 1);
    EXPECT_NE(plain.output.find("first difference: entry " + std::to_string(seq)),
              std::string::npos)
        << plain.output;

    // From the other side only who reads all of it can see it: no later hash differs.
    const auto there = control(node("a.test"), {"peer", "verify", "b.test", "--all"});
    EXPECT_EQ(there.exit_code, 1) << there.output;
    EXPECT_EQ(there.json.at("channels").at(0).at("difference").at("seq"), seq) << there.output;
    EXPECT_EQ(there.json.at("channels").at(0).at("difference").at("signed"), false);
}

TEST_F(Control, AnEntryThatWasChangedAtItsHomeIsNamedThoughNoCheckpointProvesIt)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = lively_channel(alice, bob);
    const auto seq = seq_of(alice, channel, "from a 1");
    auto& a = node("a.test");
    a.terminate();
    tamper(a, channel, seq, [](protocol::Entry& entry) { --entry.at; });
    a.start();
    const auto told = control(node("b.test"), {"peer", "verify", "a.test", "--all"});
    EXPECT_EQ(told.exit_code, 1) << told.output;
    const auto& compared = told.json.at("channels").at(0);
    EXPECT_EQ(compared.at("difference").at("seq"), seq) << told.output;
    EXPECT_EQ(compared.at("difference").at("signed"), false) << told.output;
    EXPECT_FALSE(compared.contains("damage"));
    const auto here = control(a, {"peer", "verify", "b.test"});
    EXPECT_EQ(here.exit_code, 1) << here.output;
    EXPECT_LE(here.json.at("channels").at(0).at("damage").at("first"), seq);
    EXPECT_GE(here.json.at("channels").at(0).at("damage").at("last"), seq);
}

TEST_F(Control, AContentThatWasChangedInADatabaseIsDamage)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = lively_channel(alice, bob);
    const auto seq = seq_of(alice, channel, "from a 2");
    auto& b = node("b.test");
    b.terminate();
    tamper(b, channel, seq, [](protocol::Entry& entry) {
        entry.content->replace(entry.content->find("from a 2"), 8, "from me!");
    });
    b.start();
    const auto told = control(b, {"peer", "verify", "a.test", "--channel", channel});
    EXPECT_EQ(told.exit_code, 1) << told.output;
    const auto& compared = told.json.at("channels").at(0);
    EXPECT_EQ(compared.at("result"), "damaged");
    EXPECT_EQ(compared.at("damage").at("first"), seq);
    EXPECT_EQ(compared.at("damage").at("last"), seq);
}

TEST_F(Control, AProofIsJudgedWhenBothServersAreGone)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = lively_channel(alice, bob);
    const auto seq = seq_of(alice, channel, "from b 2");
    const std::string of_a =
        control(node("b.test"), {"peer", "show", "a.test"}).json.at("keys").at(0).at("kid");
    const std::string of_b =
        control(node("a.test"), {"peer", "show", "b.test"}).json.at("keys").at(0).at("kid");
    std::vector<std::string> files;
    for (const auto* name : {"a.test", "b.test"}) {
        files.push_back(world().folder() + "/" + name + ".proof");
        const auto made = control(node(name), {"channel", "prove", channel, std::to_string(seq),
                                               "--with-content", "--out", files.back()});
        ASSERT_EQ(made.exit_code, 0) << made.output;
        // A file that is there is left alone.
        EXPECT_EQ(control(node(name),
                          {"channel", "prove", channel, std::to_string(seq), "--out", files.back()})
                      .exit_code,
                  1);
    }
    EXPECT_EQ(control(node("a.test"), {"channel", "prove", channel, "99"}).exit_code, 1);
    for (const auto* name : {"a.test", "b.test"}) {
        node(name).kill9();
        std::filesystem::remove_all(node(name).folder());
    }

    for (const auto& file : files) {
        auto told = run_program({"ententctl", "verify-proof", file, "--json", "--server-key",
                                 "a.test=" + of_a, "--server-key", "b.test=" + of_b});
        ASSERT_EQ(told.exit_code, 0) << told.output;
        const auto proven = json::parse(told.output);
        EXPECT_EQ(proven.at("seq"), seq);
        EXPECT_EQ(proven.at("home").at("server"), "a.test");
        EXPECT_EQ(proven.at("home").at("key_known_by"), "server-key");
        EXPECT_EQ(proven.at("author").at("server"), "b.test");
        EXPECT_NE(proven.at("content").get<std::string>().find("from b 2"), std::string::npos);

        told = run_program({"ententctl", "verify-proof", file});
        EXPECT_EQ(told.exit_code, 0) << told.output;
        EXPECT_NE(told.output.find("this file alone"), std::string::npos) << told.output;
        // Keys that are others' than the file says.
        told = run_program({"ententctl", "verify-proof", file, "--server-key", "a.test=" + of_b});
        EXPECT_EQ(told.exit_code, 1) << told.output;
        told = run_program({"ententctl", "verify-proof", file, "--server-key", "a.test"});
        EXPECT_EQ(told.exit_code, 2) << told.output;

        const auto text = read_file(file);
        for (const auto* part : {"from b 2", "bob@b.test", "\"seq\":", "eyJ"}) {
            auto altered = text;
            const auto at = altered.find(part) + std::string(part).size() - 1;
            altered[at] = altered[at] == '1' ? '2' : '1';
            std::ofstream(file + ".altered", std::ios::binary) << altered;
            told = run_program({"ententctl", "verify-proof", file + ".altered"});
            EXPECT_EQ(told.exit_code, 1) << part << ": " << told.output;
        }
    }
    EXPECT_EQ(run_program({"ententctl", "verify-proof", "/nowhere"}).exit_code, 1);
}

TEST_F(Control, WithoutADaemonItSaysSo)
{
    open({"a.test"});
    auto& a = node("a.test");
    EXPECT_EQ(control(a, {"channel", "list"}).exit_code, 0);
    std::filesystem::remove(a.folder() + "/data/control.sock");
    const auto removed = control(a, {"channel", "list"});
    EXPECT_EQ(removed.exit_code, 3);
    EXPECT_NE(removed.output.find("the socket was removed while it ran; start or restart it"),
              std::string::npos)
        << removed.output;
    a.terminate();
    EXPECT_FALSE(std::filesystem::exists(a.folder() + "/data/control.sock"));
    const auto told = control(a, {"channel", "list"});
    EXPECT_EQ(told.exit_code, 3);
    EXPECT_NE(told.output.find("ententd isn't running"), std::string::npos) << told.output;
}

}  // namespace
}  // namespace entente::e2e
