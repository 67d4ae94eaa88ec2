// Whose pins are kept: of servers that have proven themselves, and for ever of those with which
// there is something [KEY-1, KEY-8].
#include "tests/federation/gate_rig.hpp"

namespace entente::federation {
namespace {

using testing_rig::a_test;
using testing_rig::b_test;

// Every server that is asked for has the document of one key, as under a domain with a wildcard.
class Wildcard final : public net::Fetcher {
 public:
    explicit Wildcard(Identity shown) : shown_(std::move(shown)) {}
    asio::awaitable<Result<net::FetchedResponse>> fetch(net::Fetch fetch) override
    {
        ++fetched;
        auto made = document(shown_);
        made.server = ServerName::trusted(fetch.host);
        net::FetchedResponse response;
        response.status = 200;
        response.body = protocol::write_server_document(made);
        co_return response;
    }
    int fetched = 0;

 private:
    Identity shown_;
};

class UnprovenPins : public testing_rig::GateTest {
 protected:
    UnprovenPins() { open(); }
    void open(std::size_t most = 1'000)
    {
        gate.reset();
        DiscoveryOptions options;
        options.names = us.identity.names;
        options.max_unrelated_pins = most;
        options.kept.insert(ServerName::trusted("kept.test"));
        discovery =
            std::make_unique<Discovery>(*us.tasks, way, *us.ring, *us.pins, world.clock, options);
        GateParts parts{us.identity, *discovery,  *us.nonces,  us.pool->get_executor(), *us.commits,
                        *us.tiers,   *us.budgets, world.clock, us.enforcer.get()};
        gate = std::make_unique<Gate>(parts);
    }
    std::optional<Code> ask(const std::string& name, bool is_genuine = true)
    {
        ++asked;
        const auto now = world.clock.now_s();
        const std::string target = "/federation/v1/inbox";
        net::Request request;
        request.method = "POST";
        request.target = request.path = target;
        request.body = "{}";
        request.fields = protocol::sign_request(
            them.identity.key, ServerName::trusted(name), b_test, "POST",
            is_genuine ? target : "/federation/v1/other", "{}", {now, now + 300},
            protocol::to_base64url(world.random.octets(16)));
        request.source = asio::ip::make_address("10.0." + std::to_string(asked / 20 / 250) + "." +
                                                std::to_string(asked / 20 % 250 + 1));
        auto admitted = world.run(gate->admit(request, false));
        if (admitted) return std::nullopt;
        return admitted.error().code;
    }
    std::vector<std::string> rows()
    {
        std::vector<std::string> names;
        const auto held = world.run(us.pins->all());
        for (const auto& one : held.value()) names.push_back(one.server.str());
        return names;
    }
    void execute(const std::string& sql)
    {
        auto job = [sql](storage::WriteTransaction& transaction) {
            return transaction.db().execute(sql);
        };
        ASSERT_TRUE(world.run(us.commits->write(std::move(job))));
    }

    Wildcard way{them.identity};
    std::unique_ptr<Discovery> discovery;
    std::unique_ptr<Gate> gate;
    int asked = 0;
};

// [KEY-1] [KEY-8]
TEST_F(UnprovenPins, NamesWithoutASignatureLeaveAFewInMemoryAndNoRow)
{
    const auto name = [](int i) { return "x" + std::to_string(i) + ".test"; };
    for (int i = 0; i < 10'000; ++i) ASSERT_EQ(ask(name(i), false), Code::signature_invalid) << i;
    EXPECT_EQ(way.fetched, 10'000);
    EXPECT_EQ(us.ring->size(), 0U);
    EXPECT_EQ(discovery->figures().unproven, max_unproven_pins);
    EXPECT_TRUE(rows().empty());

    // One that is held, and one that has gone.
    EXPECT_EQ(ask(name(9'999)), std::nullopt);
    EXPECT_EQ(way.fetched, 10'000);
    EXPECT_EQ(ask(name(0)), std::nullopt);
    EXPECT_EQ(way.fetched, 10'001);
    EXPECT_EQ(us.ring->size(), 2U);
    EXPECT_EQ(rows(), (std::vector<std::string>{name(0), name(9'999)}));
    EXPECT_EQ(discovery->figures().unproven, max_unproven_pins - 1);
}

TEST_F(UnprovenPins, WhomWeWantOurselvesIsPinnedWhoeverNamedItBefore)
{
    ASSERT_EQ(ask("x.test", false), Code::signature_invalid);
    ASSERT_TRUE(world.run(discovery->peer(ServerName::trusted("x.test"))));
    EXPECT_EQ(rows(), std::vector<std::string>{"x.test"});
    EXPECT_EQ(discovery->figures().unproven, 0U);
}

// [KEY-8]
TEST_F(UnprovenPins, OfStrangersTheLatestUsedStayAndOfTheOthersAll)
{
    open(3);
    for (const auto* name : {"kept.test", "member.test", "entry.test", "peer.test", "good.test"})
        ASSERT_EQ(ask(name), std::nullopt);
    EXPECT_EQ(us.ring->size(), 4U) << "nothing was known of the second yet";
    EXPECT_EQ(us.ring->find(ServerName::trusted("member.test")), nullptr);
    execute("INSERT INTO server (name) VALUES ('member.test')");
    execute(
        "INSERT INTO tier_entry (source, server, origin, tier, comment, at) "
        "VALUES (2, 'entry.test', '', 1, '', 1)");
    execute("INSERT INTO peering VALUES ('peer.test', 1, 0, 1)");
    execute(
        "INSERT INTO standing (server, first_contact, accepted, falls, fallen_until) "
        "VALUES ('good.test', 1, 1, 0, 0)");
    ASSERT_EQ(ask("member.test"), std::nullopt);
    for (const auto* name : {"s1.test", "s2.test", "s3.test", "s1.test", "s4.test", "s5.test"})
        ASSERT_EQ(ask(name), std::nullopt);
    const std::vector<std::string> stay{"entry.test", "good.test", "kept.test", "member.test",
                                        "peer.test",  "s1.test",   "s4.test",   "s5.test"};
    EXPECT_EQ(rows(), stay);
    EXPECT_EQ(us.ring->size(), stay.size());

    // After a restart the bound holds as before, by the age of the pins.
    open(2);
    ASSERT_EQ(ask("s6.test"), std::nullopt);
    EXPECT_EQ(us.ring->size(), 7U);
    EXPECT_NE(us.ring->find(ServerName::trusted("member.test")), nullptr);
    EXPECT_NE(us.ring->find(ServerName::trusted("s6.test")), nullptr);
}

}  // namespace
}  // namespace entente::federation
