// A link to a peer that doesn't answer: how much goes there, how often, and what is told.
#include "tests/federation/log/link_rig.hpp"

namespace entente::federation::log_rig {
namespace {

// Whatever stands at the address that the peer's document names: answers nothing, or is the peer.
class Address final : public net::Fetcher {
 public:
    Address(Server& from, Server& peer) : from_(from), peer_(peer) {}

    asio::awaitable<Result<net::FetchedResponse>> fetch(net::Fetch fetch) override
    {
        auto sent = protocol::parse_transaction(fetch.body, protocol::TransactionLimits{},
                                                peer_.identity.names);
        if (!sent) co_return fail(sent);
        std::size_t items = sent->direct.size();
        for (const auto& part : sent->submissions) items += part.value->events.size();
        asked.clear();
        for (const auto& part : sent->logs) {
            items += part.value->entries.size();
            if (part.value->entries.empty()) asked.insert(part.value->channel.str());
        }
        posts.push_back(items);
        octets.push_back(fetch.body.size());
        if (failure) co_return tl::unexpected<Error>{*failure};
        auto answer = co_await answer_of(peer_, from_, fetch);
        co_return answer;
    }

    std::optional<Error> failure = Error{Code::timeout, "no answer", {}, 0};
    std::vector<std::size_t> posts;   // the items of each
    std::vector<std::size_t> octets;  // the same
    std::set<std::string> asked;      // channels that the last had no entries of

 private:
    Server& from_;
    Server& peer_;
};

class Probe : public ::testing::Test {
 protected:
    Probe() : channel(shared_channel(a, b, "all"))
    {
        for (int i = 0; i < owed; ++i) EXPECT_TRUE(a.post("alice", channel, long_text));
        links->wake(b.identity.name);
        links.run([this] { return links.waits(b); });
    }
    // Whatever the link looks up now, it has looked up.
    void let_go_on()
    {
        const storage::Cause cause{b.identity.name.str(), 0};
        auto look = [](storage::Connection&) -> Result<int> { return 0; };
        ASSERT_TRUE(a.world.run(a.commits->read(std::move(look), cause)));
        links.run([this] { return links.waits(b) || links->running() == 0; });
    }
    void until_all_is_sent()
    {
        a.world.clock.now = links->state_of(b.identity.name)->next_try;
        links->wake(b.identity.name);
        // A busy link lets more gather for some milliseconds.
        links.run([this] {
            ++a.world.clock.now;
            return links->running() == 0;
        });
    }
    void until_next_try()
    {
        const auto posts = address.posts.size();
        a.world.clock.now = links->state_of(b.identity.name)->next_try;
        links->wake(b.identity.name);
        links.run([&] { return address.posts.size() > posts && links.waits(b); });
    }
    [[nodiscard]] std::size_t lines_of(protocol::LogLevel level) const
    {
        return static_cast<std::size_t>(std::ranges::count_if(
            log.lines, [&](const HeardLog::Line& line) { return line.level == level; }));
    }

    // Of these two nothing is owed.
    [[nodiscard]] std::set<std::string> shared_besides()
    {
        return {shared_channel(a, b).str(), shared_channel(a, b).str()};
    }

    static constexpr int owed = 50;
    const std::string long_text = std::string(1'000, 'x');
    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    const std::set<std::string> besides = shared_besides();
    Address address{a, b};
    HeardLog log;
    ChannelId channel;
    LinksOf links{a, address, std::chrono::milliseconds(50), &log};
};

// [RETRY-6] Who names another's address as his own, and then asks this server something again and
// again, has it send there no more than the doubling would, and little each time.
TEST_F(Probe, WhoIsHeardOftenIsntSentMuchUntilHeAnswers)
{
    ASSERT_EQ(address.posts, std::vector<std::size_t>{owed});
    for (int i = 0; i < 1'000; ++i) {
        a.world.clock.now += 100;
        links->heard_from(b.identity.name);
        let_go_on();
    }
    EXPECT_GE(address.posts.size(), 6U);  // once at first, and by both doublings
    EXPECT_LE(address.posts.size(), 16U);
    for (std::size_t i = 1; i < address.posts.size(); ++i) {
        EXPECT_EQ(address.posts[i], 1U);
        EXPECT_LT(address.octets[i], address.octets[0] / 10);
    }
}

// [RETRY-1] [RETRY-6]
TEST_F(Probe, OnceItAnswersAllGoes)
{
    until_next_try();
    address.failure.reset();
    until_all_is_sent();
    EXPECT_EQ(address.posts, (std::vector<std::size_t>{owed, 1, 1, owed - 1}));
    EXPECT_EQ(b.image(channel)->hash, a.image(channel)->hash);
}

// [LOG-8] It may have been put back to an older state meanwhile.
TEST_F(Probe, WhoWasAwayIsAskedWhatItHoldsOfAllChannels)
{
    until_next_try();
    EXPECT_TRUE(address.asked.empty());
    address.failure.reset();
    std::set<std::string> asked;
    a.world.clock.now = links->state_of(b.identity.name)->next_try;
    links->wake(b.identity.name);
    links.run([&] {
        ++a.world.clock.now;
        asked.insert(address.asked.begin(), address.asked.end());
        return links->running() == 0;
    });
    EXPECT_TRUE(std::ranges::includes(asked, besides));
}

// Found at a server with thousands of peers: each kept to the second that the bound named.
TEST_F(Probe, ABoundOfOurOwnDoublesLikeAnyFailure)
{
    address.failure = Error{Code::unavailable, "too many requests under way", {}, 1};
    for (int i = 0; i < 8; ++i) until_next_try();
    const auto next = links->state_of(b.identity.name)->next_try;
    EXPECT_GT(next - a.world.clock.now, 60'000);
}

TEST_F(Probe, IsToldOfOnceWhenItGoesDownAndOnceWhenItIsBack)
{
    for (int i = 0; i < 5; ++i) until_next_try();
    EXPECT_EQ(lines_of(protocol::LogLevel::info), 1U);
    address.failure.reset();
    until_all_is_sent();
    EXPECT_EQ(lines_of(protocol::LogLevel::info), 2U);
    EXPECT_EQ(lines_of(protocol::LogLevel::error), 0U);
}

TEST_F(Probe, WhatAnAdministratorMustKnowIsToldOnceAsLongAsItIsDown)
{
    address.failure = Error{Code::clock_skew, "", {}, 0};
    for (int i = 0; i < 5; ++i) until_next_try();
    EXPECT_EQ(lines_of(protocol::LogLevel::error), 1U);
}

}  // namespace
}  // namespace entente::federation::log_rig
