#include "trust/key_ring.hpp"

#include <gtest/gtest.h>

namespace entente::trust {
namespace {

using protocol::DocumentKey;
using protocol::ServerDocument;
using protocol::SigningKey;

constexpr Millis now = 1'763'683'200'000;

class KeyRingTest : public testing::Test {
 protected:
    KeyRingTest() { protocol::start_crypto(); }

    ServerDocument document_with(const std::vector<SigningKey>& keys) const
    {
        ServerDocument document;
        document.server = server;
        document.api = "https://chat.a.example";
        for (const auto& key : keys) document.keys.push_back({key.public_key(), now - 1000, 0, 0});
        document.recovery = recovery.public_key();
        return document;
    }
    KeyRef ref(const SigningKey& key) const { return KeyRef{server, key.id()}; }

    protocol::SystemRandom random;
    ServerName server = ServerName::trusted("a.example");
    SigningKey first = SigningKey::generate(random);
    SigningKey second = SigningKey::generate(random);
    SigningKey recovery = SigningKey::generate(random);
    KeyRing ring;
};

// [KEY-1]
TEST_F(KeyRingTest, FirstContactPinsTheKeysTheRecoveryKeyAndTheOldKeysWithTheirStatus)
{
    auto document = document_with({first});
    auto retired = SigningKey::generate(random);
    auto revoked = SigningKey::generate(random);
    document.old_keys.push_back({retired.public_key(), 0, now - 5000, 0});
    document.old_keys.push_back({revoked.public_key(), 0, now - 5000, now - 4000});

    EXPECT_EQ(ring.consider(document, now), PinVerdict::pinned);
    const auto* pin = ring.find(server);
    ASSERT_NE(pin, nullptr);
    EXPECT_EQ(pin->api, "https://chat.a.example");
    EXPECT_EQ(pin->recovery, recovery.public_key());
    EXPECT_EQ(pin->pinned_at, now);
    EXPECT_EQ(ring.find_key(ref(first))->status, KeyStatus::active);
    EXPECT_EQ(ring.find_key(ref(retired))->status, KeyStatus::retired);
    EXPECT_EQ(ring.find_key(ref(revoked))->status, KeyStatus::revoked);
    EXPECT_EQ(ring.request_key(ref(first), now).value(), first.public_key());
}

TEST_F(KeyRingTest, AKeyListedAsRevokedAndAsCurrentStaysRevoked)
{
    auto document = document_with({first, second});
    document.old_keys.push_back({first.public_key(), 0, now - 5000, now - 4000});
    ring.consider(document, now);
    EXPECT_EQ(ring.request_key(ref(first), now).error().code, Code::key_revoked);
    EXPECT_TRUE(ring.request_key(ref(second), now));
}

TEST_F(KeyRingTest, AKeyNobodyPinnedIsUnknown)
{
    EXPECT_EQ(ring.request_key(ref(first), now).error().code, Code::unknown_key);
    ring.consider(document_with({first}), now);
    EXPECT_EQ(ring.request_key(ref(second), now).error().code, Code::unknown_key);
    EXPECT_EQ(ring.seal_key(ref(second), now, now).error().code, Code::unknown_key);
    EXPECT_EQ(ring.find_key(ref(second)), nullptr);
}

// [KEY-2]
TEST_F(KeyRingTest, ARetiredKeySignsForSevenDaysAndNotAMillisecondLonger)
{
    auto document = document_with({second});
    document.old_keys.push_back({first.public_key(), 0, now, 0});
    ring.consider(document, now);
    EXPECT_TRUE(ring.request_key(ref(first), now + key_overlap_ms));
    EXPECT_TRUE(ring.seal_key(ref(first), now + key_overlap_ms, now));
    EXPECT_EQ(ring.request_key(ref(first), now + key_overlap_ms + 1).error().code,
              Code::key_revoked);
    EXPECT_EQ(ring.seal_key(ref(first), now, now + key_overlap_ms + 1).error().code,
              Code::key_revoked);
    EXPECT_NE(ring.find_key(ref(first)), nullptr);
}

// [KEY-9]
TEST_F(KeyRingTest, ARevokedKeySealsNothingHoweverFarItsRootIsBackDated)
{
    auto document = document_with({second});
    document.old_keys.push_back({first.public_key(), 0, now, now});
    ring.consider(document, now);
    EXPECT_EQ(ring.seal_key(ref(first), now - 1'000'000, now).error().code, Code::key_revoked);
}

TEST_F(KeyRingTest, TheSameDocumentAgrees)
{
    ring.consider(document_with({first}), now);
    EXPECT_EQ(ring.consider(document_with({first}), now + 1), PinVerdict::agrees);
    EXPECT_EQ(ring.find(server)->pinned_at, now);
}

TEST_F(KeyRingTest, ApiAndLimitsFollowADocumentThatAgrees)
{
    ring.consider(document_with({first}), now);
    auto moved = document_with({first});
    moved.api = "https://elsewhere.a.example";
    moved.limits.items = 10;
    EXPECT_EQ(ring.consider(moved, now), PinVerdict::updated);
    EXPECT_EQ(ring.find(server)->api, "https://elsewhere.a.example");
    EXPECT_EQ(ring.find(server)->limits.items, 10U);
}

// [KEY-4]
TEST_F(KeyRingTest, AChangedKeyIsAConflictThatLeavesPinsAndApi)
{
    ring.consider(document_with({first}), now);
    auto changed = document_with({second});
    changed.api = "https://thief.example";
    EXPECT_EQ(ring.consider(changed, now), PinVerdict::conflict);
    const auto* pin = ring.find(server);
    EXPECT_TRUE(pin->conflict);
    EXPECT_EQ(pin->api, "https://chat.a.example");
    EXPECT_EQ(ring.find_key(ref(second)), nullptr);
    EXPECT_TRUE(ring.request_key(ref(first), now));
    EXPECT_EQ(ring.request_key(ref(second), now).error().code, Code::key_conflict);
    EXPECT_EQ(ring.seal_key(ref(second), now, now).error().code, Code::key_conflict);
}

// [KEY-2] [KEY-4]
TEST_F(KeyRingTest, AnAddedKeyWithoutStatementsIsAConflictToo)
{
    ring.consider(document_with({first}), now);
    EXPECT_EQ(ring.consider(document_with({first, second}), now), PinVerdict::conflict);
    EXPECT_EQ(ring.find_key(ref(second)), nullptr);
}

// [KEY-4]
TEST_F(KeyRingTest, AChangedRecoveryKeyIsAConflict)
{
    ring.consider(document_with({first}), now);
    auto changed = document_with({first});
    changed.recovery = second.public_key();
    EXPECT_EQ(ring.consider(changed, now), PinVerdict::conflict);
    EXPECT_EQ(ring.find(server)->recovery, recovery.public_key());
}

TEST_F(KeyRingTest, ADocumentCantRevokeByMerelySayingSo)
{
    ring.consider(document_with({first, second}), now);
    auto claim = document_with({second});
    claim.old_keys.push_back({first.public_key(), 0, now, now});
    EXPECT_EQ(ring.consider(claim, now), PinVerdict::agrees);
    EXPECT_TRUE(ring.request_key(ref(first), now));
}

// [KEY-4]
TEST_F(KeyRingTest, AConflictEndsWhenTheDocumentAgreesAgain)
{
    ring.consider(document_with({first}), now);
    ring.consider(document_with({second}), now);
    EXPECT_EQ(ring.consider(document_with({first}), now), PinVerdict::updated);
    EXPECT_FALSE(ring.find(server)->conflict);
    EXPECT_EQ(ring.request_key(ref(second), now).error().code, Code::unknown_key);
}

// [KEY-1] [KEY-4] The administrator's word.
TEST_F(KeyRingTest, WhatIsAcceptedIsPinnedAndTheFormerKeysVerifyOldLogsOnly)
{
    ring.consider(document_with({first}), now - 5'000);
    auto changed = document_with({second});
    changed.api = "https://elsewhere.a.example";
    changed.recovery = first.public_key();
    ring.consider(changed, now);
    auto judgement = ring.accept(changed, now);
    EXPECT_TRUE(ring.find(server)->conflict);  // pure
    ring.load(std::move(judgement.server));

    EXPECT_FALSE(ring.find(server)->conflict);
    EXPECT_EQ(ring.find(server)->api, "https://elsewhere.a.example");
    EXPECT_EQ(*ring.recovery_key(server), first.public_key());
    EXPECT_TRUE(ring.request_key(ref(second), now));
    EXPECT_EQ(ring.request_key(ref(first), now).error().code, Code::key_revoked);
    EXPECT_EQ(ring.seal_key(ref(first), now - 1'000, now).error().code, Code::key_revoked);
    ASSERT_NE(ring.find_key(ref(first)), nullptr);
    EXPECT_EQ(ring.find_key(ref(first))->revoked_at, now);
    EXPECT_EQ(ring.consider(changed, now + 1), PinVerdict::agrees);
    EXPECT_EQ(ring.consider(document_with({first}), now + 2), PinVerdict::conflict);
}

TEST_F(KeyRingTest, AKeyThatTheAcceptedDocumentShowsGoesOn)
{
    ring.consider(document_with({first}), now);
    auto changed = document_with({first, second});
    changed.recovery = second.public_key();
    ring.load(ring.accept(changed, now).server);
    EXPECT_TRUE(ring.request_key(ref(first), now));
    EXPECT_TRUE(ring.request_key(ref(second), now));
}

// [KEY-4]
TEST_F(KeyRingTest, WhatIsRefusedIsNoConflictAnyMoreAndSignsNothing)
{
    ring.consider(document_with({first}), now);
    auto changed = document_with({second});
    changed.api = "https://thief.example";
    changed.recovery = second.public_key();
    ring.consider(changed, now);
    ring.load(ring.keep(changed, now).server);

    const auto* pin = ring.find(server);
    EXPECT_FALSE(pin->conflict);
    EXPECT_EQ(pin->api, "https://chat.a.example");
    EXPECT_TRUE(ring.request_key(ref(first), now));
    EXPECT_EQ(ring.request_key(ref(second), now).error().code, Code::key_conflict);
    EXPECT_EQ(ring.consider(changed, now), PinVerdict::agrees);
    EXPECT_EQ(ring.find(server)->api, "https://chat.a.example");

    // Whoever shows yet another key is told of again.
    const auto third = SigningKey::generate(random);
    EXPECT_EQ(ring.consider(document_with({third}), now), PinVerdict::conflict);
    EXPECT_EQ(ring.consider(document_with({first}), now), PinVerdict::updated);
    // And the word can be taken back.
    ring.load(ring.accept(changed, now).server);
    EXPECT_TRUE(ring.request_key(ref(second), now));
}

TEST_F(KeyRingTest, JudgingChangesNothing)
{
    ring.consider(document_with({first}), now);
    auto judgement = ring.judge(document_with({second}), now);
    EXPECT_EQ(judgement.verdict, PinVerdict::conflict);
    EXPECT_TRUE(judgement.server.conflict);
    EXPECT_FALSE(ring.find(server)->conflict);
}

}  // namespace
}  // namespace entente::trust
