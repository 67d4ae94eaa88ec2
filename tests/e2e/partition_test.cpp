// Two real servers between which nothing gets through for a while, as people write on both
// sides: it drains by itself. Ten seconds by default; $PARTITION_SECONDS makes it as long as
// one likes, and from a minute on the servers wait as they do in stock configuration.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "tests/e2e/support/cable.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::seconds;

seconds partition_length()
{
    const char* const given = std::getenv("PARTITION_SECONDS");
    return seconds(given == nullptr ? 10 : std::max(1, std::atoi(given)));
}

bool is_long()
{
    return partition_length() >= seconds(60);
}

// Each writes so many while it lasts: fewer than a user may have waiting for one server.
std::size_t messages_each()
{
    return is_long() ? 900 : 300;
}

// Links that failed for so long wait about as long again [RETRY-1]; at most a second where
// tests are in a hurry.
Milliseconds drain_time()
{
    return is_long() ? 2 * partition_length() + seconds(60) : Milliseconds(60'000);
}

class Partition : public ::testing::Test {
 protected:
    Partition()
        : world_({"a.test", "b.test"}, {}, "", is_long() ? Tuning::stock : Tuning::brisk),
          there_(world_, world_["a.test"], "b.test"),
          back_(world_, world_["b.test"], "a.test")
    {
        protocol::start_crypto();
        world_.start_all();
        alice_.register_user();
        bob_.register_user();
        at_a_ = shared_channel(alice_, bob_);
        at_b_ = shared_channel(bob_, alice_);
    }
    void TearDown() override
    {
        if (HasFailure()) std::cerr << world_.logs();
    }

    static std::string shared_channel(Client& owner, Client& other)
    {
        auto channel = owner.create_channel("garden", {{"history", "all"}});
        owner.invite(channel, other.user());
        other.join(channel);
        return channel;
    }
    static std::string text(const Client& writer, std::size_t number)
    {
        return writer.user() + " " + std::to_string(number);
    }
    // All of `writers` into both channels, evenly over the time.
    void write_for(seconds time, const std::vector<Client*>& writers)
    {
        const auto begin = SteadyClock::now();
        for (std::size_t i = 0; i < messages_each(); ++i) {
            for (auto* writer : writers)
                for (const auto* channel : {&at_a_, &at_b_})
                    writer->post(*channel, text(*writer, i));
            std::this_thread::sleep_until(begin + (i + 1) * Milliseconds(time) / messages_each());
        }
    }
    [[nodiscard]] bool has_all(Client& reader, const std::vector<Client*>& writers)
    {
        return std::ranges::all_of(std::vector{at_a_, at_b_}, [&](const std::string& channel) {
            return reader.texts(channel).size() == writers.size() * messages_each();
        });
    }
    void expect_drained(const std::vector<Client*>& writers)
    {
        const auto begin = SteadyClock::now();
        wait_until(
            "both sides have everything",
            [&] {
                std::this_thread::sleep_for(Milliseconds(200));
                return has_all(alice_, writers) && has_all(bob_, writers);
            },
            drain_time());
        std::cout << "drained:    "
                  << std::chrono::duration<double>(SteadyClock::now() - begin).count()
                  << " s after " << partition_length().count() << " s, "
                  << 2 * writers.size() * messages_each() << " messages" << std::endl;
        for (const auto* channel : {&at_a_, &at_b_}) {
            EXPECT_EQ(alice_.log(*channel), bob_.log(*channel));
            for (auto* writer : writers) {
                std::vector<std::string> of_writer, expected;
                for (const auto& entry : alice_.log(*channel))
                    if (entry.sender == writer->user() && !entry.text.empty())
                        of_writer.push_back(entry.text);
                for (std::size_t i = 0; i < messages_each(); ++i)
                    expected.push_back(text(*writer, i));
                EXPECT_EQ(of_writer, expected) << writer->user() << " in " << *channel;
            }
        }
    }

    World world_;
    Cable there_, back_;
    Client alice_{world_["a.test"], "alice"}, bob_{world_["b.test"], "bob"};
    std::string at_a_, at_b_;
};

// [RETRY-1]
TEST_F(Partition, OfTheLineDrainsInOrderOnceItIsWhole)
{
    there_.cut();
    back_.cut();
    write_for(partition_length(), {&alice_, &bob_});
    EXPECT_EQ(alice_.texts(at_a_).size(), messages_each());
    EXPECT_TRUE(bob_.texts(at_a_).empty());
    EXPECT_TRUE(alice_.texts(at_b_).empty());
    there_.mend();
    back_.mend();
    expect_drained({&alice_, &bob_});
}

// [RETRY-1] One that stands still with all its connections open, and then goes on.
TEST_F(Partition, FromAServerThatStandsStillEndsWhenItGoesOn)
{
    world_["b.test"].signal(SIGSTOP);
    write_for(partition_length(), {&alice_});
    EXPECT_EQ(alice_.texts(at_a_).size(), messages_each());
    world_["b.test"].signal(SIGCONT);
    expect_drained({&alice_});
}

}  // namespace
}  // namespace entente::e2e
