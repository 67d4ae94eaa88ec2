// A channel moves from one home to another while people of three servers write in it and a
// server is killed in the middle: nothing that was acknowledged is missing, doubled or out of
// order, at any of the three.
#include <algorithm>
#include <map>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/crew.hpp"
#include "tests/e2e/support/kept.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

const std::vector<std::string> servers{"a.test", "b.test", "c.test"};

class Moves : public WorldTest {
 protected:
    void SetUp() override
    {
        WorldTest::SetUp();
        open(servers);
        for (const auto& [server, name] :
             {std::pair{"a.test", "alice"}, {"b.test", "bob"}, {"c.test", "carol"}}) {
            people_.push_back(std::make_unique<Client>(node(server), name));
            people_.back()->register_user();
        }
        channel_ =
            shared_channel(*people_[0], {people_[1].get(), people_[2].get()}, {{"history", "all"}});
    }

    [[nodiscard]] Client& alice() { return *people_[0]; }
    [[nodiscard]] Client& bob() { return *people_[1]; }
    [[nodiscard]] Client& carol() { return *people_[2]; }
    [[nodiscard]] std::string home_for(Client& reader)
    {
        const auto answer = reader.request("GET", "/channels/" + channel_);
        return answer.status == 200 ? answer.body.value("home", "") : "";
    }
    void wish(const std::string& home)
    {
        const auto answer = alice().request("POST", "/channels/" + channel_ + "/move",
                                            {{"txn", new_uuid()}, {"home", home}});
        ASSERT_EQ(answer.status, 202) << answer.body.dump();
        EXPECT_EQ(answer.body.at("home"), home);
    }
    void wait_for_home(const std::string& home)
    {
        for (auto& person : people_) {
            wait_until(
                person->user() + " sees the new home",
                [&] {
                    try {
                        return home_for(*person) == home;
                    } catch (const Broken&) {
                        return false;
                    }
                },
                Milliseconds(60'000));
        }
    }

    void move_under_load(const std::string& victim);
    void expect_all_there(const Crew& crew);

    std::vector<std::unique_ptr<Client>> people_;
    std::string channel_;
};

void Moves::move_under_load(const std::string& victim)
{
    Crew crew(channel_);
    for (auto& person : people_) crew.add(*person, 1);
    crew.start();
    const auto all_write = [&](std::size_t more) {
        std::map<std::string, std::size_t> before;
        for (const auto& server : servers) before[server] = crew.acknowledged(server);
        wait_until(
            "people of every server write",
            [&] {
                return std::ranges::all_of(servers, [&](const std::string& server) {
                    return crew.acknowledged(server) >= before[server] + more;
                });
            },
            Milliseconds(60'000));
    };
    all_write(30);
    wish("b.test");
    node(victim).kill9();
    node(victim).start();
    all_write(30);
    wait_for_home("b.test");
    all_write(30);
    crew.finish(Milliseconds(60'000));
    expect_all_there(crew);
}

void Moves::expect_all_there(const Crew& crew)
{
    std::size_t told = 0;
    for (const auto& list : crew.all()) told += list.size();
    wait_until(
        "all that was acknowledged is numbered",
        [&] { return bob().texts(channel_).size() >= told; }, Milliseconds(60'000));
    const auto log = bob().log(channel_);
    expect_kept(log, crew);
    if (HasFatalFailure()) return;
    EXPECT_EQ(std::count_if(log.begin(), log.end(),
                            [](const PageEntry& entry) { return entry.type == "channel.move"; }),
              1);
    EXPECT_EQ(bob().texts(channel_).size(), told);
    for (auto* follower : {&alice(), &carol()}) {
        wait_until(
            follower->user() + " has all",
            [&] { return follower->log(channel_).size() >= log.size(); }, Milliseconds(60'000));
        EXPECT_EQ(follower->log(channel_), log);
    }
    std::cout << told << " messages, the move among " << log.size() << " entries\n";
}

// [SUC-2]
TEST_F(Moves, WhileTheOldHomeIsKilledNothingIsLostDoubledOrReordered)
{
    move_under_load("a.test");
}

// [SUC-2]
TEST_F(Moves, WhileTheNewHomeIsKilledNothingIsLostDoubledOrReordered)
{
    move_under_load("b.test");
}

// [SUC-1] [SUC-2] What people and operators see of it.
TEST_F(Moves, AreAskedForAndSeenByOwnersAndOperators)
{
    alice().call("POST", "/channels/" + channel_ + "/successors",
                 {{"txn", new_uuid()}, {"servers", {"c.test", "b.test"}}});
    wait_until("carol's server knows the successors", [&] {
        return carol().channel(channel_).at("successors") == json({"c.test", "b.test"});
    });
    const auto path = "/channels/" + channel_ + "/move";
    EXPECT_EQ(alice().request("GET", path).problem(), "not-found");
    const json to_b{{"txn", new_uuid()}, {"home", "b.test"}};
    EXPECT_EQ(bob().request("POST", path, to_b).problem(), "not-home");
    EXPECT_EQ(alice().request("POST", path, {{"txn", new_uuid()}, {"home", "d.test"}}).problem(),
              "forbidden");
    EXPECT_EQ(
        alice().request("POST", path, {{"txn", new_uuid()}, {"home", "Not A Server"}}).problem(),
        "malformed");

    for (const auto* stranger : {"nobody@a.test", "bob@b.test"}) {
        const auto refused =
            control(node("a.test"), {"channel", "move", channel_, "c.test", "--as", stranger});
        EXPECT_EQ(refused.exit_code, 1);
        EXPECT_NE(refused.output.find(std::string("there is no user ") + stranger),
                  std::string::npos)
            << refused.output;
    }

    node("c.test").kill9();
    const auto asked =
        control(node("a.test"), {"channel", "move", channel_, "c.test", "--as", alice().user()});
    EXPECT_EQ(asked.exit_code, 0) << asked.output;
    EXPECT_EQ(alice().call("GET", path).at("status"), "pending");
    EXPECT_EQ(home_for(alice()), "a.test");
    node("c.test").start();
    wait_for_home("c.test");
    const auto standing = alice().call("GET", path);
    EXPECT_EQ(standing.at("status"), "accepted");
    const auto shown = control(node("a.test"), {"channel", "show", channel_});
    EXPECT_EQ(shown.json.at("home"), "c.test");
    EXPECT_EQ(shown.json.at("epoch"), 2);
    EXPECT_EQ(shown.json.at("move").at("seq"), standing.at("seq"));
    // Both sides have the same log, across the epochs, and can prove it.
    alice().post(channel_, "hello from the old home");
    wait_until("it is there", [&] { return carol().texts(channel_).size() == 1; });
    wait_until("it comes back", [&] { return alice().texts(channel_).size() == 1; });
    const auto compared =
        control(node("a.test"), {"peer", "verify", "c.test", "--channel", channel_, "--all"});
    EXPECT_EQ(compared.exit_code, 0) << compared.output;
    for (const auto* server : {"a.test", "c.test"}) {
        const auto proof = node(server).folder() + "/entry.json";
        EXPECT_EQ(
            control(node(server), {"channel", "prove", channel_, "2", "--out", proof}).exit_code,
            0);
        const auto judged = control(node(server), {"verify-proof", proof});
        EXPECT_EQ(judged.json.value("result", ""), "proven") << judged.output;
        EXPECT_EQ(judged.json.at("home").at("server"), "a.test");
    }
}

}  // namespace
}  // namespace entente::e2e
