// A link to a peer that puts things off: what was put off goes as soon as it may.
#include "federation/peer_links.hpp"

#include <algorithm>
#include <cctype>
#include <future>

#include <boost/asio/detached.hpp>

#include "protocol/message_signature.hpp"
#include "protocol/statement.hpp"
#include "tests/federation/log/log_rig.hpp"

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
            if (!wanted.empty() && shown.empty()) {
                put_off.status = protocol::SliceStatus::need_keys;
                put_off.kids = wanted;
            }
            result.logs.push_back(std::move(put_off));
        }
        slices += sent->logs.size();
        net::FetchedResponse response;
        response.status = 200;
        response.body = protocol::write_result(result, peer_.world.clock.now_ms());
        for (auto& [name, value] :
             protocol::sign_answer(peer_.identity.key, peer_.identity.name, response.status,
                                   response.body, signature_of(fetch), peer_.world.clock.now_s())) {
            std::ranges::transform(name, name.begin(), [](unsigned char c) {
                return static_cast<char>(std::tolower(c));
            });
            response.fields.emplace_back(name, value);
        }
        co_return response;
    }

    std::size_t slices = 0;
    std::vector<std::string> wanted;  // keys that it asks for
    std::vector<protocol::ShownKey> shown;

 private:
    static std::string signature_of(const net::Fetch& fetch)
    {
        for (const auto& [name, value] : fetch.fields) {
            if (name == "Signature" || name == "signature") return value;
        }
        return "";
    }

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
    ~Link() override
    {
        run([this] { return links.running() == 0 || stop(); });
    }

    template <class Condition>
    void run(Condition is_met)
    {
        a.world.io.restart();
        while (!is_met()) ASSERT_GT(a.world.io.run_one(), 0U) << "nothing happens any more";
    }
    bool stop()
    {
        if (!has_stopped) asio::co_spawn(a.world.io, a.tasks->stop(), asio::detached);
        has_stopped = true;
        return false;
    }
    bool waits() const
    {
        const auto state = links.state_of(b.identity.name);
        return state && state->next_try > 0;
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    ChannelId channel;
    Deferring peer{b};
    SignedClient client{a.identity, *a.discovery, peer, a.world.clock, a.world.random};
    PeerLinks links{{a.identity,
                     *a.discovery,
                     client,
                     *a.settlement,
                     *a.commits,
                     a.null_log,
                     a.world.clock,
                     a.world.random,
                     {},
                     {},
                     {},
                     {}},
                    *a.tasks};
    bool has_stopped = false;
};

// Found by the simulation: nobody else would have come for it before the next heartbeat.
// [LOG-2]
TEST_F(Link, AHoldThatEndsWhileABatchIsReadIsNoneAnyMore)
{
    links.wake(b.identity.name);
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
    links.wake(b.identity.name);
    run([this] { return !waits(); });
    a.world.io.poll();
    a.world.clock.now += 2;
    free.set_value();
    run([this] { return peer.slices == 2 || links.running() == 0; });
    EXPECT_EQ(peer.slices, 2U);
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
    links.wake(b.identity.name);
    run([this] { return peer.slices == 2 || links.running() == 0; });
    ASSERT_EQ(peer.shown.size(), 1U);
    EXPECT_EQ(peer.shown[0].key_x, fresh.public_key().x());
    EXPECT_EQ(peer.shown[0].statements, statements);
}

}  // namespace
}  // namespace entente::federation::log_rig
