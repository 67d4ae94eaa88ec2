// A link to a peer that puts things off: what was put off goes as soon as it may.
#include <future>

#include "protocol/statement.hpp"
#include "tests/federation/log/link_rig.hpp"

namespace entente::federation::log_rig {
namespace {

// The peer's inbox: asks for keys, then puts off each slice for a second.
class Deferring final : public net::Fetcher {
 public:
    explicit Deferring(Server& peer) : peer_(peer) {}

    asio::awaitable<Result<net::FetchedResponse>> fetch(net::Fetch fetch) override
    {
        if (fetch.method != "POST") co_return fail(Code::unavailable, "nothing but the inbox");
        auto sent = protocol::parse_transaction(fetch.body, protocol::TransactionLimits{},
                                                peer_.identity.names);
        if (!sent) co_return fail(sent);
        protocol::TransactionResult result;
        for (const auto& slice : sent->logs) {
            protocol::SliceResult put_off;
            put_off.channel = slice.value->channel.str();
            put_off.status = protocol::SliceStatus::deferred;
            put_off.retry_after = 1;
            shown = slice.value->keys;
            const auto lacks = [&](const std::string& kid) {
                return std::ranges::none_of(
                    shown, [&](const auto& key) { return key.ref()->str() == kid; });
            };
            // One after the other, as it comes to what they have sealed.
            const auto lacked = std::ranges::find_if(wanted, lacks);
            if (lacked != wanted.end()) {
                put_off.status = protocol::SliceStatus::need_keys;
                put_off.kids = {*lacked};
            }
            result.logs.push_back(std::move(put_off));
        }
        for (const auto& direct : sent->direct) {
            protocol::EventResult said;
            said.event = protocol::event_id(direct.value->event);
            const bool puts_off = direct.value->event.find(puts_off_for) != std::string::npos;
            said.status =
                puts_off ? protocol::ItemStatus::deferred : protocol::ItemStatus::accepted;
            said.retry_after = puts_off ? 60 : 0;
            result.direct.push_back(std::move(said));
            (puts_off ? put_off_direct : taken_direct) += 1;
        }
        slices += sent->logs.size();
        auto body = protocol::write_result(result, peer_.world.clock.now_ms());
        co_return signed_answer(peer_, fetch, 200, std::move(body));
    }

    std::size_t slices = 0;
    std::string puts_off_for = "carl@b.example";  // direct events
    std::size_t put_off_direct = 0;
    std::size_t taken_direct = 0;
    std::vector<std::string> wanted;  // keys that it asks for
    std::vector<protocol::ShownKey> shown;

 private:
    Server& peer_;
};

class Link : public ::testing::Test {
 protected:
    Link() : channel(a.create("alice", "all"))
    {
        EXPECT_TRUE(
            a.world.run(a.channels->invite(a.actor("alice"), channel, b.user("bob"))).has_value());
        settle_all(a, b);
        EXPECT_TRUE(a.world.run(b.channels->join(b.actor("bob"), channel)).has_value());
        settle_all(b, a);
        EXPECT_TRUE(a.post("alice", channel, "more"));
    }
    template <class Condition>
    void run(Condition is_met)
    {
        links.run(is_met);
    }
    [[nodiscard]] bool waits() const { return links.waits(b); }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId channel;
    Deferring peer{b};
    LinksOf links{a, peer, std::chrono::milliseconds(50)};
};

// A list of strangers starts no link for each of them.
TEST_F(Link, OfThoseThatAreFreedOnlyWhoIsOwedSomethingGetsALink)
{
    std::vector<ServerName> freed;
    for (int i = 0; i < 1'000; ++i)
        freed.push_back(ServerName::trusted("s" + std::to_string(i) + ".example"));
    links->moved(freed);
    EXPECT_EQ(links->running(), 0U);
    freed.push_back(b.identity.name);
    links->moved(freed);
    run([this] { return links->running() > 0; });
    EXPECT_EQ(links->running(), 1U);
    EXPECT_TRUE(links->state_of(b.identity.name));
    run([this] { return waits(); });
    EXPECT_EQ(peer.slices, 1U);
}

// Found by the simulation: nobody else would have come for it before the next heartbeat.
// [LOG-2]
TEST_F(Link, AHoldThatEndsWhileABatchIsReadIsNoneAnyMore)
{
    links->wake(b.identity.name);
    run([this] { return waits(); });
    ASSERT_EQ(peer.slices, 1U);

    // The readers have something else to do.
    std::promise<void> free;
    const auto until_free = free.get_future().share();
    const auto occupy = [until_free](storage::Connection&) -> Result<int> {
        until_free.wait();
        return 0;
    };
    for (std::size_t i = 0; i < storage::GroupCommitOptions{}.readers; ++i)
        asio::co_spawn(a.world.io, a.commits->read(occupy), asio::detached);
    a.world.clock.now += 999;
    links->wake(b.identity.name);
    run([this] { return !waits(); });
    a.world.io.poll();
    a.world.clock.now += 2;
    free.set_value();
    run([this] { return peer.slices == 2 || links->running() == 0; });
    EXPECT_EQ(peer.slices, 2U);
}

// [INBOX-4] A user's direct events don't wait for what is put off for another's.
TEST_F(Link, ADirectEventThatIsPutOffHoldsBackItsReceiversAlone)
{
    const auto invite = [this](const char* user) {
        ASSERT_TRUE(a.world.run(
            a.channels->invite(a.actor("alice"), a.create("alice", "all"), b.user(user))));
        links->wake(b.identity.name);
    };
    invite("carl");
    run([this] { return peer.put_off_direct == 1 && waits(); });
    invite("dora");
    run([this] { return peer.taken_direct == 1 && waits(); });
    invite("carl");
    invite("emil");
    run([this] { return peer.taken_direct == 2 && waits(); });
    EXPECT_EQ(peer.put_off_direct, 1U);
    a.world.clock.now += 61'000;
    peer.puts_off_for = "nobody";
    links->wake(b.identity.name);
    run([this] { return peer.taken_direct == 4 && waits(); });
    EXPECT_TRUE(a.outgoing_direct(b).empty());
}

// [LOG-6] For who knows the author's server by an earlier key.
TEST_F(Link, StatementsGoWithTheKeysThatAreAskedFor)
{
    auto& c = servers.c;
    const auto fresh = protocol::SigningKey::generate(a.world.random);
    const std::vector<std::string> statements = {protocol::make_rotation(
        c.identity.name, c.identity.key.id(), fresh, a.world.clock.now_ms(), c.identity.key)};
    ASSERT_TRUE(a.world.run(a.discovery->hear_statements(c.identity.name, statements)));
    peer.wanted = {KeyRef{c.identity.name, fresh.id()}.str()};
    links->wake(b.identity.name);
    run([this] { return peer.slices == 2 || links->running() == 0; });
    ASSERT_EQ(peer.shown.size(), 1U);
    EXPECT_EQ(peer.shown[0].key_x, fresh.public_key().x());
    EXPECT_EQ(peer.shown[0].statements, statements);
}

// [LOG-6] Found by the simulation: the log stood still where a server had sealed with a second key.
TEST_F(Link, KeysThatAreAskedForLaterAreShownToo)
{
    const auto of = [](const Server& server) { return server.identity.key_ref().str(); };
    peer.wanted = {of(b), of(servers.c)};
    links->wake(b.identity.name);
    run([this] { return peer.slices == 3 || links->running() == 0; });
    std::vector<std::string> shown;
    for (const auto& key : peer.shown) shown.push_back(key.ref()->str());
    EXPECT_EQ(shown, peer.wanted);
}

// [LOG-6] Nobody makes it ask again and again for what isn't known here.
TEST_F(Link, AKeyThatIsNotKnownHereIsWaitedForLikeAnythingThatIsRefused)
{
    const auto unknown = protocol::SigningKey::generate(a.world.random);
    peer.wanted = {servers.c.identity.key_ref().str(),
                   KeyRef{servers.c.identity.name, unknown.id()}.str()};
    links->wake(b.identity.name);
    run([this] { return waits() || links->running() == 0; });
    EXPECT_TRUE(waits());
    EXPECT_EQ(peer.slices, 2U);
}

}  // namespace
}  // namespace entente::federation::log_rig
