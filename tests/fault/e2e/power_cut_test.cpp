// Power cuts under load, now of the channel's home, now of its follower: at a moment from
// outside, or in the middle of a call of the disk; a part of what wasn't synced survives,
// in no order. After each of them all that was acknowledged at clients stands in order at
// both servers, once. FAULT_CUTS changes the number of cuts from 20, FAULT_SEED what happens.
#include <cstdlib>
#include <random>
#include <set>

#include "tests/e2e/support/crew.hpp"
#include "tests/fault/e2e/faulty_world.hpp"

namespace entente::e2e {
namespace {

constexpr std::int64_t acknowledgements_between_cuts = 40;
constexpr int posts_per_tick = 2;

std::uint64_t number_in_environment(const char* name, std::uint64_t usual)
{
    const char* const given = std::getenv(name);
    return given == nullptr ? usual : std::stoull(given);
}

// What a server's log has shown so far, checked as it grows.
class Reading {
 public:
    explicit Reading(Client& reader) : reader_(reader) {}

    void read(const std::string& channel)
    {
        for (auto& entry : reader_.log(channel, latest_)) {
            ASSERT_EQ(entry.seq, latest_ + 1) << "the numbers have a hole";
            ASSERT_TRUE(by_txn_.emplace(entry.txn, entry).second)
                << entry.text << " is there twice";
            latest_ = entry.seq;
        }
    }
    [[nodiscard]] const PageEntry* find(const std::string& txn) const
    {
        const auto found = by_txn_.find(txn);
        return found == by_txn_.end() ? nullptr : &found->second;
    }

 private:
    Client& reader_;
    std::int64_t latest_ = 0;
    std::map<std::string, PageEntry> by_txn_;
};

class PowerCuts : public FaultyWorld {
 protected:
    void SetUp() override
    {
        WorldTest::SetUp();
        seed_ = number_in_environment("FAULT_SEED", 1);
        random_.seed(seed_);
        world_ = std::make_unique<World>(std::vector<std::string>{"a.test", "b.test"});
        for (const char* const name : {"a.test", "b.test"}) prepare((*world_)[name]);
        world_->start_all();
        alice_ = std::make_unique<Client>((*world_)["a.test"], "alice");
        bob_ = std::make_unique<Client>((*world_)["b.test"], "bob");
        alice_->register_user();
        bob_->register_user();
        channel_ = shared_channel(*alice_, {bob_.get()}, {{"history", "all"}});
        for (const char* const name : {"ada", "albert"}) add_writer("a.test", name);
        for (const char* const name : {"beryl", "boris"}) add_writer("b.test", name);
    }
    void TearDown() override
    {
        if (world_ && HasFailure()) std::cerr << "seed " << seed_ << "\n" << world_->logs();
        world_.reset();
    }

    void add_writer(const std::string& server, const std::string& name)
    {
        auto& writer = writers_.emplace_back(std::make_unique<Client>((*world_)[server], name));
        writer->register_user();
        alice_->invite(channel_, writer->user());
        writer->join(channel_);
    }

    // The window's files lose nothing, and the boot stays the same: else no request of a
    // peer would be taken for a minute after each cut [SIG-4].
    void prepare(Node& node)
    {
        const double shares[] = {0, 0.3, 0.7};
        make_faulty(node,
                    "keep /window/; seed " + std::to_string(random_()) + "; survive " +
                        std::to_string(shares[random_() % 3]),
                    "one");
    }

    void cut(Node& victim);
    void expect_all_there(const Crew& crew);
    void expect_at(Reading& reading, const std::vector<std::vector<Acknowledged>>& news,
                   std::vector<std::int64_t>& last);

    std::uint64_t seed_ = 1;
    std::mt19937_64 random_;
    std::unique_ptr<World> world_;
    std::unique_ptr<Client> alice_, bob_;
    std::vector<std::unique_ptr<Client>> writers_;
    std::string channel_;
    std::unique_ptr<Reading> at_home_, at_follower_;
    std::vector<std::size_t> seen_;
    std::vector<std::int64_t> last_at_home_, last_at_follower_;
};

void PowerCuts::cut(Node& victim)
{
    const auto way = random_() % 4;
    if (way == 0) {
        victim.kill9();
    } else if (way == 1) {
        send(victim, "cut sync " + std::to_string(1 + random_() % 10));
    } else {
        send(victim, "cut any " + std::to_string(1 + random_() % 400) + " entente.sqlite");
    }
    if (way != 0) victim.wait_for_exit();
    prepare(victim);
    victim.start();
}

// In each writer's order, and with the numbers that were told.
void PowerCuts::expect_at(Reading& reading, const std::vector<std::vector<Acknowledged>>& news,
                          std::vector<std::int64_t>& last)
{
    last.resize(news.size());
    for (std::size_t i = 0; i < news.size(); ++i) {
        for (const auto& item : news[i]) {
            wait_until(
                item.text + " is there",
                [&] {
                    if (reading.find(item.txn) == nullptr) reading.read(channel_);
                    return reading.find(item.txn) != nullptr || HasFatalFailure();
                },
                Milliseconds(30'000));
            ASSERT_FALSE(HasFatalFailure());
            const auto* const found = reading.find(item.txn);
            ASSERT_EQ(found->text, item.text);
            ASSERT_EQ(found->sender, item.sender);
            if (item.seq > 0) {
                ASSERT_EQ(found->seq, item.seq);
            }
            ASSERT_GT(found->seq, last[i]) << item.text << " has overtaken an earlier one";
            last[i] = found->seq;
        }
    }
}

void PowerCuts::expect_all_there(const Crew& crew)
{
    const auto news = crew.told_since(seen_);
    expect_at(*at_home_, news, last_at_home_);
    if (!HasFatalFailure()) expect_at(*at_follower_, news, last_at_follower_);
}

TEST_F(PowerCuts, LoseNothingThatWasAcknowledged)
{
    const auto cuts = number_in_environment("FAULT_CUTS", 20);
    at_home_ = std::make_unique<Reading>(*alice_);
    at_follower_ = std::make_unique<Reading>(*bob_);
    Crew crew(channel_);
    for (auto& writer : writers_) crew.add(*writer, posts_per_tick);
    const auto began = std::chrono::steady_clock::now();
    crew.start();
    const auto acknowledged = [&] {
        return static_cast<std::int64_t>(crew.acknowledged("a.test") + crew.acknowledged("b.test"));
    };
    std::int64_t last = 0;
    for (std::uint64_t i = 0; i < cuts; ++i) {
        wait_until("40 acknowledgements have come since the last cut",
                   [&] { return acknowledged() >= last + acknowledgements_between_cuts; });
        const std::string victim = random_() % 2 == 0 ? "a.test" : "b.test";
        SCOPED_TRACE("cut " + std::to_string(i + 1) + ", of " + victim);
        cut((*world_)[victim]);
        expect_all_there(crew);
        if (HasFatalFailure()) return;
        last = acknowledged();
    }
    crew.finish(Milliseconds(30'000));
    expect_all_there(crew);
    if (HasFatalFailure()) return;
    std::size_t told = 0;
    for (const auto& list : crew.all()) told += list.size();
    const auto took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    EXPECT_EQ(alice_->log(channel_), bob_->log(channel_));
    std::cout << cuts << " power cuts (seed " << seed_ << "), " << told << " messages in " << took
              << " s: 0 lost, 0 doubled\n";
}

}  // namespace
}  // namespace entente::e2e
