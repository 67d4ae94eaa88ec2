// What an entry is shown with: marks for display, which the fold doesn't look at [EVT-7,
// KEY-7, MEM-2, MEM-4, LOG-6].
#include "federation/discovery/vouching.hpp"
#include "protocol/server_document.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::Mark;
using protocol::OutgoingTransaction;
using protocol::SliceStatus;

constexpr Millis day_ms = Millis{24} * 3600 * 1000;
constexpr std::uint8_t unmarked = 0;

class Marks : public ::testing::Test {
 protected:
    Marks() : channel(shared_channel(a, b, "all"))
    {
        EXPECT_TRUE(a.append(a.event(
            channel, {"member.invite", "alice@a.example", R"({"user":"carol@c.example"})"})));
        EXPECT_EQ(hand_in(c, a, channel, {c.event(channel, {"member.join", "carol@c.example"})})
                      .at(0)
                      .status,
                  protocol::ItemStatus::accepted);
        settle_all(a, b);
        held = b.image(channel)->seq;
    }

    // The marks of the newest entry as bob's programs see them.
    [[nodiscard]] std::uint8_t newest()
    {
        auto page = b.world.run(b.channels->page_before(b.user("bob"), channel, 1'000'000, {1}));
        if (!page || page->empty()) throw std::runtime_error("no page");
        // Either way of reading says the same.
        auto after =
            b.world.run(b.channels->page_after(b.user("bob"), channel, page->back().seq - 1, {1}));
        EXPECT_EQ(after.value().back().marks, page->back().marks);
        return page->back().marks;
    }
    SliceStatus send(const OutgoingTransaction& transaction)
    {
        return deliver(a, b, transaction).status;
    }
    void post_by_carol()
    {
        ASSERT_EQ(
            hand_in(c, a, channel, {c.event(channel, {"message.create", "carol@c.example", hello})})
                .at(0)
                .status,
            protocol::ItemStatus::accepted);
    }
    // The last entry of the home's log, changed and signed by the home.
    template <class Change>
    OutgoingTransaction changed(Change change)
    {
        auto made = slice(a, channel, b.image(channel)->seq, all_entries);
        change(made.logs[0].entries.back());
        rechain(made.logs[0]);
        sign_anew(a, made);
        return made;
    }
    Hash newest_id() { return a.entries(channel, 0).back().event_id; }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
    std::int64_t held = 0;
};

TEST_F(Marks, WhatIsInOrderHasNone)
{
    post_by_carol();
    ASSERT_EQ(send(slice(a, channel, held, all_entries)), SliceStatus::ok);
    EXPECT_EQ(newest(), unmarked);
    ASSERT_TRUE(a.post("alice", channel, "hello"));
    ASSERT_EQ(send(slice(a, channel, held, all_entries)), SliceStatus::ok);
    EXPECT_EQ(newest(), unmarked);
}

// [EVT-7]
TEST_F(Marks, ASealADayFromTheEntryIsInOrder)
{
    post_by_carol();
    ASSERT_EQ(send(changed([](protocol::Entry& entry) { entry.at += day_ms; })), SliceStatus::ok);
    EXPECT_EQ(newest(), unmarked);
}

// [EVT-7]
TEST_F(Marks, ASealMoreThanADayFromTheEntryIsLate)
{
    post_by_carol();
    ASSERT_EQ(send(changed([](protocol::Entry& entry) { entry.at += day_ms + 1; })),
              SliceStatus::ok);
    EXPECT_EQ(newest(), protocol::bit(Mark::late));
    b.restart();
    EXPECT_EQ(newest(), protocol::bit(Mark::late));
}

// [MEM-2]
TEST_F(Marks, WhatTheHomeShouldNotHaveTakenIsShownAsSuch)
{
    ASSERT_TRUE(a.post("alice", channel, "in its place"));
    const auto forbidden =
        a.event(channel, {"channel.update", "eve@a.example", R"({"name":"mine"})"});
    const auto made = changed([&](protocol::Entry& entry) {
        entry.event = forbidden.event;
        entry.content = forbidden.content;
    });
    const auto state = b.image(channel)->state;
    ASSERT_EQ(send(made), SliceStatus::ok);
    EXPECT_EQ(newest(), protocol::bit(Mark::no_effect));
    EXPECT_EQ(b.image(channel)->state, state);
}

// [LOG-1]
TEST_F(Marks, ABrokenFormIsShownAsWithoutEffect)
{
    ASSERT_TRUE(a.post("alice", channel, "in its place"));
    auto broken = a.event(channel, {"message.create", "alice@a.example", hello});
    broken.event.replace(broken.event.find("\"v\":1"), 5, "\"v\":1.5");
    ASSERT_EQ(send(changed([&](protocol::Entry& entry) {
                  entry.event = broken.event;
                  entry.content = broken.content;
              })),
              SliceStatus::ok);
    EXPECT_EQ(newest(), protocol::bit(Mark::no_effect));
}

// [EVT-2] A home may not let what its users have said once count again, nor bring back what they
// have deleted since.
TEST_F(Marks, WhatTheLogHoldsAlreadyHasNoSecondEffectAndNoContent)
{
    const auto name = [&](const std::string& text) {
        return a.event(channel,
                       {"channel.update", "alice@a.example", R"({"name":")" + text + "\"}"});
    };
    const auto first = name("first");
    ASSERT_TRUE(a.append(first));
    ASSERT_TRUE(a.append(name("second")));
    settle_all(a, b);
    const auto before = *b.image(channel);
    ASSERT_TRUE(a.post("alice", channel, "hello"));
    ASSERT_EQ(send(changed([&](protocol::Entry& entry) {
                  entry.event = first.event;
                  entry.content = first.content;
              })),
              SliceStatus::ok);
    EXPECT_EQ(b.image(channel)->seq, before.seq + 1);
    EXPECT_EQ(b.image(channel)->state, before.state);
    const auto again = b.entries(channel, before.seq).at(0).entry;
    EXPECT_EQ(again.marks, protocol::bit(Mark::no_effect));
    EXPECT_FALSE(again.content);
}

// [KEY-7]
TEST_F(Marks, AKeyThatHadBeenRevokedIsMarkedAndOneRevokedLaterIsNot)
{
    post_by_carol();
    const auto at = a.entries(channel, 0).back().entry.at;
    const auto revoke_at = [&](Millis when) {
        auto pinned = *b.ring->find(c.identity.name);
        pinned.keys[0].status = trust::KeyStatus::revoked;
        pinned.keys[0].revoked_at = when;
        b.ring->load(pinned);
    };
    revoke_at(at + 1);
    ASSERT_EQ(send(slice(a, channel, held, all_entries)), SliceStatus::ok);
    EXPECT_EQ(newest(), unmarked);
    post_by_carol();
    revoke_at(at);
    ASSERT_EQ(send(slice(a, channel, held, all_entries)), SliceStatus::ok);
    EXPECT_EQ(newest(), protocol::bit(Mark::key_revoked));
}

TEST_F(Marks, AKeyReplacedForMoreThanAWeekIsMarked)
{
    post_by_carol();
    const auto at = a.entries(channel, 0).back().entry.at;
    auto pinned = *b.ring->find(c.identity.name);
    pinned.keys[0].status = trust::KeyStatus::retired;
    pinned.keys[0].until = at - trust::key_overlap_ms;
    b.ring->load(pinned);
    ASSERT_EQ(send(slice(a, channel, held, all_entries)), SliceStatus::ok);
    EXPECT_EQ(newest(), unmarked);
    servers.world.clock.now += 1;
    post_by_carol();
    ASSERT_EQ(send(slice(a, channel, held, all_entries)), SliceStatus::ok);
    EXPECT_EQ(newest(), protocol::bit(Mark::key_retired));
}

// --- contents that are gone -------------------------------------------------------------

// [LOG-12]
TEST_F(Marks, AContentThatIsSimplyMissingIsWithheld)
{
    ASSERT_TRUE(a.post("alice", channel, "secret"));
    ASSERT_EQ(send(changed([](protocol::Entry& entry) { entry.content.reset(); })),
              SliceStatus::ok);
    EXPECT_EQ(newest(), protocol::bit(Mark::withheld));
}

TEST_F(Marks, ExpiredUnderKeepIsWithheld)
{
    ASSERT_TRUE(a.post("alice", channel, "secret"));
    ASSERT_EQ(send(changed([](protocol::Entry& entry) {
                  entry.content.reset();
                  entry.expired = true;
              })),
              SliceStatus::ok);
    EXPECT_EQ(newest(), protocol::bit(Mark::withheld));
}

// [MEM-4]
TEST_F(Marks, ADeletionCountsWhereItIsOneOfThisMessage)
{
    ASSERT_TRUE(a.post("alice", channel, "mine"));
    const auto first = newest_id();
    ASSERT_TRUE(a.post("alice", channel, "other"));
    Server::Wish wish{"message.delete", "alice@a.example"};
    wish.target = first;
    ASSERT_TRUE(a.append(a.event(channel, wish)));
    const auto deletion = a.image(channel)->seq;
    auto made = slice(a, channel, held, all_entries);
    auto& entries = made.logs[0].entries;
    for (const auto i : {0U, 1U}) {
        entries[i].content.reset();
        entries[i].deleted_by = deletion;
    }
    rechain(made.logs[0]);
    sign_anew(a, made);
    ASSERT_EQ(send(made), SliceStatus::ok);
    auto page = b.world.run(b.channels->page_after(b.user("bob"), channel, held, {10}));
    ASSERT_TRUE(page);
    ASSERT_EQ(page->size(), 3U);
    EXPECT_EQ((*page)[0].marks, unmarked);
    EXPECT_EQ((*page)[1].marks, protocol::bit(Mark::withheld));
}

// --- vouched ----------------------------------------------------------------------------

class Vouched : public Marks {
 protected:
    Vouched()
    {
        // c is gone for good, and nobody here ever knew it.
        b.close();
        std::erase_if(b.pins, [&](const trust::PinnedServer& pinned) {
            return pinned.server == c.identity.name;
        });
        b.open();
        post_by_carol();
    }
    [[nodiscard]] OutgoingTransaction with_key(const Server& shown, const PublicKey& key)
    {
        auto made = slice(a, channel, held, all_entries);
        made.logs[0].keys.push_back({shown.identity.name, key.x(), {}});
        return made;
    }
};

// [LOG-6]
TEST_F(Vouched, TheHomeShowsWhatItKnowsAndTheLogGoesOn)
{
    auto settled = exchange(a, b);
    ASSERT_TRUE(settled);
    const auto& wanted = settled->keys_wanted.at(channel.str());
    EXPECT_EQ(wanted, std::vector<std::string>{c.identity.key_ref().str()});
    EXPECT_EQ(b.image(channel)->seq, held);
    Held shows;
    shows.keys[channel.str()] = {{c.identity.name, c.identity.key.public_key().x(), {}}};
    ASSERT_TRUE(exchange(a, b, shows));
    EXPECT_EQ(b.image(channel)->hash, a.image(channel)->hash);
    EXPECT_EQ(newest(), protocol::bit(Mark::unverified));
    b.restart();
    EXPECT_EQ(newest(), protocol::bit(Mark::unverified));
    EXPECT_EQ(b.ring->find(c.identity.name), nullptr);
}

// [LOG-6]
TEST_F(Vouched, OnceTheServerShowsTheKeyItselfTheEntryIsAsAllOthers)
{
    ASSERT_EQ(send(with_key(c, c.identity.key.public_key())), SliceStatus::ok);
    Vouching vouching(*b.discovery, *b.commits, b.identity.names, b.null_log);
    auto looked = b.world.run(vouching.look());
    ASSERT_TRUE(looked);
    EXPECT_EQ(*looked, 0U);
    EXPECT_EQ(newest(), protocol::bit(Mark::unverified));
    b.pin(c);
    looked = b.world.run(vouching.look());
    ASSERT_TRUE(looked);
    EXPECT_EQ(*looked, 1U);
    EXPECT_EQ(newest(), unmarked);
}

// Whatever is asked for, it is a server's document.
class DocumentOnly final : public net::Fetcher {
 public:
    explicit DocumentOnly(Identity shown) : shown_(std::move(shown)) {}
    asio::awaitable<Result<net::FetchedResponse>> fetch(net::Fetch) override
    {
        net::FetchedResponse response;
        response.status = 200;
        response.body = protocol::write_server_document(document(shown_));
        co_return response;
    }

 private:
    Identity shown_;
};

// [LOG-6] The administrator hears of it once: either has lied.
TEST_F(Vouched, AKeyThatItsServerDoesNotShowIsTold)
{
    ASSERT_EQ(send(with_key(c, c.identity.key.public_key())), SliceStatus::ok);
    auto other = c.identity;
    other.key = protocol::SigningKey::generate(b.world.random);
    auto pinned = trust::PinnedServer{};
    pinned.server = other.name;
    pinned.api = other.api;
    pinned.keys.push_back({other.key.public_key(), trust::KeyStatus::active, 0, 0, 0});
    pinned.recovery = other.recovery;
    b.ring->load(pinned);
    DocumentOnly way(other);
    Discovery discovery(*b.tasks, way, *b.ring, *b.pin_store, b.world.clock, DiscoveryOptions{});
    HeardLog heard;
    Vouching vouching(discovery, *b.commits, b.identity.names, heard);
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(b.world.run(vouching.look()));
        b.world.clock.now += 3'600'000;
    }
    ASSERT_EQ(heard.lines.size(), 1U);
    EXPECT_EQ(heard.lines[0].fields.at("key"), c.identity.key_ref().str());
    EXPECT_EQ(newest(), protocol::bit(Mark::unverified));
}

TEST_F(Vouched, AnotherKeyThanTheOneThatSealedHelpsNothing)
{
    EXPECT_EQ(send(with_key(c, a.identity.key.public_key())), SliceStatus::need_keys);
    EXPECT_EQ(send(with_key(a, c.identity.key.public_key())), SliceStatus::need_keys);
    EXPECT_EQ(b.image(channel)->seq, held);
}

// [LOG-6] Who shows each another identity must not be able to end a channel for others.
TEST_F(Vouched, OfAPinnedServerToo)
{
    auto pinned = trust::PinnedServer{};
    pinned.server = c.identity.name;
    pinned.api = c.identity.api;
    pinned.keys.push_back({b.identity.key.public_key(), trust::KeyStatus::active, 0, 0, 0});
    pinned.recovery = c.identity.recovery;
    b.ring->load(pinned);
    ASSERT_EQ(send(with_key(c, c.identity.key.public_key())), SliceStatus::ok);
    EXPECT_EQ(newest(), protocol::bit(Mark::unverified));
    // What is pinned stays as it is.
    EXPECT_EQ(b.ring->find_key(c.identity.key_ref()), nullptr);
}

// [LOG-6]
TEST_F(Vouched, TheHomesOwnCheckpointIsNever)
{
    b.close();
    b.pins.clear();
    b.open();
    auto made = with_key(c, c.identity.key.public_key());
    made.logs[0].keys.push_back({a.identity.name, a.identity.key.public_key().x(), {}});
    EXPECT_EQ(send(made), SliceStatus::deferred);
    EXPECT_EQ(b.image(channel)->seq, held);
}

}  // namespace
}  // namespace entente::federation::log_rig
