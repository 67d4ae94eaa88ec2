// Several transactions of one link under way: who waits for whom, and who doesn't.
#include "tests/federation/log/link_rig.hpp"

#include <list>
#include <set>

namespace entente::federation::log_rig {
namespace {

using std::chrono::milliseconds;

// The way to a peer. What a transaction carries decides when it gets there, and whether it
// is answered with a failure.
class Way final : public net::Fetcher {
 public:
    Way(Server& from, Server& peer) : from_(from), peer_(peer) {}

    asio::awaitable<Result<net::FetchedResponse>> fetch(net::Fetch fetch) override
    {
        if (fetch.method != "POST") co_return fail(Code::unavailable, "nothing but the inbox");
        auto sent = protocol::parse_transaction(fetch.body, protocol::TransactionLimits{},
                                                peer_.identity.names);
        if (!sent) co_return fail(sent);
        const UnderWay carried(*this, *sent);
        while (is_slow(carried.what)) {
            net::Wakeup gone_on(peer_.world.io.get_executor());
            const auto place = waiting_.insert(waiting_.end(), &gone_on);
            co_await gone_on.wait();
            waiting_.erase(place);
        }
        for (const auto& one : carried.what) {
            if (failing.contains(one)) co_return fail(Code::timeout, "no answer");
        }
        auto answer = co_await answer_of(peer_, from_, fetch);
        for (const auto& one : carried.what) ++arrived[one];
        co_return answer;
    }
    void let_go()
    {
        slow.clear();
        for (auto* one : waiting_) one->notify();
    }

    // Channels, "direct", "signals": what carries one waits until let_go().
    std::set<std::string> slow;
    std::set<std::string> failing;       // the same: fails after that
    std::map<std::string, int> arrived;  // transactions
    std::map<std::string, int> begun;
    std::size_t transactions = 0;
    std::size_t under_way = 0;
    std::size_t most = 0;         // that were at once
    bool has_overlapped = false;  // two that carried the same were

 private:
    struct UnderWay {
        UnderWay(Way& on, const protocol::Transaction& sent) : way(on)
        {
            for (const auto& part : sent.submissions) what.insert(part.value->channel.str());
            for (const auto& part : sent.logs) what.insert(part.value->channel.str());
            if (!sent.direct.empty()) what.insert("direct");
            if (!sent.signals.empty()) what.insert("signals");
            for (const auto& one : what) {
                if (!way.carried_.insert(one).second) way.has_overlapped = true;
                ++way.begun[one];
            }
            ++way.transactions;
            way.most = std::max(way.most, ++way.under_way);
        }
        ~UnderWay()
        {
            for (const auto& one : what) way.carried_.erase(one);
            --way.under_way;
        }
        UnderWay(const UnderWay&) = delete;
        UnderWay& operator=(const UnderWay&) = delete;

        Way& way;
        std::set<std::string> what;
    };
    [[nodiscard]] bool is_slow(const std::set<std::string>& what) const
    {
        return std::ranges::any_of(what, [&](const auto& one) { return slow.contains(one); });
    }

    Server& from_;
    Server& peer_;
    std::list<net::Wakeup*> waiting_;
    std::set<std::string> carried_;
};

constexpr milliseconds at_once{0};
constexpr milliseconds very_patient{3'600'000};

class Lanes : public ::testing::Test {
 protected:
    ~Lanes() override
    {
        EXPECT_FALSE(way.has_overlapped);
        EXPECT_LE(way.most, 4U);
    }
    // alice@a's, with bob@b in each.
    std::vector<ChannelId> channels_of_a(int count)
    {
        std::vector<ChannelId> made;
        for (int i = 0; i < count; ++i) made.push_back(shared_channel(a, b, "all"));
        return made;
    }
    void say(LinksOf& links, const ChannelId& channel, const std::string& text)
    {
        ASSERT_TRUE(a.post("alice", channel, text));
        links->wake(b.identity.name);
    }
    [[nodiscard]] std::int64_t row_of(const ChannelId& channel)
    {
        const auto row =
            a.read([&](storage::Connection& db) { return storage::read_channel(db, channel); });
        return row.value().id;
    }
    // The same as `say`, and the link is told as it is by a commit.
    void grow(LinksOf& links, const ChannelId& channel)
    {
        ASSERT_TRUE(a.post("alice", channel, "more"));
        storage::CommittedRun run;
        run.channel_id = row_of(channel);
        run.channel = channel;
        run.home = a.identity.name;
        run.followers = {b.identity.name};
        links->committed(run);
    }
    // Whatever the link looks up or settles now, it has looked up and settled.
    void let_look()
    {
        const storage::Cause cause{b.identity.name.str(), 0};
        for (int i = 0; i < 3; ++i) {
            auto settle = [](storage::WriteTransaction&) -> Result<int> { return 0; };
            auto look = [](storage::Connection&) -> Result<int> { return 0; };
            ASSERT_TRUE(a.world.run(a.commits->write(std::move(settle), cause)));
            ASSERT_TRUE(a.world.run(a.commits->read(std::move(look), cause)));
        }
    }
    void expect_alike(const std::vector<ChannelId>& channels)
    {
        for (const auto& channel : channels)
            EXPECT_EQ(b.image(channel)->hash, a.image(channel)->hash);
    }
    void finish(LinksOf& links)
    {
        links.run([&] { return links->running() == 0; });
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Way way{a, b};
};

// [INBOX-7]
TEST_F(Lanes, AChannelThatIsAnsweredLateKeepsNoOtherBack)
{
    const auto channels = channels_of_a(2);
    const auto& late = channels[0];
    const auto& other = channels[1];
    LinksOf links(a, way, at_once);
    way.slow.insert(late.str());
    say(links, late, "m1");
    links.run([&] { return way.under_way == 1; });
    for (int i = 1; i <= 3; ++i) {
        say(links, other, "m" + std::to_string(i));
        links.run([&] { return way.arrived[other.str()] == i; });
    }
    EXPECT_EQ(way.arrived[late.str()], 0);
    way.let_go();
    finish(links);
    EXPECT_EQ(b.image(late)->hash, a.image(late)->hash);
    EXPECT_EQ(b.image(other)->hash, a.image(other)->hash);
}

// [INBOX-7] Nothing of a channel overtakes what it follows.
TEST_F(Lanes, AChannelIsAlwaysOnOneLane)
{
    const auto channels = channels_of_a(2);
    LinksOf links(a, way, at_once);
    way.slow.insert(channels[0].str());
    say(links, channels[0], "m1");
    links.run([&] { return way.under_way == 1; });
    say(links, channels[0], "m2");
    let_look();
    EXPECT_EQ(way.begun[channels[0].str()], 1);
    say(links, channels[1], "m1");
    links.run([&] { return way.arrived[channels[1].str()] == 1; });
    let_look();
    EXPECT_EQ(way.begun[channels[0].str()], 1);
    way.let_go();
    finish(links);
    EXPECT_EQ(way.begun[channels[0].str()], 2);
    EXPECT_EQ(b.texts(channels[0]), (std::vector<std::string>{"m1", "m2"}));
}

// [INBOX-3] [INBOX-7]
TEST_F(Lanes, WhatIsHandedInKeepsItsOrder)
{
    std::vector<ChannelId> channels;
    for (int i = 0; i < 2; ++i) channels.push_back(shared_channel(b, a, "all"));
    const auto post = [&](LinksOf& links, const ChannelId& channel, const std::string& text) {
        ASSERT_TRUE(a.post("bob", channel, text));
        links->wake(b.identity.name);
    };
    LinksOf links(a, way, at_once);
    way.slow.insert(channels[0].str());
    post(links, channels[0], "m1");
    links.run([&] { return way.under_way == 1; });
    post(links, channels[0], "m2");
    post(links, channels[1], "m1");
    links.run([&] { return way.arrived[channels[1].str()] == 1; });
    post(links, channels[0], "m3");
    let_look();
    EXPECT_EQ(way.begun[channels[0].str()], 1);
    way.let_go();
    finish(links);
    EXPECT_EQ(b.texts(channels[0]), (std::vector<std::string>{"m1", "m2", "m3"}));
    EXPECT_EQ(b.texts(channels[1]), (std::vector<std::string>{"m1"}));
}

// [INBOX-4] [INBOX-7]
TEST_F(Lanes, DirectEventsGoOneAfterTheOtherAndKeepNoChannelBack)
{
    // Into a channel each that nobody of b's has anything of.
    const auto invite = [&](LinksOf& links, const std::string& localpart) {
        const auto channel = a.create("alice");
        ASSERT_TRUE(a.world.run(a.channels->invite(a.actor("alice"), channel, b.user(localpart))));
        links->wake(b.identity.name);
    };
    const auto elsewhere = channels_of_a(1).front();
    LinksOf links(a, way, at_once);
    way.slow.insert("direct");
    invite(links, "carol");
    links.run([&] { return way.under_way == 1; });
    say(links, elsewhere, "m1");
    links.run([&] { return way.arrived[elsewhere.str()] == 1; });
    invite(links, "dave");
    let_look();
    EXPECT_EQ(way.begun["direct"], 1);
    way.let_go();
    finish(links);
    EXPECT_EQ(way.begun["direct"], 2);
    ASSERT_GE(b.invited.size(), 2U);
    EXPECT_EQ(b.invited[b.invited.size() - 2], "carol@b.example");
    EXPECT_EQ(b.invited.back(), "dave@b.example");
}

// [INBOX-5] An earlier one must not be the last that is heard.
TEST_F(Lanes, SignalsDoNotOvertakeEachOther)
{
    const auto channel = channels_of_a(1).front();
    LinksOf links(a, way, at_once);
    protocol::LiveSignal typing;
    typing.channel = channel;
    typing.user = a.user("alice");
    typing.on = true;
    way.slow.insert("signals");
    links->signal(b.identity.name, typing);
    links.run([&] { return way.under_way == 1; });
    typing.on = false;
    links->signal(b.identity.name, typing);
    a.world.clock.now += 1'001;
    say(links, channel, "m1");
    links.run([&] { return way.arrived[channel.str()] == 1; });
    EXPECT_EQ(way.begun["signals"], 1);
    way.let_go();
    finish(links);
    EXPECT_EQ(way.begun["signals"], 2);
}

// [INBOX-7]
TEST_F(Lanes, NoMoreThanFourAreUnderWay)
{
    const auto channels = channels_of_a(6);
    LinksOf links(a, way, at_once);
    for (const auto& channel : channels) way.slow.insert(channel.str());
    for (std::size_t i = 0; i < channels.size(); ++i) {
        say(links, channels[i], "m1");
        links.run([&] { return way.under_way == std::min<std::size_t>(i + 1, 4); });
        let_look();
    }
    EXPECT_EQ(way.most, 4U);
    // What has no lane waits, and goes together with the first that has ended.
    way.let_go();
    finish(links);
    EXPECT_EQ(way.most, 4U);
    EXPECT_LE(way.transactions, 6U);
    expect_alike(channels);
}

// [INBOX-7] A second transaction would cost as much as the first, and spare nobody a wait.
TEST_F(Lanes, WhatIsAnsweredSoonGathersTheRest)
{
    const auto channels = channels_of_a(5);
    LinksOf links(a, way, very_patient);
    way.slow.insert(channels[0].str());
    for (const auto& channel : channels) {
        say(links, channel, "m1");
        links.run([&] { return way.under_way == 1; });
        let_look();
    }
    way.let_go();
    finish(links);
    EXPECT_EQ(way.most, 1U);
    EXPECT_EQ(way.transactions, 2U);
    expect_alike(channels);
}

// [RETRY-1] It is tried again, alone, and nobody waits for that.
TEST_F(Lanes, AChannelThatCannotBeDeliveredKeepsNoOtherBack)
{
    const auto channels = channels_of_a(2);
    const auto& poison = channels[0];
    const auto& other = channels[1];
    LinksOf links(a, way, at_once);
    way.slow.insert(poison.str());
    way.failing.insert(poison.str());
    say(links, poison, "m1");
    links.run([&] { return way.under_way == 1; });
    say(links, other, "m1");
    links.run([&] { return way.arrived[other.str()] == 1 && way.under_way == 1; });
    let_look();
    way.let_go();
    links.run([&] { return way.under_way == 0; });
    say(links, other, "m2");
    links.run([&] { return way.arrived[other.str()] == 2; });
    EXPECT_EQ(way.begun[poison.str()], 1);
    EXPECT_EQ(links->state_of(b.identity.name)->failures, 0);

    links.run([&] { return links.waits(b); });
    way.failing.clear();
    a.world.clock.now += 1'001;
    links->wake(b.identity.name);
    finish(links);
    EXPECT_EQ(b.image(poison)->hash, a.image(poison)->hash);
}

// Section 9: the wait grows by attempts, not by what they carried.
TEST_F(Lanes, LanesThatFailTogetherAreOneFailure)
{
    const auto channels = channels_of_a(4);
    LinksOf links(a, way, at_once);
    for (const auto& channel : channels) {
        way.slow.insert(channel.str());
        way.failing.insert(channel.str());
    }
    for (std::size_t i = 0; i < 3; ++i) {
        say(links, channels[i], "m1");
        links.run([&] { return way.under_way == i + 1; });
    }
    way.let_go();
    links.run([&] { return way.under_way == 0 && links.waits(b); });
    EXPECT_EQ(links->state_of(b.identity.name)->failures, 1);

    // Whether it is back is found out by one transaction.
    way.slow.insert(channels[0].str());
    links->urge(b.identity.name);
    links.run([&] { return way.under_way == 1; });
    say(links, channels[3], "m1");
    let_look();
    EXPECT_EQ(way.under_way, 1U);
    way.failing.clear();
    way.let_go();
    finish(links);
    expect_alike(channels);
}

// [INBOX-7] A channel with more than a transaction holds doesn't come first every time.
TEST_F(Lanes, ChannelsTakeTurnsWhereNotAllFit)
{
    const auto channels = channels_of_a(3);
    for (const auto& channel : channels) {
        for (int i = 0; i < 4; ++i) ASSERT_TRUE(a.post("alice", channel, "m"));
    }
    BatchLimits limits;
    limits.items = 2;
    std::set<std::string> served;
    for (std::size_t i = 0; i < channels.size(); ++i) {
        const auto draft = a.read([&](storage::Connection& db) {
            return read_batch(db, a.identity.name, b.identity.name, limits, Held{});
        });
        ASSERT_TRUE(draft);
        EXPECT_TRUE(draft->is_cut);
        ASSERT_EQ(draft->logs.size(), 1U);
        served.insert(draft->logs[0].channel.name.str());
        limits.last_log = draft->logs[0].channel.id;
    }
    EXPECT_EQ(served.size(), channels.size());
}

// What a batch says of the logs that are owed beyond it is what the next one has to look at.
TEST_F(Lanes, ABatchLooksAtTheLogsThatItIsToldAndSaysWhichItLeaves)
{
    const auto channels = channels_of_a(4);
    std::vector<std::int64_t> rows;
    for (const auto& channel : channels) {
        for (int i = 0; i < 3; ++i) ASSERT_TRUE(a.post("alice", channel, "m"));
        rows.push_back(row_of(channel));
    }
    const auto batch = [&](const BatchLimits& limits, const Held& held) {
        const auto draft = a.read([&](storage::Connection& db) {
            return read_batch(db, a.identity.name, b.identity.name, limits, held);
        });
        return draft.value();
    };
    BatchLimits limits;
    EXPECT_EQ(batch(limits, {}).logs.size(), 4U);
    EXPECT_TRUE(batch(limits, {}).logs_left.empty());

    limits.logs = std::set<std::int64_t>{rows[1], rows[2]};
    Held held;
    held.logs.insert(channels[2].str());
    const auto some = batch(limits, held);
    ASSERT_EQ(some.logs.size(), 1U);
    EXPECT_EQ(some.logs[0].channel.name, channels[1]);
    EXPECT_EQ(some.logs_left, std::set<std::int64_t>{rows[2]});

    // A log of which a part has room, and those that have none.
    limits.logs.reset();
    limits.items = 4;
    const auto cut = batch(limits, {});
    EXPECT_EQ(cut.logs.size(), 2U);
    EXPECT_EQ(cut.logs_left, (std::set<std::int64_t>{rows[1], rows[2], rows[3]}));

    // Direct events have taken all the room.
    limits.items = 0;
    EXPECT_EQ(batch(limits, {}).logs_left.size(), 4U);

    limits.logs.emplace();
    EXPECT_TRUE(batch(limits, {}).empty());
}

// Many thousand channels may be shared with a peer: they aren't all looked at for one message.
TEST_F(Lanes, ALinkThatOwedNothingLooksOnlyAtWhatHasGrown)
{
    const auto channels = channels_of_a(2);
    LinksOf links(a, way, at_once);
    say(links, channels[0], "m1");
    finish(links);

    ASSERT_TRUE(a.post("alice", channels[1], "that nobody has told the link of"));
    const auto sent = way.begun[channels[1].str()];
    for (int i = 0; i < 2; ++i) grow(links, channels[0]);
    finish(links);
    EXPECT_EQ(b.image(channels[0])->hash, a.image(channels[0])->hash);
    EXPECT_EQ(way.begun[channels[1].str()], sent);

    links->wake(b.identity.name);
    finish(links);
    EXPECT_EQ(way.begun[channels[1].str()], sent + 1);
    expect_alike(channels);
}

// What has grown while it was under way goes next, and after a failure all is looked at.
TEST_F(Lanes, ALinkForgetsNothingThatHasGrown)
{
    const auto channels = channels_of_a(3);
    LinksOf links(a, way, at_once);
    say(links, channels[0], "m1");
    finish(links);

    way.slow.insert(channels[0].str());
    grow(links, channels[0]);
    links.run([&] { return way.under_way == 1; });
    grow(links, channels[0]);
    grow(links, channels[1]);
    let_look();
    way.let_go();
    finish(links);
    expect_alike(channels);

    ASSERT_TRUE(a.post("alice", channels[2], "that nobody has told the link of"));
    way.failing.insert(channels[0].str());
    grow(links, channels[0]);
    links.run([&] { return links.waits(b); });
    way.failing.clear();
    links->heard_from(b.identity.name);
    finish(links);
    expect_alike(channels);
}

}  // namespace
}  // namespace entente::federation::log_rig
