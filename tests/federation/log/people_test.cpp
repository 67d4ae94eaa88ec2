// One-time keys and look-ups between servers: each key once, whoever asks and whenever; a
// repeat gets what the first got; claims are charged by tier [QRY-8, QRY-9].
#include "tests/federation/log/people_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::KeyClaim;
using Results = Result<std::vector<ClaimResult>>;

class PeopleTest : public ::testing::Test {
 protected:
    [[nodiscard]] protocol::KeyClaims claims(int count, int txn = 1, int device = 7)
    {
        protocol::KeyClaims made{device_id(txn), {}};
        made.claims.assign(static_cast<std::size_t>(count),
                           KeyClaim{b.server.user("bob"), device_id(device), "x3dh"});
        return made;
    }
    std::vector<std::string> claim(const protocol::KeyClaims& wanted,
                                   const std::string& asker = "alice")
    {
        return keys_of(servers.world.run(a.people->claim(a.server.user(asker), wanted)));
    }
    static std::vector<std::string> keys_of(const Results& results)
    {
        std::vector<std::string> keys;
        for (const auto& result : results.value())
            keys.push_back(result.problem ? std::string(protocol::code_name(result.problem->code))
                                          : result.key.key);
        return keys;
    }

    void add_fallback()
    {
        const auto uploaded =
            b.server.write([&](storage::WriteTransaction& transaction) -> Result<void> {
                auto device = storage::find_device(transaction.db(), "bob", device_id(7));
                if (!device) return fail(device);
                storage::KeyUpload upload;
                upload.fallback.push_back({"x3dh", fallback});
                return storage::upload_keys(transaction.db(), **device, upload);
            });
        ASSERT_TRUE(uploaded) << uploaded.error().detail;
    }

    const std::string fallback = R"({"fallback":1})";
    TwoPeopleServers two;
    Servers& servers = two.servers;
    PeopleServer& a = two.a;
    PeopleServer& b = two.b;
};

using Keys = std::vector<std::string>;

// [QRY-8]
TEST_F(PeopleTest, EachKeyIsGivenToOneAsker)
{
    b.add_device("bob", 7, 3);
    EXPECT_EQ(claim(claims(2)), (Keys{R"({"n":1})", R"({"n":2})"}));
    EXPECT_EQ(claim(claims(1, 2)), Keys{R"({"n":3})"});
    EXPECT_EQ(claim(claims(1, 3)), Keys{""});
}

// [QRY-8]
TEST_F(PeopleTest, TwoWhoAskAtTheSameInstantGetDifferentKeysOfWhichThereIsOne)
{
    b.add_device("bob", 7, 1);
    std::vector<Keys> given;
    const auto take = [&](const std::exception_ptr& thrown, const Results& results) {
        if (thrown) std::rethrow_exception(thrown);
        given.push_back(keys_of(results));
    };
    for (const char* asker : {"alice", "carol"})
        asio::co_spawn(servers.world.io, a.people->claim(a.server.user(asker), claims(1)), take);
    asio::co_spawn(servers.world.io, b.people->claim(b.server.user("dave"), claims(1)), take);
    servers.world.io.restart();
    while (given.size() < 3) servers.world.io.run_one();
    std::sort(given.begin(), given.end());
    EXPECT_EQ(given, (std::vector<Keys>{{""}, {""}, {R"({"n":1})"}}));
}

// [QRY-9]
TEST_F(PeopleTest, ARepeatGetsTheSameAnswerAlsoFromAServerThatWasStartedAnew)
{
    b.add_device("bob", 7, 3);
    const auto first = claim(claims(2));
    EXPECT_EQ(claim(claims(2)), first);
    b.restart();
    a.restart();
    EXPECT_EQ(claim(claims(2)), first);
    EXPECT_EQ(claim(claims(2), "carol"), (Keys{R"({"n":3})", ""}));
}

// [QRY-9]
TEST_F(PeopleTest, OtherClaimsUnderTheSameTxnAreRefusedAndTakeNothing)
{
    b.add_device("bob", 7, 4);
    protocol::KeyClaims first = claims(1);
    const auto ask = [&](const protocol::KeyClaims& wanted) {
        return servers.world
            .run(b.answer(a.server, "POST", "/federation/v1/keys/claim",
                          protocol::write_key_claims(wanted)))
            .value();
    };
    EXPECT_EQ(ask(first).status, 200);
    EXPECT_EQ(ask(claims(2)).problem->code, Code::equivocation);
    EXPECT_EQ(claim(claims(1, 3)), Keys{R"({"n":2})"});
    EXPECT_EQ(claim(claims(2, 3)), (Keys{"conflict", "conflict"}));
    EXPECT_EQ(claim(claims(2, 2)), (Keys{R"({"n":3})", R"({"n":4})"}));
}

// [QRY-9]
TEST_F(PeopleTest, ClaimsAreChargedByTierAndAFullBudgetIsEnoughForOneRequest)
{
    for (const int device : {7, 8, 9}) b.add_device("bob", device, 100);
    shared_channel(a.server, b.server);
    b.server.tier = trust::Tier::quarantined;
    EXPECT_EQ(claim(claims(4)).at(0), R"({"n":1})");
    EXPECT_EQ(claim(claims(6, 2)).at(5), R"({"n":10})");
    EXPECT_EQ(claim(claims(1, 3)), Keys{"rate-limited"});
    servers.world.clock.now += 60'000;
    // More than a minute has in all.
    EXPECT_EQ(claim(claims(40, 4, 8)).at(39), R"({"n":40})");
    servers.world.clock.now += 6'000;
    EXPECT_EQ(claim(claims(1, 5, 9)), Keys{R"({"n":1})"});
    EXPECT_EQ(claim(claims(1, 6, 9)), Keys{"rate-limited"});
    b.server.tier = trust::Tier::trusted;
    servers.world.clock.now += 1'000;
    EXPECT_EQ(claim(claims(20, 7, 9)).at(19), R"({"n":21})");
}

// [QRY-12]
TEST_F(PeopleTest, AServerThatHasNothingToDoWithTheUserGetsTheFallbackKey)
{
    b.add_device("bob", 7, 3);
    add_fallback();
    b.server.tier = trust::Tier::guest;
    EXPECT_EQ(claim(claims(2)), (Keys{fallback, fallback}));
    shared_channel(a.server, b.server);
    EXPECT_EQ(claim(claims(1, 2)), Keys{R"({"n":1})"});
}

TEST_F(PeopleTest, WhomAPolicyRefusesOneTimeKeysGetsTheFallbackKey)
{
    b.add_device("bob", 7, 3);
    add_fallback();
    b.server.tier = trust::Tier::known;
    b.server.enforce(R"({"id":"r","actions":["key.claim"],)"
                     R"("when":{"eq":["resource.id","bob@b.example"]},"effects":["deny"]})");
    EXPECT_EQ(claim(claims(1)), Keys{fallback});
    b.server.enforce(R"({"id":"r","actions":["key.claim"],)"
                     R"("effects":[{"limit":{"count":1,"seconds":60,"of":"server"}}]})");
    EXPECT_EQ(claim(claims(2, 2)), (Keys{R"({"n":1})", fallback}));
}

// [QRY-12]
TEST_F(PeopleTest, AServerThatIsKnownNeedsNoChannelWithTheUser)
{
    b.add_device("bob", 7, 3);
    add_fallback();
    b.server.tier = trust::Tier::known;
    EXPECT_EQ(claim(claims(1)), Keys{R"({"n":1})"});
}

// [QRY-12]
TEST_F(PeopleTest, AServerGetsNoMoreThanItsShareOfADevicesKeysAnHour)
{
    const auto share = static_cast<int>(max_claimed_keys_per_server);
    for (const int device : {7, 8}) b.add_device("bob", device, share + 10);
    add_fallback();
    EXPECT_NE(claim(claims(share)).back(), fallback);
    EXPECT_EQ(claim(claims(2, 2)), (Keys{fallback, fallback}));
    // Others aren't kept from the rest, nor is another device.
    EXPECT_EQ(claim(claims(1, 3, 8)), Keys{R"({"n":1})"});
    const auto own = servers.world.run(b.people->claim(b.server.user("dave"), claims(1, 4)));
    EXPECT_EQ(keys_of(own), Keys{R"({"n":51})"});
    servers.world.clock.now += 3'600'000 / share + 1;
    EXPECT_EQ(claim(claims(2, 5)), (Keys{R"({"n":52})", fallback}));
}

TEST_F(PeopleTest, TheDeviceIsToldWhenFewAreLeft)
{
    b.add_device("bob", 7, 22);
    claim(claims(2));
    EXPECT_TRUE(b.heard.lows.empty());
    claim(claims(1, 2));
    ASSERT_EQ(b.heard.lows.size(), 1U);
    EXPECT_EQ(b.heard.lows[0].left, 19);
    EXPECT_EQ(b.heard.lows[0].device, device_id(7));
    claim(claims(1, 2));
    EXPECT_EQ(b.heard.lows.size(), 1U);
}

// [QRY-10]
TEST_F(PeopleTest, AUserIsShownToOtherServersUntilHeIsSuspended)
{
    b.add_device("bob", 7);
    const auto shown = servers.world.run(a.people->look_up(b.server.user("bob")));
    ASSERT_TRUE(shown) << shown.error().detail;
    ASSERT_EQ(shown->devices.size(), 1U);
    EXPECT_EQ(shown->devices[0].device, device_id(7));
    EXPECT_EQ(servers.world.run(a.people->look_up(b.server.user("nobody"))).error().code,
              Code::not_found);
    auto done = b.server.write([](storage::WriteTransaction& transaction) {
        return transaction.db().execute(
            "UPDATE account_user SET suspended_at = 1 WHERE localpart = 'bob'");
    });
    ASSERT_TRUE(done);
    a.restart();
    EXPECT_EQ(servers.world.run(a.people->look_up(b.server.user("bob"))).error().code,
              Code::not_found);
    EXPECT_EQ(claim(claims(1)), Keys{""});
}

TEST(UserCacheTest, IsBoundedInUsersAndOctetsAndForgetsTheLeastRecentlyUsed)
{
    UserCache cache({3, 10'000, 1'000});
    const auto user = [](const std::string& name, std::size_t octets = 1) {
        return protocol::ShownUser{
            UserId::trusted(name + "@b.example"), std::string(octets, 'n'), "", {}};
    };
    for (const char* name : {"a", "b", "c"}) cache.keep(user(name), 0, 0);
    EXPECT_TRUE(cache.find(user("a").user, 1));
    cache.keep(user("d"), 0, 0);
    EXPECT_EQ(cache.size(), 3U);
    EXPECT_FALSE(cache.find(user("b").user, 1));
    EXPECT_TRUE(cache.find(user("a").user, 1));
    cache.keep(user("e", 9'700), 0, 0);
    EXPECT_LE(cache.octets(), 10'000U);
    EXPECT_TRUE(cache.find(user("e").user, 1));
    cache.keep(user("f", 20'000), 0, 0);
    EXPECT_FALSE(cache.find(user("f").user, 1));
    EXPECT_FALSE(cache.find(user("e").user, 1'000));
}

TEST(UserCacheTest, AnAnswerThatIsOlderThanAChangeIsNotKept)
{
    UserCache cache;
    const auto bob = protocol::ShownUser{UserId::trusted("bob@b.example"), "Bob", "", {}};
    const auto asked = cache.changes();
    cache.forget(bob.user);
    cache.keep(bob, asked, 0);
    EXPECT_FALSE(cache.find(bob.user, 1));
    cache.keep(bob, cache.changes(), 0);
    EXPECT_TRUE(cache.find(bob.user, 1));
}

}  // namespace
}  // namespace entente::federation::log_rig
