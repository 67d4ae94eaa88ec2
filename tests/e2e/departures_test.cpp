// A deleted account leaves its channels, here and elsewhere, though servers are killed meanwhile.
#include <algorithm>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class Departures : public WorldTest {
 protected:
    void remove(const std::string& server, const std::string& name)
    {
        const auto done = control(node(server), {"user", "delete", name});
        EXPECT_EQ(done.exit_code, 0) << done.output;
    }
    static bool is_member(Client& reader, const std::string& channel, const std::string& user)
    {
        const auto users = members(reader, channel);
        return std::ranges::find(users, user) != users.end();
    }
    static std::ptrdiff_t leaves(Client& reader, const std::string& channel,
                                 const std::string& user)
    {
        return std::ranges::count_if(reader.log(channel), [&](const PageEntry& entry) {
            return entry.type == "member.leave" && entry.sender == user;
        });
    }
    static std::string role(Client& reader, const std::string& channel, const std::string& user)
    {
        const auto page = reader.call("GET", "/channels/" + channel + "/members?limit=100");
        for (const auto& member : page.at("members"))
            if (member.at("user") == user) return member.value("role", "");
        return "none";
    }
};

TEST_F(Departures, LeaveChannelsHereAndElsewhereOnceThoughServersAreKilled)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto mallory = person("a.test", "mallory");
    auto bob = person("b.test", "bob");
    const auto here = shared_channel(alice, {&mallory, &bob});
    const auto there = shared_channel(bob, {&mallory, &alice});
    auto& a = node("a.test");
    auto& b = node("b.test");

    // b.test is away, and a.test is killed before mallory has left anything.
    b.kill9();
    remove("a.test", "mallory");
    a.kill9();
    a.start();
    wait_until("mallory has left here", [&] { return !is_member(alice, here, mallory.user()); });
    // And again while what it owes b.test is under way.
    a.kill9();
    b.start();
    a.start();
    wait_until("mallory has left there", [&] { return !is_member(bob, there, mallory.user()); });
    wait_until("everybody has heard", [&] {
        return !is_member(bob, here, mallory.user()) && !is_member(alice, there, mallory.user());
    });
    for (auto* reader : {&alice, &bob}) {
        EXPECT_EQ(leaves(*reader, here, mallory.user()), 1);
        EXPECT_EQ(leaves(*reader, there, mallory.user()), 1);
    }
    EXPECT_TRUE(is_member(alice, here, alice.user()));
    EXPECT_TRUE(is_member(bob, there, alice.user()));
}

TEST_F(Departures, TheLastOwnerNamesAModeratorAndStaysWhereThereIsNone)
{
    open({"a.test", "b.test"});
    auto dave = person("a.test", "dave");
    auto bob = person("b.test", "bob");
    const auto moderated = shared_channel(dave, {&bob});
    const auto unmoderated = shared_channel(dave, {&bob});
    dave.call("POST", "/channels/" + moderated + "/role",
              {{"txn", new_uuid()}, {"user", bob.user()}, {"role", "moderator"}});
    remove("a.test", "dave");
    wait_until("dave has left", [&] { return !is_member(bob, moderated, dave.user()); });
    EXPECT_EQ(role(bob, moderated, bob.user()), "owner");
    wait_until("a.test has told", [&] {
        return node("a.test").log_text().find("nobody moderates it") != std::string::npos;
    });
    EXPECT_EQ(role(bob, unmoderated, dave.user()), "owner");
    EXPECT_EQ(role(bob, unmoderated, bob.user()), "member");
}

}  // namespace
}  // namespace entente::e2e
