// The contract of the replay window [SIG-4], on all implementations.
#include "storage/nonce_window.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <latch>
#include <ostream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support.hpp"
#include "tests/sim/window.hpp"

namespace entente::storage {
namespace {

protocol::KeyRef key_named(const std::string& id)
{
    return {protocol::ServerName::trusted("a.example"), protocol::KeyId::trusted(id)};
}

struct Implementation {
    const char* name;
    std::function<std::unique_ptr<NonceWindow>(const std::string& folder)> make;
};

// What a failing test calls it.
void PrintTo(const Implementation& implementation, std::ostream* out)
{
    *out << implementation.name;
}

class NonceWindowContract : public ::testing::TestWithParam<Implementation> {
 protected:
    NonceWindowContract() : window_(GetParam().make(folder_.file("window"))) {}

    [[nodiscard]] Code outcome(const std::string& key, std::string_view nonce,
                               protocol::Seconds expires)
    {
        auto spent = window_->spend(key_named(key), nonce, expires - 60, expires);
        // `internal` stands for success: the window never answers it.
        return spent ? Code::internal : spent.error().code;
    }
    static constexpr Code ok = Code::internal;

    testing::TemporaryFolder folder_;
    std::unique_ptr<NonceWindow> window_;
};

// [SIG-4]
TEST_P(NonceWindowContract, ANonceIsSpentOnce)
{
    EXPECT_EQ(outcome("k", "nonce", 1000), ok);
    EXPECT_EQ(outcome("k", "nonce", 1000), Code::replayed);
    EXPECT_EQ(outcome("k", "nonce", 1001), Code::replayed);
}

TEST_P(NonceWindowContract, KeysAndNoncesDontRunIntoEachOther)
{
    EXPECT_EQ(outcome("k1", "nonce", 1000), ok);
    EXPECT_EQ(outcome("k2", "nonce", 1000), ok);
    EXPECT_EQ(outcome("k", "1nonce", 1000), ok);
    EXPECT_EQ(outcome("k1", "nonc", 1000), ok);
}

TEST_P(NonceWindowContract, OfAHundredThreadsExactlyOneWins)
{
    constexpr int count = 100;
    for (int round = 0; round < 5; ++round) {
        std::latch together(count);
        std::atomic<int> won{0};
        std::atomic<int> replayed{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < count; ++i) {
            threads.emplace_back([&] {
                together.arrive_and_wait();
                const auto code = outcome("k", "nonce" + std::to_string(round), 1000);
                if (code == ok) ++won;
                if (code == Code::replayed) ++replayed;
            });
        }
        for (auto& thread : threads) thread.join();
        EXPECT_EQ(won, 1);
        EXPECT_EQ(replayed, count - 1);
    }
}

// [SIG-4]
TEST_P(NonceWindowContract, IsKeptUntilASecondAfterItExpired)
{
    ASSERT_EQ(outcome("k", "nonce", 1000), ok);
    ASSERT_TRUE(window_->sweep(1001));
    EXPECT_EQ(outcome("k", "nonce", 1000), Code::replayed);
    ASSERT_TRUE(window_->sweep(1002));
    EXPECT_EQ(outcome("k", "nonce", 1000), Code::unavailable);
}

TEST_P(NonceWindowContract, ForgetsWhatExpired)
{
    ASSERT_EQ(outcome("k", "nonce", 1000), ok);
    ASSERT_TRUE(window_->sweep(2000));
    // Another request, which only shares the octets of the nonce.
    EXPECT_EQ(outcome("k", "nonce", 3000), ok);
}

TEST_P(NonceWindowContract, NothingThatExpiredBeforeTheSweepTimeIsSpent)
{
    ASSERT_TRUE(window_->sweep(1000));
    const auto swept = window_->swept_until();
    EXPECT_GT(swept, 990);
    EXPECT_EQ(outcome("k", "never seen", swept), Code::unavailable);
    EXPECT_EQ(outcome("k", "never seen", swept + 1), ok);
}

// [SIG-4]
TEST_P(NonceWindowContract, AClockSetBackSweepsNothing)
{
    ASSERT_EQ(outcome("k", "kept", 1500), ok);
    ASSERT_TRUE(window_->sweep(1000));
    const auto swept = window_->swept_until();
    ASSERT_TRUE(window_->sweep(10));
    EXPECT_EQ(window_->swept_until(), swept);
    EXPECT_EQ(outcome("k", "kept", 1500), Code::replayed);
    EXPECT_EQ(outcome("k", "old", 900), Code::unavailable);
}

TEST_P(NonceWindowContract, SweepsGoOnWhileNoncesAreSpent)
{
    constexpr protocol::Seconds last = 400;
    std::atomic<int> doubled{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (protocol::Seconds expires = 1; expires <= last; ++expires) {
                const auto nonce = std::to_string(expires);
                const bool first = outcome("k", nonce, expires) == ok;
                const bool second = outcome("k", nonce, expires) == ok;
                if (first && second) ++doubled;
            }
        });
    }
    for (protocol::Seconds now = 1; now <= last; now += 20) ASSERT_TRUE(window_->sweep(now));
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(doubled, 0);
}

// Whatever is spent and swept in whatever order: no request succeeds twice.
TEST_P(NonceWindowContract, NoHistoryLetsARequestThroughTwice)
{
    rc::detail::checkGTest([this](const std::vector<std::pair<bool, std::uint8_t>>& steps) {
        static int trial = 0;
        auto window = GetParam().make(folder_.file("trial" + std::to_string(++trial)));
        std::vector<int> successes(256, 0);
        for (const auto& [is_sweep, time] : steps) {
            if (is_sweep) {
                RC_ASSERT(window->sweep(time).has_value());
            } else if (window->spend(key_named("k"), "n" + std::to_string(time), 0, time)) {
                RC_ASSERT(++successes[time] == 1);
            }
        }
    });
}

// A document shows as many keys as its server likes.
TEST(MemoryWindow, ItsBoundIsAServersNotAKeys)
{
    const auto window = make_memory_window();
    const auto key_of = [](const char* server, const char* name) {
        auto key = key_named(name);
        key.server = protocol::ServerName::trusted(server);
        return key;
    };
    const std::array keys = {key_of("a.example", "k"), key_of("a.example", "l")};
    for (std::size_t i = 0; i < 50'000; ++i) {
        const auto expires = i % 2 == 0 ? 100 : 101;
        ASSERT_TRUE(window->spend(keys[i % 2], "n" + std::to_string(i), 0, expires));
    }
    for (const auto& key : keys) {
        const auto spent = window->spend(key, "more", 0, 100);
        ASSERT_FALSE(spent);
        EXPECT_EQ(spent.error().code, Code::unavailable);
        EXPECT_EQ(window->spend(key, "n" + std::to_string(&key - keys.data()), 0, 100).error().code,
                  Code::replayed);
    }
    EXPECT_TRUE(window->spend(key_of("b.example", "m"), "more", 0, 100));
    ASSERT_TRUE(window->sweep(102));
    EXPECT_TRUE(window->spend(keys[0], "more", 0, 1'000));
    ASSERT_TRUE(window->sweep(1'100));
    EXPECT_TRUE(window->spend(keys[0], "more", 0, 2'000));
}

std::unique_ptr<NonceWindow> make_rocks(const std::string& folder)
{
    RocksWindowOptions options;
    options.folder = folder;
    options.boot_id = "boot";
    auto opened = open_rocks_window(options);
    if (!opened) throw std::runtime_error(opened.error().detail);
    return std::move(*opened);
}

// A simulated machine's, with what outlives it there.
class SimulatedWindow final : public NonceWindow {
 public:
    Result<void> spend(const protocol::KeyRef& key, std::string_view nonce,
                       protocol::Seconds created, protocol::Seconds expires) override
    {
        return window_->spend(key, nonce, created, expires);
    }
    Result<void> sweep(protocol::Seconds now) override { return window_->sweep(now); }
    protocol::Seconds swept_until() const override { return window_->swept_until(); }

 private:
    sim::WindowMemory memory_;
    std::unique_ptr<ReplayMemory> window_ = sim::open_simulated_window(memory_, {});
};

std::unique_ptr<NonceWindow> make_simulated(const std::string& /*folder*/)
{
    return std::make_unique<SimulatedWindow>();
}

INSTANTIATE_TEST_SUITE_P(Windows, NonceWindowContract,
                         ::testing::Values(Implementation{"Memory",
                                                          [](const std::string&) {
                                                              return make_memory_window();
                                                          }},
                                           Implementation{"Rocks", make_rocks},
                                           Implementation{"Simulated", make_simulated}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace entente::storage
