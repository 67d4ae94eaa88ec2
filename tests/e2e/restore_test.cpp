// A home that was put back from an older copy of its data: what it has acknowledged and sent
// comes back from those who follow it [LOG-5].
#include <filesystem>

#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

namespace fs = std::filesystem;

class Restore : public WorldTest {
 protected:
    void SetUp() override
    {
        WorldTest::SetUp();
        open({"a.test", "b.test"});
        alice_ = std::make_unique<Client>(person("a.test", "alice"));
        bob_ = std::make_unique<Client>(person("b.test", "bob"));
        channel_ = shared_channel(*alice_, {bob_.get()}, {{"history", "all"}});
        write(5);
        EXPECT_EQ(node("a.test").terminate(), 0);
        fs::copy(data(), data() + ".old", fs::copy_options::recursive);
        node("a.test").start();
    }

    [[nodiscard]] std::string data() { return node("a.test").folder() + "/data"; }
    void write(int count)
    {
        for (int i = 0; i < count; ++i) {
            alice_->post(channel_, "a" + std::to_string(written_));
            bob_->post(channel_, "b" + std::to_string(written_++));
        }
        wait_until("both have all of it", [&] {
            return alice_->texts(channel_).size() == 2 * static_cast<std::size_t>(written_) &&
                   bob_->log(channel_) == alice_->log(channel_);
        });
    }
    void put_back()
    {
        node("a.test").kill9();
        fs::remove_all(data());
        fs::rename(data() + ".old", data());
        node("a.test").start();
    }
    void expect_accepted(const json& posted)
    {
        wait_until("what was posted meanwhile has its number",
                   [&] { return alice_->delivery(posted.at("event")).at("status") == "accepted"; });
    }
    // What both had stands where it stood, and both go on behind it.
    void expect_whole(const std::vector<PageEntry>& before, const std::string& last)
    {
        wait_until("both hold the same", [&] {
            return bob_->texts(channel_).back() == last &&
                   bob_->log(channel_) == alice_->log(channel_);
        });
        auto now = alice_->log(channel_);
        ASSERT_GT(now.size(), before.size());
        now.resize(before.size());
        EXPECT_EQ(now, before);
        EXPECT_FALSE(bob_->channel(channel_).at("frozen").get<bool>());
    }

    std::unique_ptr<Client> alice_, bob_;
    std::string channel_;
    int written_ = 0;
};

TEST_F(Restore, AHomeThatWasPutBackFetchesWhatItsFollowerHolds)
{
    write(20);
    const auto before = bob_->log(channel_);
    put_back();
    expect_accepted(alice_->post(channel_, "after"));
    expect_whole(before, "after");
}

TEST_F(Restore, WhileItsFollowerIsAwayNothingIsNumberedAndNothingLost)
{
    write(20);
    const auto before = bob_->log(channel_);
    node("b.test").kill9();
    put_back();
    const auto posted = alice_->post(channel_, "meanwhile");
    EXPECT_EQ(posted.at("status"), "pending");
    // Killed while it waits, it still waits.
    node("a.test").kill9();
    node("a.test").start();
    EXPECT_EQ(alice_->delivery(posted.at("event")).at("status"), "pending");
    node("b.test").start();
    expect_accepted(posted);
    expect_whole(before, "meanwhile");
}

TEST_F(Restore, AFollowerThatWasPutBackCatchesUpThoughItIsOwedNothing)
{
    const auto other = shared_channel(*alice_, {bob_.get()});
    const auto data = node("b.test").folder() + "/data";
    EXPECT_EQ(node("b.test").terminate(), 0);
    fs::copy(data, data + ".old", fs::copy_options::recursive);
    node("b.test").start();
    write(10);
    const auto before = alice_->log(channel_);
    node("b.test").kill9();
    alice_->post(other, "by this the home notices that b.test is away");
    fs::remove_all(data);
    fs::rename(data + ".old", data);
    node("b.test").start();
    wait_until("b.test has all again", [&] { return bob_->log(channel_) == before; });
    EXPECT_FALSE(bob_->channel(channel_).at("frozen").get<bool>());
}

TEST_F(Restore, AnOrdinaryRestartHoldsNothing)
{
    write(1);
    node("b.test").kill9();
    node("a.test").kill9();
    node("a.test").start();
    EXPECT_EQ(alice_->post(channel_, "at once").at("status"), "accepted");
}

}  // namespace
}  // namespace entente::e2e
