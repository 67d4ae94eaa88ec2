#include "tests/federation/discovery_rig.hpp"

namespace entente::federation {
namespace {

// [KEY-1]
TEST_F(DiscoveryTest, FirstContactFetchesAndPins)
{
    auto found = peer();
    ASSERT_TRUE(found) << found.error().detail;
    EXPECT_EQ(found->api, "https://a.test");
    EXPECT_EQ(found->recovery, them.identity.recovery);
    ASSERT_EQ(found->keys.size(), 1U);
    EXPECT_EQ(found->keys[0].key, them.identity.key.public_key());
    EXPECT_EQ(us.notices, std::vector<std::string>{"a.test pinned"});
}

// [DISC-2]
TEST_F(DiscoveryTest, ADelegationIsFollowedOnce)
{
    them.served = text_response(200, R"({"delegate":"https://chat.a.test"})");
    auto found = peer();
    ASSERT_TRUE(found) << found.error().detail;
    EXPECT_EQ(them.fetched, 2);
}

// [DISC-2]
TEST_F(DiscoveryTest, ADelegationToADelegationIsUnusable)
{
    them.served = text_response(200, R"({"delegate":"https://chat.a.test"})");
    them.served_by_delegate = them.served;
    auto found = peer();
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Code::malformed);
    EXPECT_EQ(them.fetched, 2);
    EXPECT_EQ(us.ring->find(a_test), nullptr);
}

// [DISC-2]
TEST_F(DiscoveryTest, AFetchThatTakesTooLongIsAFailure)
{
    EXPECT_LE(federation::DiscoveryOptions{}.fetch_time, std::chrono::seconds(10));
    us.discovery_options.fetch_time = std::chrono::milliseconds(50);
    us.restart();
    them.hold =
        std::make_unique<asio::steady_timer>(world.io, asio::steady_timer::time_point::max());
    auto found = peer();
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Code::timeout);
    them.hold->cancel();
}

// [DISC-1] [DISC-2] [DISC-6]
TEST_F(DiscoveryTest, WhatIsNoUsableDocumentPinsNothing)
{
    auto other_name = document(them.identity);
    other_name.server = ServerName::trusted("c.test");
    auto without_keys = document(them.identity);
    without_keys.keys.clear();
    auto redirect = text_response(302, "");
    redirect.fields.emplace_back("location", "https://chat.a.test/.well-known/entente");
    std::vector<net::Response> answers{
        text_response(200, "not json"),
        text_response(200, protocol::write_server_document(other_name)),
        text_response(200, protocol::write_server_document(without_keys)),
        text_response(200, std::string(protocol::max_document_octets + 1, ' ')),
        text_response(404, ""),
        text_response(500, protocol::write_server_document(document(them.identity))),
        redirect,
    };
    for (const auto& answer : answers) {
        them.served = answer;
        EXPECT_FALSE(peer()) << answer.body;
        EXPECT_EQ(us.ring->find(a_test), nullptr);
        world.clock.advance(3'600'000);
    }
    EXPECT_EQ(them.fetched, static_cast<int>(answers.size()));
}

// [DISC-3]
TEST_F(DiscoveryTest, AnAddressThatIsNotAllowedIsNotConnectedTo)
{
    us.guard = net::AddressGuard{};
    us.restart();
    auto found = peer();
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Code::forbidden);
    EXPECT_EQ(them.fetched, 0);
}

// [DISC-4]
TEST_F(DiscoveryTest, ADocumentIsCachedForExactlyItsMaxAge)
{
    them.identity.max_age = 600;
    ASSERT_TRUE(peer());
    world.clock.advance(599'999);
    ASSERT_TRUE(peer());
    EXPECT_EQ(them.fetched, 1);
    world.clock.advance(1);
    ASSERT_TRUE(peer());
    EXPECT_EQ(them.fetched, 2);
}

// [DISC-4]
TEST_F(DiscoveryTest, MaxAgeIsClampedToAMinuteAndADay)
{
    them.identity.max_age = 1;
    ASSERT_TRUE(peer());
    world.clock.advance(59'999);
    ASSERT_TRUE(peer());
    EXPECT_EQ(them.fetched, 1);
    them.identity.max_age = 1'000'000'000;
    world.clock.advance(1);
    ASSERT_TRUE(peer());
    EXPECT_EQ(them.fetched, 2);
    world.clock.advance(24 * 3'600'000);
    ASSERT_TRUE(peer());
    EXPECT_EQ(them.fetched, 3);
}

// [DISC-4]
TEST_F(DiscoveryTest, BeyondMaxAgeThePinGoesOnWhileFetchingFails)
{
    ASSERT_TRUE(peer());
    them.served = text_response(503, "");
    world.clock.advance(30LL * 24 * 3'600'000);
    auto found = peer();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->api, "https://a.test");
    EXPECT_EQ(them.fetched, 2);
}

// [DISC-4]
TEST_F(DiscoveryTest, AFailureIsRememberedForTenSecondsDoublingToAnHour)
{
    them.served = text_response(503, "");
    int fetches = 0;
    for (Millis window : {10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600}) {
        EXPECT_FALSE(peer());
        EXPECT_EQ(them.fetched, ++fetches);
        world.clock.advance(window * 1000 - 1);
        auto remembered = peer();
        ASSERT_FALSE(remembered);
        EXPECT_EQ(remembered.error().retry_after, 1);
        EXPECT_EQ(them.fetched, fetches);
        world.clock.advance(1);
    }
}

// [DISC-4]
TEST_F(DiscoveryTest, HearingFromAServerEndsTheMemoryOfItsFailure)
{
    them.served = text_response(503, "");
    EXPECT_FALSE(peer());
    them.served.reset();
    EXPECT_FALSE(peer());
    us.discovery->heard_from(a_test);
    EXPECT_TRUE(peer());
    EXPECT_EQ(them.fetched, 2);
}

// [DISC-4]
TEST_F(DiscoveryTest, ManyWhoWaitShareOneFetch)
{
    them.hold =
        std::make_unique<asio::steady_timer>(world.io, asio::steady_timer::time_point::max());
    int found = 0;
    for (int i = 0; i < 50; ++i) {
        asio::co_spawn(
            world.io, us.discovery->peer(a_test),
            [&](const std::exception_ptr& thrown, const Result<trust::PinnedServer>& pin) {
                if (!thrown && pin) ++found;
            });
    }
    while (them.fetched == 0) world.io.run_one();
    EXPECT_EQ(us.discovery->figures().under_way, 1U);
    them.hold->cancel();
    while (found < 50) world.io.run_one();
    EXPECT_EQ(them.fetched, 1);
    EXPECT_EQ(us.discovery->figures().fetches, 1U);
}

// What this server looks up for itself, and who comes to it, don't keep each other out.
TEST_F(DiscoveryTest, FetchesForRequestsHavePlacesOfTheirOwn)
{
    Node other(world, "c.test");
    us.discovery_options.max_under_way = 1;
    us.restart();
    them.hold =
        std::make_unique<asio::steady_timer>(world.io, asio::steady_timer::time_point::max());
    bool is_found = false;
    asio::co_spawn(
        world.io, us.discovery->peer(a_test),
        [&](const std::exception_ptr&, const Result<trust::PinnedServer>&) { is_found = true; });
    while (them.fetched == 0) world.io.run_one();
    EXPECT_FALSE(peer(other.identity.name));
    EXPECT_EQ(other.fetched, 0);
    EXPECT_TRUE(request_key(other.key_ref()));
    EXPECT_EQ(other.fetched, 1);
    them.hold->cancel();
    while (!is_found) world.io.run_one();
}

TEST_F(DiscoveryTest, StoppingEndsAFetchAndWhoWaitsForIt)
{
    them.hold =
        std::make_unique<asio::steady_timer>(world.io, asio::steady_timer::time_point::max());
    std::optional<Result<trust::PinnedServer>> outcome;
    asio::co_spawn(world.io, us.discovery->peer(a_test),
                   [&](const std::exception_ptr&, Result<trust::PinnedServer> pin) {
                       outcome = std::move(pin);
                   });
    while (them.fetched == 0) world.io.run_one();
    world.run(us.tasks->stop());
    while (!outcome) world.io.run_one();
    EXPECT_FALSE(*outcome);
    // And nothing starts any more, nor waits for ever.
    EXPECT_FALSE(peer());
    them.hold->cancel();
}

TEST_F(DiscoveryTest, MemoryStaysBoundedForAHundredThousandUnknownNames)
{
    // Refused by the guard: as quick as a failure can be.
    asio::ip::tcp::endpoint nowhere{asio::ip::make_address("10.0.0.1"), 443};
    for (int i = 0; i < 100'000; ++i) world.places["n" + std::to_string(i) + ".test"] = nowhere;
    us.discovery_options.max_remembered = 100;
    us.restart();
    for (int i = 0; i < 100'000; ++i) {
        auto found = peer(ServerName::trusted("n" + std::to_string(i) + ".test"));
        ASSERT_FALSE(found);
        ASSERT_EQ(found.error().code, Code::forbidden) << found.error().detail;
    }
    EXPECT_EQ(us.discovery->figures().remembered, 100U);
    EXPECT_EQ(us.discovery->figures().under_way, 0U);
    EXPECT_EQ(us.ring->size(), 0U);
}

TEST_F(DiscoveryTest, AnUnknownServersKeyIsLookedUpAndThenKnown)
{
    auto key = request_key(them.key_ref());
    ASSERT_TRUE(key) << key.error().detail;
    EXPECT_EQ(*key, them.identity.key.public_key());
    EXPECT_TRUE(request_key(them.key_ref()));
    EXPECT_EQ(them.fetched, 1);
}

// [KEY-5]
TEST_F(DiscoveryTest, AKeyIsUnknownOnlyAfterALook)
{
    auto key = request_key(made_up_key());
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, Code::unknown_key);
    EXPECT_EQ(them.fetched, 1);
}

// [KEY-5]
TEST_F(DiscoveryTest, WhereNoFetchIsPossibleTheKeyIsUnavailable)
{
    them.served = text_response(503, "");
    auto key = request_key(them.key_ref());
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, Code::key_unavailable);
    EXPECT_GE(key.error().retry_after, 1);
}

// [KEY-5] [KEY-8]
TEST_F(DiscoveryTest, OneSourceAddressCausesOneFetchAMinuteForAKnownServer)
{
    ASSERT_TRUE(peer());
    EXPECT_EQ(request_key(made_up_key()).error().code, Code::unknown_key);
    auto second = request_key(made_up_key());
    EXPECT_EQ(second.error().code, Code::key_unavailable);
    EXPECT_EQ(second.error().retry_after, 60);
    world.clock.advance(59'999);
    EXPECT_EQ(request_key(made_up_key()).error().code, Code::key_unavailable);
    EXPECT_EQ(them.fetched, 2);
    world.clock.advance(1);
    EXPECT_EQ(request_key(made_up_key()).error().code, Code::unknown_key);
    EXPECT_EQ(them.fetched, 3);
}

// [KEY-8] Many servers may share an address, but nobody makes us fetch without end.
TEST_F(DiscoveryTest, OneSourceAddressBringsThirtyNewServersAMinute)
{
    const auto key = protocol::SigningKey::generate(world.random).id();
    const auto most = federation::DiscoveryOptions{}.first_fetches_per_source;
    for (std::int64_t i = 0; i < most; ++i) {
        const auto name = ServerName::trusted("new" + std::to_string(i) + ".test");
        EXPECT_EQ(request_key(KeyRef{name, key}).error().code, Code::key_unavailable);
    }
    const auto before = us.discovery->figures().fetches;
    EXPECT_EQ(before, static_cast<std::uint64_t>(most));
    EXPECT_EQ(request_key(KeyRef{ServerName::trusted("late.test"), key}).error().code,
              Code::key_unavailable);
    EXPECT_EQ(us.discovery->figures().fetches, before);
    // Another address is none the worse for it.
    const auto other = asio::ip::make_address("192.0.2.2");
    ASSERT_FALSE(request_key(KeyRef{ServerName::trusted("late.test"), key}, other));
    EXPECT_EQ(us.discovery->figures().fetches, before + 1);
}

// [KEY-5] [KEY-8]
TEST_F(DiscoveryTest, OneServerIsFetchedFiveTimesAMinuteForUnknownKeys)
{
    auto from = [](int i) { return asio::ip::make_address("192.0.2." + std::to_string(i)); };
    for (int i = 1; i <= 5; ++i) {
        EXPECT_EQ(request_key(made_up_key(), from(i)).error().code, Code::unknown_key);
    }
    EXPECT_EQ(request_key(made_up_key(), from(7)).error().code, Code::key_unavailable);
    world.clock.advance(59'999);
    EXPECT_EQ(request_key(made_up_key(), from(6)).error().code, Code::key_unavailable);
    EXPECT_EQ(them.fetched, 5);
    world.clock.advance(1);
    // The address wasn't charged for the fetch that didn't happen.
    EXPECT_EQ(request_key(made_up_key(), from(6)).error().code, Code::unknown_key);
    EXPECT_EQ(them.fetched, 6);
}

TEST_F(DiscoveryTest, AStrangerCantLengthenTheMemoryOfAFailure)
{
    them.served = text_response(503, "");
    EXPECT_FALSE(peer());
    for (int i = 1; i <= 5; ++i) {
        auto from = asio::ip::make_address("192.0.2." + std::to_string(i));
        EXPECT_EQ(request_key(made_up_key(), from).error().code, Code::key_unavailable);
    }
    them.served.reset();
    world.clock.advance(10'000);
    EXPECT_TRUE(peer());
}

// [KEY-4]
TEST_F(DiscoveryTest, AChangedKeyIsNeverSilentlyAccepted)
{
    auto old_key = them.key_ref();
    ASSERT_TRUE(peer());
    std::vector<std::string> shown;
    us.discovery->on_conflict([&](const ServerName& server, const std::string& document) {
        EXPECT_EQ(server, a_test);
        shown.push_back(document);
    });
    serve_changed_key();
    auto key = request_key(them.key_ref());
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, Code::key_conflict);
    ASSERT_EQ(shown.size(), 1U);
    EXPECT_NE(shown[0].find(them.key_ref().key.str()), std::string::npos)
        << "the document that has the other key: " << shown[0];
    EXPECT_TRUE(request_key(old_key));
    EXPECT_EQ(us.notices.back(), "a.test key-conflict");

    world.clock.advance(24 * 3'600'000);
    auto found = peer();
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->conflict);
    EXPECT_EQ(found->api, "https://a.test");
    EXPECT_EQ(world.run(us.discovery->seal_key(them.key_ref(), 0)).error().code,
              Code::key_conflict);
    EXPECT_FALSE(world.run(us.discovery->log_key(them.key_ref())));
}

// [KEY-1] [KEY-4]
TEST_F(DiscoveryTest, PinsAndConflictsOutliveARestart)
{
    auto old_key = them.key_ref();
    auto first = peer();
    ASSERT_TRUE(first);
    us.restart();
    ASSERT_NE(us.ring->find(a_test), nullptr);
    EXPECT_EQ(*us.ring->find(a_test), *first);
    EXPECT_TRUE(request_key(old_key));
    EXPECT_EQ(them.fetched, 1);

    // What changed while we were away is measured against what we had pinned before.
    serve_changed_key();
    EXPECT_TRUE(peer()->conflict);
    us.restart();
    EXPECT_TRUE(us.ring->find(a_test)->conflict);
    EXPECT_EQ(request_key(them.key_ref()).error().code, Code::key_conflict);
    EXPECT_TRUE(request_key(old_key));
}

// [KEY-4]
TEST_F(DiscoveryTest, AConflictEndsDurablyWhenTheDocumentAgreesAgain)
{
    auto honest = them.identity;
    ASSERT_TRUE(peer());
    serve_changed_key();
    world.clock.advance(24 * 3'600'000);
    ASSERT_TRUE(peer()->conflict);
    them.identity = honest;
    world.clock.advance(24 * 3'600'000);
    EXPECT_FALSE(peer()->conflict);
    EXPECT_EQ(us.notices.back(), "a.test key-conflict-ended");
    us.restart();
    EXPECT_FALSE(us.ring->find(a_test)->conflict);
}

// [KEY-7]
TEST_F(DiscoveryTest, ALogsKeyIsFoundWhateverItsStatus)
{
    auto revoked = protocol::SigningKey::generate(world.random);
    them.identity.old_keys.push_back({revoked.public_key(), 0, 1000, 1000});
    KeyRef ref{a_test, revoked.id()};
    auto key = world.run(us.discovery->log_key(ref));
    ASSERT_TRUE(key) << key.error().detail;
    EXPECT_EQ(key->status, trust::KeyStatus::revoked);
    EXPECT_EQ(request_key(ref).error().code, Code::key_revoked);
    EXPECT_EQ(world.run(us.discovery->seal_key(ref, 0)).error().code, Code::key_revoked);
}

}  // namespace
}  // namespace entente::federation
