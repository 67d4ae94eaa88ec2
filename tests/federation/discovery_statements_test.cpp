// What statements about keys do to what is found out of servers.
#include "tests/federation/discovery_rig.hpp"

namespace entente::federation {
namespace {

TEST_F(DiscoveryTest, ARotatedKeyIsFoundByItsStatementAndTheOldOneServesOn)
{
    ASSERT_TRUE(peer());
    auto old_key = rotate();
    EXPECT_TRUE(request_key(them.key_ref()));
    EXPECT_EQ(us.notices.back(), "a.test key-statements");
    EXPECT_FALSE(us.ring->find(a_test)->conflict);
    EXPECT_TRUE(request_key(old_key));
    us.restart();
    EXPECT_TRUE(request_key(them.key_ref()));
    EXPECT_TRUE(request_key(old_key));
    EXPECT_EQ(us.ring->find_key(old_key)->status, trust::KeyStatus::retired);
    EXPECT_EQ(them.fetched, 2);
    world.clock.advance(trust::key_overlap_ms + 1);
    EXPECT_EQ(request_key(old_key).error().code, Code::key_revoked);
    EXPECT_TRUE(world.run(us.discovery->log_key(old_key)));
}

// [KEY-6]
TEST_F(DiscoveryTest, HandedOnStatementsCountAndAreKept)
{
    ASSERT_TRUE(peer());
    rotate();
    EXPECT_TRUE(us.discovery->statements_of(a_test).empty());
    ASSERT_TRUE(world.run(us.discovery->hear_statements(a_test, them.identity.statements)));
    EXPECT_EQ(us.discovery->statements_of(a_test), them.identity.statements);
    EXPECT_TRUE(request_key(them.key_ref()));
    EXPECT_EQ(them.fetched, 1);
    us.restart();
    EXPECT_EQ(us.discovery->statements_of(a_test), them.identity.statements);
    EXPECT_TRUE(request_key(them.key_ref()));
}

TEST_F(DiscoveryTest, HandedOnStatementsOfAStrangerPinNothing)
{
    rotate();
    ASSERT_TRUE(world.run(us.discovery->hear_statements(a_test, them.identity.statements)));
    EXPECT_EQ(us.ring->find(a_test), nullptr);
    EXPECT_TRUE(us.discovery->statements_of(a_test).empty());
    EXPECT_EQ(them.fetched, 0);
}

// Both judge the pin as it was; neither may put back what the other has added.
TEST_F(DiscoveryTest, StatementsThatComeAtTheSameTimeAreAllKept)
{
    ASSERT_TRUE(peer());
    for (int i = 0; i < 4; ++i) {
        rotate();
        world.clock.advance(1);
    }
    std::size_t done = 0;
    for (const auto& statement : them.identity.statements) {
        asio::co_spawn(world.io, us.discovery->hear_statements(a_test, {statement}),
                       [&](const std::exception_ptr&, const Result<void>& heard) {
                           EXPECT_TRUE(heard);
                           ++done;
                       });
    }
    while (done < 4) world.io.run_one();
    EXPECT_EQ(us.discovery->statements_of(a_test).size(), 4U);
    EXPECT_TRUE(request_key(them.key_ref()));
    us.restart();
    EXPECT_EQ(us.discovery->statements_of(a_test).size(), 4U);
}

// [KEY-10]
// A thief was first; only the document has the recovery key's word against him.
TEST_F(DiscoveryTest, AKeyThatLostIsLookedUpAnew)
{
    auto recovery = protocol::SigningKey::generate(world.random);
    them.identity.recovery = recovery.public_key();
    ASSERT_TRUE(peer());
    const auto& stolen = them.identity.key;
    auto thief = protocol::SigningKey::generate(world.random);
    auto theirs = protocol::make_rotation(a_test, stolen.id(), thief, world.clock.now_ms(), stolen);
    ASSERT_TRUE(world.run(us.discovery->hear_statements(a_test, {theirs})));
    rotate();
    EXPECT_EQ(request_key(them.key_ref()).error().code, Code::key_conflict);

    auto& ours = them.identity.statements.back();
    ours = protocol::sign_again(protocol::reread_statement(ours).value(), recovery);
    world.clock.advance(60'000);
    EXPECT_TRUE(request_key(them.key_ref()));
    EXPECT_EQ(us.notices.back(), "a.test key-conflict-ended");
    EXPECT_EQ(request_key(KeyRef{a_test, thief.id()}).error().code, Code::key_revoked);
}

// [KEY-1] [KEY-4]
TEST_F(DiscoveryTest, WhatTheAdministratorAcceptsIsPinnedDurably)
{
    ASSERT_TRUE(peer());
    const auto old_key = them.key_ref();
    serve_changed_key();
    them.identity.recovery = protocol::SigningKey::generate(world.random).public_key();
    EXPECT_EQ(request_key(them.key_ref()).error().code, Code::key_conflict);
    const auto shown = them.identity.recovery.thumbprint();

    // Not without a look at what it is that is accepted.
    const auto blind = world.run(us.discovery->accept_keys(a_test, std::nullopt));
    ASSERT_FALSE(blind);
    EXPECT_EQ(blind.error().code, Code::conflict);
    EXPECT_NE(blind.error().hint.find(shown.str()), std::string::npos) << blind.error().hint;
    EXPECT_FALSE(world.run(us.discovery->accept_keys(a_test, old_key.key)));
    EXPECT_TRUE(us.ring->find(a_test)->conflict);

    EXPECT_EQ(world.run(us.discovery->accept_keys(a_test, shown)), true);
    EXPECT_EQ(us.notices.back(), "a.test key-conflict-ended");
    us.restart();
    EXPECT_TRUE(request_key(them.key_ref()));
    EXPECT_EQ(request_key(old_key).error().code, Code::key_revoked);
    EXPECT_TRUE(world.run(us.discovery->log_key(old_key)));
    EXPECT_EQ(world.run(us.discovery->accept_keys(a_test, std::nullopt)), false);
}

// [KEY-4]
TEST_F(DiscoveryTest, WhatTheAdministratorRefusesIsNoConflictAnyMoreDurably)
{
    ASSERT_TRUE(peer());
    const auto old_key = them.key_ref();
    serve_changed_key();
    EXPECT_EQ(request_key(them.key_ref()).error().code, Code::key_conflict);
    EXPECT_EQ(world.run(us.discovery->keep_keys(a_test)), true);
    EXPECT_EQ(us.notices.back(), "a.test key-conflict-ended");
    us.restart();
    world.clock.advance(24 * 3'600'000);
    const auto held = peer();
    EXPECT_FALSE(held->conflict);
    EXPECT_EQ(held->api, "https://a.test");
    EXPECT_EQ(request_key(them.key_ref()).error().code, Code::key_conflict);
    EXPECT_TRUE(request_key(old_key));
}

TEST_F(DiscoveryTest, OnlyOfPinnedServersThereIsAnythingToSettle)
{
    EXPECT_EQ(world.run(us.discovery->keep_keys(a_test)).error().code, Code::not_found);
    EXPECT_EQ(them.fetched, 0);
    ASSERT_TRUE(peer());
    EXPECT_EQ(world.run(us.discovery->keep_keys(a_test)), false);
    them.served = text_response(503, "");
    EXPECT_FALSE(world.run(us.discovery->keep_keys(a_test)));
}

}  // namespace
}  // namespace entente::federation
