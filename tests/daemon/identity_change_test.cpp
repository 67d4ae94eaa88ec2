// What `ententctl identity` does to the keys, judged as other servers judge it: by what they
// pinned and what the document says.
#include "daemon/identity_change.hpp"

#include <gtest/gtest.h>

#include "daemon/key_memory.hpp"
#include "protocol/octets.hpp"
#include "protocol/statement.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/daemon/scratch_folder.hpp"
#include "trust/key_ring.hpp"

namespace entente::daemon {
namespace {

using protocol::KeyRef;
using protocol::Millis;
using protocol::SigningKey;

constexpr Millis start = 1'763'683'200'000;
constexpr Millis hour = 3'600'000;

class IdentityChange : public testing::Test {
 protected:
    IdentityChange() { look(); }

    static protocol::SystemRandom started()
    {
        protocol::start_crypto();
        return {};
    }
    static Identity make(protocol::Random& random, const protocol::PublicKey& recovery)
    {
        return Identity{protocol::ServerName::trusted("a.example"),
                        SigningKey::generate(random),
                        start,
                        recovery,
                        {},
                        {}};
    }
    // A peer fetches the document; whether it agrees with what it has pinned.
    bool look(trust::KeyRing& looking)
    {
        protocol::ServerDocument document;
        document.server = identity.server;
        document.api = "https://a.example";
        document.keys.push_back({identity.current.public_key(), identity.from, 0, 0});
        document.old_keys = identity.old_keys;
        document.recovery = identity.recovery;
        document.statements = identity.statements;
        looking.consider(document, now);
        return !looking.find(identity.server)->conflict && signs(looking, identity.current.id());
    }
    bool look() { return look(peer); }
    bool signs(const trust::KeyRing& by, const protocol::KeyId& id)
    {
        return by.request_key(KeyRef{identity.server, id}, now).has_value();
    }
    Result<void> rotate_key(const SigningKey* by = nullptr)
    {
        return rotate(identity, by, random, now);
    }
    Result<void> revoke_key(const protocol::KeyId& id, std::optional<Millis> at = {},
                            const SigningKey* by = nullptr)
    {
        return revoke(identity, {id, at, "a test"}, by, now);
    }

    protocol::SystemRandom random = started();
    SigningKey recovery = SigningKey::generate(random);
    Identity identity = make(random, recovery.public_key());
    trust::KeyRing peer;
    Millis now = start + hour;
};

TEST_F(IdentityChange, PeersFollowARotation)
{
    const auto first = identity.current.id();
    ASSERT_TRUE(rotate_key());
    EXPECT_NE(identity.current.id(), first);
    ASSERT_EQ(identity.old_keys.size(), 1U);
    EXPECT_EQ(identity.old_keys[0].until, identity.from);
    EXPECT_TRUE(look());
    EXPECT_TRUE(signs(peer, first));
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(rotate_key());
    EXPECT_TRUE(look());
    trust::KeyRing newcomer;
    EXPECT_TRUE(look(newcomer));
}

TEST_F(IdentityChange, StatementsAreLaterThanThoseBefore)
{
    ASSERT_TRUE(rotate_key());
    ASSERT_TRUE(rotate_key());
    EXPECT_EQ(identity.from, now + 1);
    now -= 61'000;
    const auto before = write_identity(identity);
    EXPECT_EQ(rotate_key().error().code, Code::conflict);
    EXPECT_EQ(write_identity(identity), before);
}

TEST_F(IdentityChange, ARevokedKeySignsNothingAndItsSecretIsGone)
{
    const auto stolen = identity.current.id();
    ASSERT_TRUE(rotate_key());
    ASSERT_TRUE(look());
    EXPECT_NE(identity.secret_of(stolen), nullptr);
    ASSERT_TRUE(revoke_key(stolen));
    EXPECT_EQ(identity.secret_of(stolen), nullptr);
    EXPECT_EQ(identity.old_keys[0].revoked_at, now);
    EXPECT_TRUE(look());
    EXPECT_FALSE(signs(peer, stolen));
    EXPECT_EQ(revoke_key(stolen).error().code, Code::conflict);
}

// [KEY-13]
TEST_F(IdentityChange, OnlyTheRecoveryKeyDatesBackAndPeersFollowAllTheSame)
{
    const auto stolen = identity.current.id();
    ASSERT_TRUE(rotate_key());
    ASSERT_TRUE(look());
    now += hour;
    EXPECT_EQ(revoke_key(stolen, now - 1).error().code, Code::forbidden);
    // To before the rotation that the stolen key has signed.
    ASSERT_TRUE(revoke_key(stolen, start + 1, &recovery));
    EXPECT_TRUE(look());
    EXPECT_FALSE(signs(peer, stolen));
    trust::KeyRing newcomer;
    EXPECT_TRUE(look(newcomer));
    // Further back is possible yet, nothing else.
    EXPECT_EQ(revoke_key(stolen, start + 2, &recovery).error().code, Code::conflict);
    EXPECT_TRUE(revoke_key(stolen, start, &recovery));
}

TEST_F(IdentityChange, WhatCantBeRevokedIsRefusedAndNothingChanges)
{
    const auto before = write_identity(identity);
    EXPECT_EQ(revoke_key(identity.current.id()).error().code, Code::conflict);
    EXPECT_EQ(revoke_key(recovery.id()).error().code, Code::not_found);
    EXPECT_EQ(write_identity(identity), before);
    const auto old = identity.current.id();
    ASSERT_TRUE(rotate_key());
    EXPECT_EQ(revoke_key(old, now + 60'001).error().code, Code::malformed);
    EXPECT_EQ(revoke_key(old, 0, &recovery).error().code, Code::malformed);
    const auto by_reason = [&](const std::string& reason) {
        return revoke(identity, {old, {}, reason}, nullptr, now);
    };
    EXPECT_EQ(by_reason(std::string(201, 'x')).error().code, Code::malformed);
    EXPECT_EQ(by_reason("\xff").error().code, Code::malformed);
    EXPECT_TRUE(by_reason("a \"laptop\", é"));
}

// [KEY-2] The thief rotates the stolen key first, and a peer hears of that first.
TEST_F(IdentityChange, ARotationByTheRecoveryKeyEndsATheft)
{
    const auto stolen = identity.current;
    const auto thief = SigningKey::generate(random);
    const auto theirs = protocol::make_rotation(identity.server, stolen.id(), thief, now, stolen);
    auto judgement = peer.judge(identity.server, {theirs}, now);
    peer.load(std::move(judgement->server));
    ASSERT_TRUE(signs(peer, thief.id()));
    now += hour;
    ASSERT_TRUE(rotate_key());
    EXPECT_FALSE(look());
    now += hour;
    ASSERT_TRUE(rotate_key(&recovery));
    EXPECT_TRUE(look());
    EXPECT_FALSE(signs(peer, thief.id()));
    ASSERT_TRUE(revoke_key(stolen.id(), start, &recovery));
    EXPECT_TRUE(look());
    EXPECT_FALSE(signs(peer, stolen.id()));
}

// [LOG-10] Keys were restored from an older copy; the newest are lost.
TEST_F(IdentityChange, AServerThatLostNewerKeysIsFollowedAfterARotationByTheRecoveryKey)
{
    const auto older = identity;
    ASSERT_TRUE(rotate_key());
    ASSERT_TRUE(look());
    const auto lost = identity.current.id();
    identity = older;
    now += hour;
    auto wrongly = identity;
    ASSERT_TRUE(rotate(wrongly, nullptr, random, now));
    std::swap(identity, wrongly);
    EXPECT_FALSE(look());
    std::swap(identity, wrongly);
    ASSERT_TRUE(rotate_key(&recovery));
    EXPECT_TRUE(look());
    EXPECT_FALSE(signs(peer, lost));
}

TEST_F(IdentityChange, ANewRecoveryKeyTakesThePlaceOfTheOld)
{
    auto fresh = replace_recovery(identity, recovery, random, now);
    ASSERT_TRUE(fresh);
    EXPECT_EQ(identity.recovery, fresh->public_key());
    EXPECT_TRUE(look());
    EXPECT_EQ(*peer.recovery_key(identity.server), fresh->public_key());
    now += hour;
    ASSERT_TRUE(rotate_key(&*fresh));
    EXPECT_TRUE(look());
    auto by_the_old = identity;
    ASSERT_TRUE(rotate(by_the_old, &recovery, random, now + hour));
    std::swap(identity, by_the_old);
    now += hour;
    EXPECT_FALSE(look());
}

TEST_F(IdentityChange, ASecretIsThatOfTheRecoveryKeyInForce)
{
    const auto secret = protocol::to_base64url(recovery.seed());
    EXPECT_EQ(recovery_key(identity, secret)->id(), recovery.id());
    EXPECT_EQ(recovery_key(identity, "").error().code, Code::malformed);
    EXPECT_EQ(recovery_key(identity, secret + "A").error().code, Code::malformed);
    EXPECT_EQ(recovery_key(identity, protocol::to_base64url(std::string(32, 'x'))).error().code,
              Code::forbidden);
    ASSERT_TRUE(replace_recovery(identity, recovery, random, now));
    EXPECT_EQ(recovery_key(identity, secret).error().code, Code::forbidden);
}

class KeyMemory : public IdentityChange {
 protected:
    KeyMemory()
    {
        auto opened = database->open_writer();
        EXPECT_TRUE(opened);
        db = std::move(*opened);
    }
    Code remembered()
    {
        auto done = remember_newest(*db, identity);
        return done ? Code::internal : done.error().code;
    }

    static constexpr Code yes = Code::internal;
    ScratchFolder scratch;
    std::unique_ptr<storage::Database> database = storage::make_sqlite_database(scratch / "db");
    std::unique_ptr<storage::Connection> db;
};

TEST_F(KeyMemory, WhatChangedSinceItWasRememberedIsForTheAuditLog)
{
    const auto change = [&]() -> std::string {
        const auto told = key_change(*db, identity);
        EXPECT_TRUE(told);
        if (!*told) return "none";
        EXPECT_EQ((*told)->act, "identity.change");
        EXPECT_EQ((*told)->object, identity.server.str());
        return (*told)->details;
    };
    const auto with_key = [&](const std::string& statements) {
        return R"({"key":")" + identity.current.id().str() + R"(","statements":[)" + statements +
               "]}";
    };
    EXPECT_EQ(change(), "none") << "before the first start";
    EXPECT_EQ(remembered(), yes);
    EXPECT_EQ(change(), "none");
    ASSERT_TRUE(rotate_key());
    EXPECT_EQ(change(), with_key(R"("rotation")"));
    ASSERT_TRUE(rotate_key());
    EXPECT_EQ(change(), with_key(R"("rotation","rotation")"));
    EXPECT_EQ(remembered(), yes);
    EXPECT_EQ(change(), "none");
    ASSERT_TRUE(rotate_key());
    EXPECT_EQ(change(), with_key(R"("rotation")")) << "only what is new";
}

// [LOG-10]
TEST_F(KeyMemory, AnOlderCopyOfTheFolderShows)
{
    const auto first = identity;
    EXPECT_EQ(remembered(), yes);
    ASSERT_TRUE(rotate_key());
    const auto second = identity;
    EXPECT_EQ(remembered(), yes);
    EXPECT_EQ(remembered(), yes);
    identity = first;
    EXPECT_EQ(remembered(), Code::forbidden);
    // Nor does it help to go on from there.
    now += hour;
    ASSERT_TRUE(rotate_key());
    EXPECT_EQ(remembered(), Code::forbidden);
    identity = second;
    EXPECT_EQ(remembered(), yes);
}

TEST_F(KeyMemory, ALostRevocationShowsThoughItIsDatedBack)
{
    const auto old = identity.current.id();
    ASSERT_TRUE(rotate_key());
    const auto before = identity;
    ASSERT_TRUE(revoke_key(old, start, &recovery));
    EXPECT_EQ(remembered(), yes);
    const auto after = std::exchange(identity, before);
    EXPECT_EQ(remembered(), Code::forbidden);
    // The recovery key stands for rotations without making them others.
    identity = after;
    now += hour;
    ASSERT_TRUE(rotate_key(&recovery));
    EXPECT_EQ(remembered(), yes);
}

TEST_F(KeyMemory, TheRecoveryKeyPutsANewKeyInThePlaceOfLostOnes)
{
    const auto first = identity;
    ASSERT_TRUE(rotate_key());
    EXPECT_EQ(remembered(), yes);
    identity = first;
    now += hour;
    ASSERT_TRUE(rotate_key(&recovery));
    EXPECT_EQ(remembered(), yes);
    identity = first;
    EXPECT_EQ(remembered(), Code::forbidden);
}

// [LOG-10] [KEY-4] Others know the newer recovery key, and would see a conflict.
TEST_F(KeyMemory, AReplacedRecoveryKeyPutsNothingInThePlaceOfLostOnes)
{
    EXPECT_TRUE(look());
    EXPECT_EQ(remembered(), yes);
    const auto first = identity;
    const auto fresh = replace_recovery(identity, recovery, random, now);
    ASSERT_TRUE(fresh);
    EXPECT_TRUE(look());
    EXPECT_EQ(remembered(), yes);
    identity = first;
    now += hour;
    ASSERT_TRUE(rotate_key(&recovery));
    EXPECT_EQ(remembered(), Code::forbidden);
    EXPECT_FALSE(look());

    identity = first;
    ASSERT_TRUE(take_up_recovery(*db, identity));
    EXPECT_EQ(identity.recovery, fresh->public_key());
    ASSERT_TRUE(rotate_key(&*fresh));
    EXPECT_EQ(remembered(), yes);
    EXPECT_TRUE(look());
}

TEST_F(KeyMemory, AFolderThatIsNotOlderKeepsItsRecoveryKey)
{
    ASSERT_TRUE(take_up_recovery(*db, identity));
    EXPECT_EQ(identity.recovery, recovery.public_key());
    EXPECT_EQ(remembered(), yes);
    const auto fresh = replace_recovery(identity, recovery, random, now);
    ASSERT_TRUE(fresh);
    ASSERT_TRUE(take_up_recovery(*db, identity));
    EXPECT_EQ(identity.recovery, fresh->public_key());
    EXPECT_EQ(remembered(), yes);
}

}  // namespace
}  // namespace entente::daemon
