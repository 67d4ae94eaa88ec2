// What people do with channels over two and three real servers: kick, ban, edits, deletion,
// the dm of two, what a newcomer sees, aliases and directories.
#include <filesystem>
#include <fstream>

#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

json with_txn(json body = json::object())
{
    body["txn"] = new_uuid();
    return body;
}

std::string path_of(const std::string& channel, const std::string& rest)
{
    return "/channels/" + channel + rest;
}

class Membership : public WorldTest {
 protected:
    // Every file of a server that shows the text.
    std::vector<std::string> files_with(const std::string& server, const std::string& text)
    {
        std::vector<std::string> found;
        std::error_code gone;  // files of RocksDB come and go
        for (std::filesystem::recursive_directory_iterator at(node(server).folder(), gone), end;
             at != end; at.increment(gone)) {
            if (!at->is_regular_file(gone)) continue;
            std::ifstream file(at->path(), std::ios::binary);
            const std::string octets{std::istreambuf_iterator<char>(file),
                                     std::istreambuf_iterator<char>()};
            if (octets.find(text) != std::string::npos) found.push_back(at->path());
        }
        return found;
    }
    static json entry(Client& reader, const std::string& channel, const std::string& event)
    {
        const auto page = reader.call("GET", path_of(channel, "/messages?after=0&limit=1000"));
        for (const auto& one : page.at("entries"))
            if (one.at("id") == event) return one;
        return nullptr;
    }
    static bool sees(Client& reader, const std::string& channel)
    {
        return reader.request("GET", "/channels/" + channel).status == 200;
    }
};

TEST_F(Membership, AKickedUserIsOutEverywhereAndABannedOneStaysOut)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob}, {{"public", true}});
    const auto kicked = alice.call("POST", path_of(channel, "/kick"),
                                   with_txn({{"user", bob.user()}, {"reason", "noise"}}));
    EXPECT_EQ(kicked.at("status"), "accepted");
    wait_until("bob is out at his server too", [&] { return !sees(bob, channel); });
    EXPECT_EQ(members(alice, channel), std::vector<std::string>{"alice@a.test"});

    bob.call("POST", path_of(channel, "/join"), with_txn());  // it is public
    wait_until("bob is in again", [&] { return sees(bob, channel); });
    alice.call("POST", path_of(channel, "/ban"), with_txn({{"user", bob.user()}}));
    wait_until("bob is banned", [&] { return !sees(bob, channel); });
    const auto joined = bob.request("POST", path_of(channel, "/join"), with_txn());
    ASSERT_EQ(joined.status, 201);
    wait_until("the home refuses the banned one",
               [&] { return bob.delivery(joined.body.at("event")).at("status") == "rejected"; });
    EXPECT_EQ(members(alice, channel), std::vector<std::string>{"alice@a.test"});
}

TEST_F(Membership, AModeratorFromAfarChangesTheChannelAndAMemberMayNot)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    const auto patch = [&](const std::string& topic) {
        return bob.call("PATCH", "/channels/" + channel, with_txn({{"topic", topic}}))
            .at("event")
            .get<std::string>();
    };
    const auto refused = patch("mine");
    wait_until("the home refuses a member",
               [&] { return bob.delivery(refused).at("status") == "rejected"; });
    EXPECT_EQ(bob.delivery(refused).at("problem").at("type"), "urn:entente:problem:forbidden");
    alice.call("POST", path_of(channel, "/role"),
               with_txn({{"user", bob.user()}, {"role", "moderator"}}));
    wait_until("bob is a moderator",
               [&] { return bob.channel(channel).at("role") == "moderator"; });
    patch("tulips");
    wait_until("alice reads the topic",
               [&] { return alice.channel(channel).value("topic", "") == "tulips"; });
}

// [MEM-4]
TEST_F(Membership, ADeletedMessageIsInNoFileOfEitherServerAndTheChainGoesOn)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    const std::string secret = "under-the-third-stone";
    const std::string message = bob.post(channel, secret + " by bob").at("event");
    wait_until("alice reads it", [&] { return !alice.texts(channel).empty(); });
    const std::string edit = bob.call("POST", path_of(channel, "/messages/" + message + "/edit"),
                                      with_txn({{"content", {{"text", secret + " I said"}}}}))
                                 .at("event");
    wait_until("alice reads the edit", [&] { return !entry(alice, channel, edit).is_null(); });
    wait_until("bob reads it too", [&] { return !entry(bob, channel, edit).is_null(); });
    EXPECT_FALSE(files_with("a.test", secret).empty());
    EXPECT_FALSE(files_with("b.test", secret).empty());

    const std::string deletion =
        bob.call("POST", path_of(channel, "/messages/" + message + "/delete"), with_txn())
            .at("event");
    for (auto* reader : {&alice, &bob}) {
        wait_until("the deletion is there",
                   [&] { return !entry(*reader, channel, deletion).is_null(); });
        const auto by = entry(*reader, channel, deletion).at("seq");
        for (const auto& event : {message, edit}) {
            const auto erased = entry(*reader, channel, event);
            EXPECT_TRUE(erased.at("content").is_null()) << erased;
            EXPECT_EQ(erased.at("deleted_by"), by);
        }
    }
    wait_until("no file of the home shows it",
               [&] { return files_with("a.test", secret).empty(); });
    wait_until("no file of the follower shows it",
               [&] { return files_with("b.test", secret).empty(); });
    const std::string after = alice.post(channel, "and on").at("event");
    wait_until("the log goes on", [&] { return !entry(bob, channel, after).is_null(); });
    EXPECT_EQ(alice.log(channel, 3), bob.log(channel));

    // A server that comes later takes the chain without what was erased.
    node("b.test").kill9();
    node("b.test").start();
    EXPECT_TRUE(files_with("b.test", secret).empty());
}

TEST_F(Membership, TwoPeopleHaveOneDmWhoeverOpensIt)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto open_dm = [](Client& who, Client& with) {
        return who.call("POST", "/channels/dm", with_txn({{"user", with.user()}}))
            .at("channel")
            .get<std::string>();
    };
    const auto channel = open_dm(alice, bob);
    EXPECT_EQ(open_dm(alice, bob), channel);
    alice.post(channel, "are you there?");
    wait_until("bob is invited",
               [&] { return !bob.call("GET", "/invitations").at("invitations").empty(); });
    EXPECT_EQ(open_dm(bob, alice), channel);
    wait_until("bob reads what was said before he came",
               [&] { return sees(bob, channel) && bob.texts(channel).size() == 1; });
    EXPECT_EQ(bob.channel(channel).at("kind"), "dm");
    EXPECT_EQ(open_dm(bob, alice), channel);
    EXPECT_EQ(open_dm(alice, bob), channel);
}

// [MEM-16]
TEST_F(Membership, HistoryAtTheTimeOfTheJoinDecidesWhatANewcomerSees)
{
    open({"a.test", "b.test", "c.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    auto carol = person("c.test", "carol");
    const auto channel = alice.create_channel("garden", {{"history", "all"}});
    alice.post(channel, "from the start");
    alice.invite(channel, bob.user());
    bob.join(channel);
    alice.call("PATCH", "/channels/" + channel, with_txn({{"history", "since-join"}}));
    alice.invite(channel, carol.user());
    carol.join(channel);
    alice.post(channel, "for all");
    wait_until("both read it", [&] {
        return bob.texts(channel).size() >= 1 && carol.texts(channel).size() >= 1 &&
               bob.texts(channel).back() == "for all" && carol.texts(channel).back() == "for all";
    });
    EXPECT_EQ(carol.texts(channel), std::vector<std::string>{"for all"});
    EXPECT_EQ(bob.texts(channel), (std::vector<std::string>{"from the start", "for all"}));
}

TEST_F(Membership, UnderRelayContentsGoOnceEveryDeviceHasSaidThatItHasThem)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob}, {{"retention", "relay"}});
    const std::string event = alice.post(channel, "psst-only-once").at("event");
    wait_until("bob has it", [&] { return !entry(bob, channel, event).is_null(); });
    const std::int64_t seq = entry(bob, channel, event).at("seq");
    const auto acknowledge = [&](Client& who) {
        auto live = who.open_socket();
        live.send({{"have", {{channel, seq}}}, {"ping", true}});
        live.read_until("pong");
    };
    acknowledge(bob);
    wait_until("bob's server forgets it",
               [&] { return entry(bob, channel, event).value("expired", false); });
    EXPECT_FALSE(entry(alice, channel, event).value("expired", false));
    acknowledge(alice);
    wait_until("the home forgets it",
               [&] { return entry(alice, channel, event).value("expired", false); });
    for (const auto* server : {"a.test", "b.test"})
        wait_until("no file shows it",
                   [&] { return files_with(server, "psst-only-once").empty(); });
}

TEST_F(Membership, AChannelIsFoundByItsAliasAndInTheDirectoryFromAfar)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = alice.create_channel("garden", {{"public", true}});
    const auto alias = "/aliases/%23garden%40a.test";
    EXPECT_EQ(bob.request("GET", alias).status, 404);
    alice.call("PUT", alias, {{"channel", channel}});
    for (auto* who : {&alice, &bob}) {
        const auto found = who->call("GET", alias);
        EXPECT_EQ(found.at("channel"), channel);
        EXPECT_EQ(found.at("servers"), json::array({"a.test"}));
        const auto listed = who->call("GET", "/directory?server=a.test");
        ASSERT_EQ(listed.at("channels").size(), 1U);
        EXPECT_EQ(listed.at("channels").at(0).at("aliases"), json::array({"#garden@a.test"}));
    }
    EXPECT_TRUE(bob.call("GET", "/directory").at("channels").empty());
    bob.call("POST", path_of(channel, "/join"), with_txn());
    wait_until("bob has joined", [&] { return sees(bob, channel); });
    EXPECT_EQ(bob.request("DELETE", alias).status, 403);
    EXPECT_EQ(alice.request("DELETE", alias).status, 204);
    EXPECT_EQ(bob.request("GET", alias).status, 404);
}

}  // namespace
}  // namespace entente::e2e
