// [SIG-4] What the replay window no longer knows is refused as `unavailable`, never taken a
// second time: its folder deleted or damaged, and a sweep time ahead of the clock.
#include <filesystem>
#include <fstream>

#include "storage/nonce_window.hpp"
#include "tests/e2e/support/forger_test.hpp"

namespace entente::e2e {
namespace {

namespace fs = std::filesystem;

using protocol::Seconds;

constexpr Seconds distrust = 61;  // after the start that found the memory lost

Seconds now_s()
{
    return protocol::SystemClock{}.now_ms() / 1000;
}

class ReplayMemory : public ForgerTest {
 protected:
    void SetUp() override
    {
        ForgerTest::SetUp();
        join();
    }

    [[nodiscard]] std::string window() { return home().folder() + "/data/window"; }
    [[nodiscard]] Craft request(const std::string& text, Seconds created, Seconds expires)
    {
        auto craft = forger_->craft(home(), message(text));
        craft.created = created;
        craft.expires = expires;
        return craft;
    }
    [[nodiscard]] Craft made_at(Seconds created)
    {
        return request("made at " + std::to_string(created), created, created + 300);
    }

    void expect_unavailable(const Craft& craft, Seconds longest_wait)
    {
        const auto answer = forger_->send(home(), craft);
        EXPECT_EQ(answer.status(), 503) << answer.message.body;
        EXPECT_EQ(answer.problem(), "unavailable") << answer.message.body;
        EXPECT_GE(answer.retry_after(), 1);
        EXPECT_LE(answer.retry_after(), longest_wait);
        EXPECT_TRUE(forger_->is_signed_by(home(), answer));
    }

    void expect_distrust_after(const std::function<void()>& loss)
    {
        const auto spent = request("once", now_s(), now_s() + 300);
        EXPECT_EQ(forger_->send(home(), spent).status(), 200);
        EXPECT_EQ(home().terminate(), 0);
        loss();
        const auto before = now_s();
        home().start();
        expect_unavailable(spent, distrust);
        expect_unavailable(made_at(before), distrust);
        expect_unavailable(made_at(before + distrust - 1), distrust);
        // What a start has found isn't forgotten by the next.
        home().kill9();
        home().start();
        expect_unavailable(spent, distrust);
        expect_unavailable(made_at(before + distrust - 1), distrust);
        EXPECT_EQ(texts(), std::vector<std::string>{"once"});

        // From the second after the start on, what is made as late as may be is new for certain.
        Seconds late = 0;
        wait_until("what is made later is taken", [&] {
            late = now_s() + 60;
            return forger_->send(home(), made_at(late)).status() == 200;
        });
        EXPECT_EQ(texts(), (std::vector<std::string>{"once", "made at " + std::to_string(late)}));
    }
};

// [SIG-4]
TEST_F(ReplayMemory, ADeletedOneIsNotTakenForANewServers)
{
    expect_distrust_after([this] { ASSERT_GT(fs::remove_all(window()), 0U); });
}

TEST_F(ReplayMemory, ADamagedOneIsNotTakenForComplete)
{
    expect_distrust_after(
        [this] { std::ofstream(window() + "/CURRENT", std::ios::trunc) << "no manifest\n"; });
}

// [SIG-4] The clock had been ahead, and what it took for expired is forgotten.
TEST_F(ReplayMemory, WhatWasSweptAheadOfTimeIsNotTakenAgain)
{
    const auto now = now_s();
    const auto swept = now + 200;
    const auto spent = request("once", now, now + 100);
    EXPECT_EQ(forger_->send(home(), spent).status(), 200);
    EXPECT_EQ(home().terminate(), 0);
    {
        auto memory = storage::open_rocks_window({window(), true, now, "another boot"});
        ASSERT_TRUE(memory.has_value()) << memory.error().detail;
        ASSERT_TRUE((*memory)->sweep(swept + 2).has_value());
        ASSERT_EQ((*memory)->swept_until(), swept);
        (*memory)->close();
    }
    home().start();
    expect_unavailable(spent, 300);
    expect_unavailable(request("expires by then", now, swept), 300);
    EXPECT_EQ(texts(), std::vector<std::string>{"once"});
    EXPECT_EQ(forger_->send(home(), request("expires after", now, swept + 1)).status(), 200);
    EXPECT_EQ(texts(), (std::vector<std::string>{"once", "expires after"}));
}

}  // namespace
}  // namespace entente::e2e
