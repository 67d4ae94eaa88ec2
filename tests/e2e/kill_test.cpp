// kill -9, again and again, while about 300 messages a second flow in both directions:
// nothing that was acknowledged is missing, doubled or out of order, at either server.
// E2E_KILLS changes the number of kills from 25.
#include <cstdlib>
#include <set>

#include "tests/e2e/support/crew.hpp"
#include "tests/e2e/support/kept.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

constexpr std::int64_t acknowledgements_between_kills = 50;

int kills()
{
    const char* const given = std::getenv("E2E_KILLS");
    return given == nullptr ? 25 : std::atoi(given);
}

// Six writers offer 600 messages a second, so that 300 flow although half of the writers are
// cut off at each kill.
constexpr int posts_per_tick = 2;

class Kills : public WorldTest {
 protected:
    void SetUp() override
    {
        WorldTest::SetUp();
        open({"a.test", "b.test"});
        alice_ = std::make_unique<Client>(node("a.test"), "alice");
        bob_ = std::make_unique<Client>(node("b.test"), "bob");
        alice_->register_user();
        bob_->register_user();
        channel_ = shared_channel(*alice_, {bob_.get()}, {{"history", "all"}});
        for (const char* const name : {"ada", "albert", "agnes"}) add_writer("a.test", name);
        for (const char* const name : {"beryl", "boris", "bella"}) add_writer("b.test", name);
    }

    void add_writer(const std::string& server, const std::string& name)
    {
        auto& writer = writers_.emplace_back(std::make_unique<Client>(node(server), name));
        writer->register_user();
        alice_->invite(channel_, writer->user());
        writer->join(channel_);
    }

    [[nodiscard]] static std::int64_t latest(Client& reader, const std::string& channel)
    {
        try {
            const auto answer = reader.request("GET", "/channels/" + channel);
            return answer.status == 200 ? answer.body.at("latest").get<std::int64_t>() : 0;
        } catch (const Broken&) {
            return 0;
        }
    }

    void run(const std::string& victim,
             const std::function<std::int64_t(const Crew&)>& acknowledged);
    void expect_all_there(const Crew& crew);

    std::unique_ptr<Client> alice_, bob_;
    std::vector<std::unique_ptr<Client>> writers_;
    std::string channel_;
};

void Kills::run(const std::string& victim,
                const std::function<std::int64_t(const Crew&)>& acknowledged)
{
    Crew crew(channel_);
    for (auto& writer : writers_) crew.add(*writer, posts_per_tick);
    const auto began = std::chrono::steady_clock::now();
    crew.start();
    std::int64_t last = 0;
    for (int i = 0; i < kills(); ++i) {
        wait_until("50 acknowledgements have come since the last kill",
                   [&] { return acknowledged(crew) >= last + acknowledgements_between_kills; });
        node(victim).kill9();
        last = acknowledged(crew);
        node(victim).start();
    }
    crew.finish(Milliseconds(30'000));
    const auto took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    std::size_t told = 0;
    for (const auto& list : crew.all()) told += list.size();
    std::cout << kills() << " kills, " << told << " messages in " << took << " s\n";
    expect_all_there(crew);
}

void Kills::expect_all_there(const Crew& crew)
{
    std::size_t told = 0;
    for (const auto& list : crew.all()) told += list.size();
    wait_until(
        "all that was acknowledged is numbered",
        [&] { return alice_->texts(channel_).size() >= told; }, Milliseconds(30'000));
    const auto home = alice_->log(channel_);
    expect_kept(home, crew);
    if (HasFatalFailure()) return;
    wait_until(
        "the follower has all", [&] { return latest(*bob_, channel_) >= home.back().seq; },
        Milliseconds(30'000));
    EXPECT_EQ(alice_->log(channel_), bob_->log(channel_));
}

// [INBOX-2]
TEST_F(Kills, AFollowerKilledAgainAndAgainLosesNothing)
{
    // What a follower holds it has acknowledged, or will as soon as it is asked again.
    std::int64_t seen = 0;
    run("b.test", [&](const Crew&) { return seen = std::max(seen, latest(*bob_, channel_)); });
}

// [INBOX-2]
TEST_F(Kills, AHomeKilledAgainAndAgainLosesNothing)
{
    run("a.test",
        [](const Crew& crew) { return static_cast<std::int64_t>(crew.acknowledged("a.test")); });
}

}  // namespace
}  // namespace entente::e2e
