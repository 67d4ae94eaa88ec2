// entente-demo: two servers of one's own on loopback, a conversation between them, a
// kill -9 in the middle of it, and the proof that nothing is missing. Uses the programs
// beside it; everything it makes is gone when it ends.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "protocol/ed25519.hpp"
#include "tests/e2e/support/client.hpp"

namespace {

using namespace entente::e2e;

constexpr int messages_before_kill = 100;
constexpr int messages_in_all = 300;

void say(const std::string& text)
{
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
}

void step(const std::string& text)
{
    say("\n== " + text);
}

void print_log(Client& reader, const std::string& channel, std::size_t most)
{
    const auto entries = reader.log(channel);
    for (std::size_t i = 0; i < entries.size() && i < most; ++i) {
        const auto& entry = entries[i];
        char line[200];
        std::snprintf(line, sizeof line, "   %3lld  %-14s  %-13s  %s",
                      static_cast<long long>(entry.seq), entry.type.c_str(), entry.sender.c_str(),
                      entry.text.c_str());
        say(line);
    }
    if (entries.size() > most)
        say("        and " + std::to_string(entries.size() - most) + " more");
}

bool is_delivered(Client& author, const std::string& event, const std::string& server)
{
    const auto state = author.delivery(event);
    return state.contains("servers") && state["servers"].value(server, false);
}

void show_state(Client& author, const json& posted)
{
    const auto state = author.delivery(posted.at("event"));
    std::string line = "   " + author.user() +
                       "'s message: " + state.at("status").get<std::string>() + " as number " +
                       std::to_string(state.value("seq", std::int64_t{0}));
    for (const auto& [server, has] : state.at("servers").items())
        line += (has.get<bool>() ? ", delivered to " : ", on its way to ") + server;
    say(line);
}

// What the writer was told is accepted, by number.
using Accepted = std::map<std::int64_t, std::string>;

void take_results(LiveSocket& socket, Accepted& accepted, Milliseconds time)
{
    const auto frame = socket.read(time);
    if (!frame || !frame->contains("results")) return;
    for (const auto& result : (*frame)["results"])
        if (result.value("status", "") == "accepted") accepted[result.at("seq")] = result.at("txn");
}

Accepted write_through_a_kill(Client& alice, const std::string& channel, Node& victim)
{
    auto socket = alice.open_socket();
    Accepted accepted;
    for (int i = 1; i <= messages_in_all; ++i) {
        socket.send(
            {{"posts", json::array({{{"txn", new_uuid()},
                                     {"channel", channel},
                                     {"content", {{"text", "message " + std::to_string(i)}}}}})}});
        take_results(socket, accepted, Milliseconds(3));
        if (i != messages_before_kill) continue;
        victim.kill9();
        say("   " + victim.name() + " is killed with -9 after message " + std::to_string(i) +
            "; alice writes on");
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (accepted.size() < messages_in_all && std::chrono::steady_clock::now() < deadline)
        take_results(socket, accepted, Milliseconds(100));
    return accepted;
}

bool check(bool holds, const std::string& claim)
{
    say(std::string(holds ? "   yes: " : "   NO: ") + claim);
    return holds;
}

bool nothing_is_missing(Client& alice, Client& bob, const std::string& channel,
                        const Accepted& accepted)
{
    const auto at_home = alice.log(channel);
    const auto at_follower = bob.log(channel);
    const auto from = at_follower.empty() ? 0 : at_follower.front().seq;
    std::vector<PageEntry> since_join;
    std::copy_if(at_home.begin(), at_home.end(), std::back_inserter(since_join),
                 [from](const PageEntry& entry) { return entry.seq >= from; });
    std::set<std::string> txns;
    bool whole = true;
    for (std::size_t i = 0; i < at_home.size(); ++i) {
        whole = whole && at_home[i].seq == at_home.front().seq + static_cast<std::int64_t>(i);
        whole = txns.insert(at_home[i].txn).second && whole;
    }
    const bool all = std::all_of(accepted.begin(), accepted.end(),
                                 [&](const auto& item) { return txns.contains(item.second); });
    bool good = check(accepted.size() == messages_in_all,
                      "all " + std::to_string(messages_in_all) + " messages were accepted");
    good = check(all, "every accepted message is in a.test's log") && good;
    good = check(whole, "the numbers have no holes and no message is there twice") && good;
    good = check(!at_follower.empty() && at_follower == since_join,
                 "b.test's log is the same, entry for entry") &&
           good;
    return good;
}

int converse(World& world)
{
    step("two servers start, each with its own keys and certificate");
    world.start_all();
    for (const auto& name : world.names())
        say("   " + name + " is at https://127.0.0.1:" + std::to_string(world.port(name)));

    step("alice@a.test opens a channel and invites bob@b.test, who joins");
    Client alice(world["a.test"], "alice");
    Client bob(world["b.test"], "bob");
    alice.register_user();
    bob.register_user();
    const auto channel = alice.create_channel("garden");
    alice.invite(channel, bob.user());
    bob.join(channel);
    say("   the channel is " + channel);

    step("they write to each other");
    const auto hello = alice.post(channel, "hello bob, how is your server?");
    const auto reply = bob.post(channel, "hello alice, it runs well");
    wait_until("both see both messages",
               [&] { return alice.texts(channel).size() == 2 && bob.texts(channel).size() == 2; });
    say("   the log as bob sees it:");
    print_log(bob, channel, 10);
    wait_until("alice is told of the delivery",
               [&] { return is_delivered(alice, hello.at("event"), "b.test"); });
    wait_until("bob is told of the number",
               [&] { return bob.delivery(reply.at("event")).at("status") == "accepted"; });
    show_state(alice, hello);
    show_state(bob, reply);

    step("b.test is killed while alice writes");
    const auto accepted = write_through_a_kill(alice, channel, world["b.test"]);
    const auto latest = accepted.empty() ? 0 : accepted.rbegin()->first;
    say("   a.test has accepted " + std::to_string(accepted.size()) + " messages");
    world["b.test"].start();
    say("   b.test is started again");
    bob.login();
    wait_until("b.test has caught up",
               [&] { return bob.channel(channel).at("latest").get<std::int64_t>() >= latest; });
    say("   b.test has caught up; nobody wrote anything new");
    print_log(bob, channel, 8);

    step("is everything there?");
    const bool good = nothing_is_missing(alice, bob, channel, accepted);
    const auto last = alice.log(channel).back().id;
    wait_until("the last message is delivered",
               [&] { return is_delivered(alice, last, "b.test"); });
    const bool delivered = check(is_delivered(alice, last, "b.test"),
                                 "alice is told that her last message is at b.test");
    return good && delivered ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc > 1) {
        const bool wants_help = std::string(argv[1]) == "--help";
        std::fputs(
            "entente-demo: starts two servers on loopback, lets two people talk, kills one server "
            "with\n"
            "-9 and shows that nothing is missing. Takes no arguments, uses ententd and ententctl "
            "of its\n"
            "own folder, ends by itself in under a minute with 0, or 1 if something went wrong.\n",
            wants_help ? stdout : stderr);
        return wants_help ? 0 : 2;
    }
    entente::protocol::start_crypto();
    try {
        World world({"a.test", "b.test"});
        try {
            const int result = converse(world);
            say(result == 0 ? "\nNothing is missing." : "\nSomething is wrong: see above.");
            return result;
        } catch (const std::exception& error) {
            say(std::string("\nThe demo failed: ") + error.what() + "\n" + world.logs());
        }
    } catch (const std::exception& error) {
        say(std::string("\nThe demo failed: ") + error.what());
    }
    return 1;
}
