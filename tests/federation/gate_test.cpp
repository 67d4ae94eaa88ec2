#include "federation/gate/gate.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "protocol/problem.hpp"
#include "protocol/statement.hpp"
#include "tests/federation/gate_rig.hpp"

namespace entente::federation {
namespace {

using protocol::SigningTime;
using testing_rig::a_test;
using testing_rig::b_test;
using testing_rig::Draft;
using testing_rig::GateTest;
using testing_rig::passes;
using testing_rig::text_response;

TEST_F(GateTest, ACorrectRequestIsAdmittedAsItsServer)
{
    auto request = sign({});
    auto who = admit(request);
    ASSERT_TRUE(who) << who.error().detail;
    EXPECT_EQ(who->origin, a_test);
    EXPECT_EQ(who->key, them.key_ref());
    EXPECT_EQ(who->tier, trust::Tier::guest);
    EXPECT_EQ(who->signature_field, request.field("signature").value_or(""));
}

TEST_F(GateTest, AGetWithoutABodyIsAdmitted)
{
    Draft draft;
    draft.method = "GET";
    draft.target = "/federation/v1/channels/x@b.test/log?after=0&limit=10";
    draft.body = "";
    EXPECT_EQ(refusal(draft), passes);
}

// [INBOX-6]
TEST_F(GateTest, SizesABodyAtTheLimitPassesAndOneOctetMoreIsTooLarge)
{
    us.identity.limits.bytes = 100;
    Draft draft;
    draft.body = std::string(100, ' ');
    EXPECT_EQ(refusal(draft), passes);
    draft.body += ' ';
    EXPECT_EQ(refusal(draft), Code::too_large);
}

// [NAME-3]
TEST_F(GateTest, SyntaxWhatIsEscapedWithoutNeedIsMalformed)
{
    EXPECT_TRUE(check_path("/federation/v1/users/alice@b.test"));
    EXPECT_TRUE(check_path("/a%2Fb"));
    EXPECT_TRUE(check_path("/a%20b%C3%A9"));
    for (const char* path : {"/alice%40b.test", "/%61", "/a%2Eb", "/a%", "/a%4", "/a%zz", "/%7E"}) {
        auto checked = check_path(path);
        ASSERT_FALSE(checked) << path;
        EXPECT_EQ(checked.error().code, Code::malformed);
    }
    Draft draft;
    draft.target = "/federation/v1/users/%61lice";
    EXPECT_EQ(refusal(draft), Code::malformed);
}

// [SIG-13]
TEST_F(GateTest, SyntaxWithoutASignatureItIsIncomplete)
{
    auto request = sign({});
    std::erase_if(request.fields, [](const auto& field) { return field.first == "signature"; });
    EXPECT_EQ(refusal(request), Code::signature_incomplete);
    request.fields.clear();
    EXPECT_EQ(refusal(request), Code::signature_incomplete);
}

// [SIG-1] [SIG-2] [SIG-13]
TEST_F(GateTest, SyntaxEachComponentAndParameterIsNeeded)
{
    for (const char* part : {"\"@method\" ", "\"@path\" ", "\"@query\" ",
                             "\"entente-destination\" ", "\"content-type\" "}) {
        auto request = sign({});
        edit(request, "signature-input", part, "");
        EXPECT_EQ(refusal(request), Code::signature_incomplete) << part;
    }
    for (const char* part : {";created=", ";expires=", ";nonce=", ";keyid=", ";tag="}) {
        auto request = sign({});
        edit(request, "signature-input", part, std::string{";x"} + (part + 1));
        EXPECT_EQ(refusal(request), Code::signature_incomplete) << part;
    }
}

// [SIG-9]
TEST_F(GateTest, SyntaxWhatIsNotCanonicalOrStandsTwiceIsMalformed)
{
    auto spaced = sign({});
    edit(spaced, "signature-input", "\" \"", "\"  \"");
    EXPECT_EQ(refusal(spaced), Code::malformed);
    auto twice = sign({});
    twice.fields.emplace_back("signature", std::string{twice.field("signature").value_or("")});
    EXPECT_EQ(refusal(twice), Code::malformed);
    auto upper = sign({});
    edit(upper, "signature-input", "keyid=\"a.test", "keyid=\"A.test");
    EXPECT_EQ(refusal(upper), Code::malformed);
}

// [SIG-5]
TEST_F(GateTest, DestinationAnotherServersRequestIsNotOurs)
{
    Draft draft;
    draft.destination = ServerName::trusted("c.test");
    EXPECT_EQ(refusal(draft), Code::wrong_destination);
}

// [SIG-3] [SIG-12]
TEST_F(GateTest, WindowIsInclusiveOnEachSide)
{
    auto at = [this](protocol::Seconds created, protocol::Seconds lifetime) {
        Draft draft;
        draft.created = created;
        draft.lifetime = lifetime;
        return refusal(draft);
    };
    EXPECT_EQ(at(-300, 300), passes);
    EXPECT_EQ(at(-301, 300), Code::clock_skew);
    EXPECT_EQ(at(-301, 301), Code::clock_skew);
    EXPECT_EQ(at(60, 300), passes);
    EXPECT_EQ(at(61, 300), Code::clock_skew);
    EXPECT_EQ(at(0, 301), Code::clock_skew);
    EXPECT_EQ(at(-10, 10), passes);
    EXPECT_EQ(at(-10, 9), Code::clock_skew);
    EXPECT_EQ(at(0, -1), Code::clock_skew);
}

// [SIG-3]
TEST_F(GateTest, WindowTheProblemSaysOurTime)
{
    Draft draft;
    draft.created = 61;
    auto response = pass(sign(draft));
    EXPECT_EQ(response.status, 401);
    EXPECT_NE(response.body.find("\"now\":" + std::to_string(world.clock.now_ms())),
              std::string::npos)
        << response.body;
}

TEST_F(GateTest, TierABlockedServerEndsHereAndCostsItsAddressNothing)
{
    us.tier_config.servers[a_test] = trust::Tier::blocked;
    us.budget_options.unproven_per_source = 1;
    us.restart();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(refusal(Draft{}), Code::blocked);
    EXPECT_EQ(them.fetched, 0);
}

// [SIG-18]
TEST_F(GateTest, TierNobodySpeaksInOurOwnName)
{
    auto request = sign({});
    auto now = world.clock.now_s();
    SigningTime time{now, now + 300};
    request.fields = protocol::sign_request(us.identity.key, b_test, b_test, "POST", request.target,
                                            request.body, time, "AAAAAAAAAAAAAAAAAAAAAA");
    EXPECT_EQ(refusal(request), Code::forbidden);
}

// [SIG-8]
TEST_F(GateTest, SourceUnprovenRequestsUseUpTheAddressAndNotTheServer)
{
    us.budget_options.unproven_per_source = 2;
    with_budget(1000);
    auto forged = sign({});
    forged.method = "PUT";
    EXPECT_EQ(refusal(forged), Code::signature_invalid);
    EXPECT_EQ(refusal(forged), Code::signature_invalid);
    auto third = admit(forged);
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code, Code::rate_limited);
    EXPECT_GE(third.error().retry_after, 1);
    Draft elsewhere;
    elsewhere.source = "192.0.2.2";
    for (int i = 0; i < 10; ++i) EXPECT_EQ(refusal(elsewhere), passes);
}

// [KEY-5]
TEST_F(GateTest, KeyAServerThatCantBeFoundIsUnavailableNotUnknown)
{
    them.served = text_response(503, "");
    auto response = pass(sign({}));
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(protocol::parse_problem(response.body)->code, Code::key_unavailable);
    EXPECT_TRUE(std::ranges::any_of(response.fields, [](const auto& field) {
        return field.first == "retry-after" || field.first == "Retry-After";
    }));
}

// [KEY-5]
TEST_F(GateTest, KeyOneThatTheDocumentDoesntShowIsUnknown)
{
    EXPECT_EQ(refusal(sign({}, protocol::SigningKey::generate(world.random))), Code::unknown_key);
}

// [KEY-4]
TEST_F(GateTest, KeyOneThatContradictsThePinsIsAConflictAndTheOldOneServesOn)
{
    auto old_key = them.identity.key;
    ASSERT_EQ(refusal(Draft{}), passes);
    them.identity.key = protocol::SigningKey::generate(world.random);
    world.clock.advance(60'000);
    EXPECT_EQ(refusal(Draft{}), Code::key_conflict);
    auto who = admit(sign({}, old_key));
    ASSERT_TRUE(who);
    EXPECT_EQ(who->tier, trust::Tier::quarantined);
}

// [KEY-1] [KEY-2]
TEST_F(GateTest, KeyAReplacedOneServesSevenDaysAndARevokedOneNot)
{
    auto replaced = protocol::SigningKey::generate(world.random);
    auto revoked = protocol::SigningKey::generate(world.random);
    auto now = world.clock.now_ms();
    them.identity.old_keys.push_back({replaced.public_key(), 0, now, 0});
    them.identity.old_keys.push_back({revoked.public_key(), 0, now, now});
    EXPECT_EQ(refusal(sign({}, revoked)), Code::key_revoked);
    world.clock.advance(trust::key_overlap_ms);
    EXPECT_EQ(refusal(sign({}, replaced)), passes);
    world.clock.advance(1);
    EXPECT_EQ(refusal(sign({}, replaced)), Code::key_revoked);
}

// [KEY-2, KEY-3] With a pinned server: the statements come with the refetch.
TEST_F(GateTest, KeyARotationLetsTheOldOneSignForSevenDaysAndARevocationEndsItAtOnce)
{
    auto recovery = protocol::SigningKey::generate(world.random);
    them.identity.recovery = recovery.public_key();
    ASSERT_EQ(refusal(Draft{}), passes);
    std::vector<protocol::SigningKey> keys{them.identity.key};
    for (int i = 0; i < 2; ++i) {
        auto fresh = protocol::SigningKey::generate(world.random);
        auto now = world.clock.now_ms();
        them.identity.statements.push_back(
            protocol::make_rotation(a_test, keys.back().id(), fresh, now, keys.back()));
        them.identity.old_keys.push_back({keys.back().public_key(), 0, now, 0});
        them.identity.key = fresh;
        keys.push_back(fresh);
        ASSERT_EQ(refusal(Draft{}), passes);
        EXPECT_EQ(refusal(sign({}, keys.front())), passes);
        world.clock.advance(60'000);
    }
    them.identity.statements.push_back(protocol::make_revocation(
        a_test, keys[1].id(), world.clock.now_ms() - 300'000, "", recovery));
    them.identity.statements.push_back(
        protocol::make_rotation(a_test, keys[1].id(), keys[2], world.clock.now_ms(), recovery));
    us.restart();
    EXPECT_EQ(refusal(sign({}, keys[1])), passes);
    // Once the document has been looked at again.
    world.clock.advance(24 * 3'600'000);
    ASSERT_TRUE(world.run(us.discovery->peer(a_test)));
    EXPECT_EQ(refusal(sign({}, keys[1])), Code::key_revoked);
    EXPECT_EQ(refusal(sign({}, keys[0])), passes);
    EXPECT_EQ(refusal(Draft{}), passes);

    world.clock.advance(6 * 24 * 3'600'000);
    EXPECT_EQ(refusal(sign({}, keys[0])), Code::key_revoked);
    EXPECT_EQ(refusal(Draft{}), passes);
}

// [SIG-6] [SIG-16]
TEST_F(GateTest, DigestOtherOctetsOrAnEncodingAreRefused)
{
    auto changed = sign({});
    changed.body = "[]";
    EXPECT_EQ(refusal(changed), Code::digest_mismatch);
    auto encoded = sign({});
    encoded.fields.emplace_back("content-encoding", "gzip");
    EXPECT_EQ(refusal(encoded), Code::unsupported);
    EXPECT_EQ(pass(encoded).status, 415);
}

// [SIG-1]
TEST_F(GateTest, SignatureAnyCoveredChangeShows)
{
    auto method = sign({});
    method.method = "PUT";
    EXPECT_EQ(refusal(method), Code::signature_invalid);
    auto path = sign({});
    path.target = path.path = "/federation/v1/outbox";
    EXPECT_EQ(refusal(path), Code::signature_invalid);
    auto query = sign({});
    query.target += "?a=b";
    EXPECT_EQ(refusal(query), Code::signature_invalid);
    auto late = sign({});
    edit(late, "signature-input", "created=" + std::to_string(world.clock.now_s()),
         "created=" + std::to_string(world.clock.now_s() + 1));
    EXPECT_EQ(refusal(late), Code::signature_invalid);
}

// [SIG-8]
TEST_F(GateTest, SignatureAnInvalidOneSpendsNeitherNonceNorBudget)
{
    with_budget(1);
    Draft draft;
    draft.nonce = "AAAAAAAAAAAAAAAAAAAAAA";
    auto forged = sign(draft);
    forged.method = "PUT";
    for (int i = 0; i < 5; ++i) EXPECT_EQ(refusal(forged), Code::signature_invalid);
    EXPECT_EQ(refusal(draft), passes);
}

// [SIG-4]
TEST_F(GateTest, NonceASecondUseIsAReplayForBothMemories)
{
    auto post = sign({});
    EXPECT_TRUE(admit(post));
    EXPECT_EQ(refusal(post), Code::replayed);
    Draft draft;
    draft.method = "GET";
    draft.body = "";
    auto get = sign(draft);
    EXPECT_TRUE(admit(get, true));
    auto again = admit(get, true);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::replayed);
}

// [SIG-4]
TEST_F(GateTest, NonceIsRememberedOverARestart)
{
    auto request = sign({});
    EXPECT_TRUE(admit(request));
    us.restart();
    EXPECT_EQ(refusal(request), Code::replayed);
}

// [SIG-4]
TEST_F(GateTest, NonceTheSameOfAnotherKeyIsFresh)
{
    auto second = protocol::SigningKey::generate(world.random);
    them.identity.old_keys.push_back({second.public_key(), 0, world.clock.now_ms(), 0});
    Draft draft;
    draft.nonce = "AAAAAAAAAAAAAAAAAAAAAA";
    EXPECT_EQ(refusal(sign(draft)), passes);
    EXPECT_EQ(refusal(sign(draft, second)), passes);
    EXPECT_EQ(refusal(sign(draft)), Code::replayed);
}

// [SIG-4]
TEST_F(GateTest, NonceIs16To64Octets)
{
    auto with = [this](std::size_t size) {
        Draft draft;
        draft.nonce = protocol::to_base64url(world.random.octets(size));
        return refusal(draft);
    };
    EXPECT_EQ(with(15), Code::malformed);
    EXPECT_EQ(with(16), passes);
    EXPECT_EQ(with(64), passes);
    EXPECT_EQ(with(65), Code::malformed);
}

// [SIG-4]
TEST_F(GateTest, NonceWhatTheSweepMayHaveForgottenIsUnavailable)
{
    Draft draft;
    draft.lifetime = 10;
    auto request = sign(draft);
    EXPECT_TRUE(admit(request));
    world.clock.advance(20'000);
    ASSERT_TRUE(world.run(us.gate->sweep()));
    // The clock is set back: the request would be in its window again.
    world.clock.advance(-20'000);
    EXPECT_EQ(refusal(request), Code::unavailable);
    EXPECT_EQ(refusal(Draft{}), passes);
}

TEST_F(GateTest, BudgetTheProvenOriginIsLimitedByASignedAnswer)
{
    with_budget(2);
    EXPECT_EQ(pass(sign({})).status, 200);
    EXPECT_EQ(pass(sign({})).status, 200);
    auto request = sign({});
    auto response = pass(request);
    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(protocol::parse_problem(response.body)->code, Code::rate_limited);
    EXPECT_TRUE(is_signed_by_us(response, request));
    world.clock.advance(30'000);
    EXPECT_EQ(pass(sign({})).status, 200);
}

// [SIG-10]
TEST_F(GateTest, AnswersAreSignedOverTheRequestsSignature)
{
    auto request = sign({});
    auto response = pass(request);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "\"a.test\"");
    EXPECT_TRUE(is_signed_by_us(response, request));
    EXPECT_FALSE(is_signed_by_us(response, sign({})));
    response.body = "\"c.test\"";
    EXPECT_FALSE(is_signed_by_us(response, request));
}

// [SIG-10]
TEST_F(GateTest, AReplayIsRefusedByASignedAnswerAndAForgeryByAnUnsignedOne)
{
    auto request = sign({});
    ASSERT_EQ(pass(request).status, 200);
    auto replayed = pass(request);
    EXPECT_EQ(replayed.status, 409);
    EXPECT_TRUE(is_signed_by_us(replayed, request));
    request.method = "PUT";
    auto forged = pass(request);
    EXPECT_EQ(forged.status, 401);
    EXPECT_FALSE(is_signed_by_us(forged, request));
}

// [SIG-8]
TEST_F(GateTest, OnlyProvenOriginsAreHeardOf)
{
    std::vector<ServerName> heard;
    us.gate->on_proven([&](const ServerName& server) { heard.push_back(server); });
    auto request = sign({});
    auto forged = request;
    forged.method = "PUT";
    EXPECT_EQ(refusal(forged), Code::signature_invalid);
    EXPECT_TRUE(heard.empty());
    EXPECT_EQ(refusal(request), passes);
    EXPECT_EQ(refusal(request), Code::replayed);
    EXPECT_EQ(heard, std::vector<ServerName>{a_test});
}

// [DISC-4] [SIG-8]
TEST_F(GateTest, AProvenRequestEndsTheMemoryOfAFailureAndAForgeryDoesnt)
{
    ASSERT_EQ(refusal(Draft{}), passes);
    them.served = text_response(503, "");
    world.clock.advance(24 * 3'600'000);
    ASSERT_TRUE(world.run(us.discovery->peer(a_test)));
    ASSERT_EQ(them.fetched, 2);
    auto forged = sign({});
    forged.method = "PUT";
    ASSERT_EQ(refusal(forged), Code::signature_invalid);
    ASSERT_TRUE(world.run(us.discovery->peer(a_test)));
    EXPECT_EQ(them.fetched, 2);
    ASSERT_EQ(refusal(Draft{}), passes);
    ASSERT_TRUE(world.run(us.discovery->peer(a_test)));
    EXPECT_EQ(them.fetched, 3);
}

// Everything is wrong with the request; each repair shows the next check.
TEST_F(GateTest, ChecksComeInTheOrderOfTheSpecification)
{
    us.identity.limits.bytes = 10;
    us.budget_options.unproven_per_source = 0;
    us.tier_config.servers[a_test] = trust::Tier::blocked;
    us.restart();
    Draft draft;
    draft.target = "/%61";
    draft.destination = ServerName::trusted("c.test");
    draft.created = 1000;
    draft.body = std::string(11, ' ');
    auto stranger = protocol::SigningKey::generate(world.random);
    auto wrong = [&](const protocol::SigningKey& key) {
        auto request = sign(draft, key);
        if (!request.body.empty()) request.body.back() = 'x';
        request.method = "PUT";
        return refusal(request);
    };
    EXPECT_EQ(wrong(stranger), Code::too_large);
    draft.body = "{}";
    EXPECT_EQ(wrong(stranger), Code::malformed);
    draft.target = "/a";
    EXPECT_EQ(wrong(stranger), Code::wrong_destination);
    draft.destination = b_test;
    EXPECT_EQ(wrong(stranger), Code::clock_skew);
    draft.created = 0;
    EXPECT_EQ(wrong(stranger), Code::blocked);
    us.tier_config.servers[a_test] = trust::Tier::known;
    us.restart();
    EXPECT_EQ(wrong(stranger), Code::rate_limited);
    us.budget_options.unproven_per_source = 100;
    us.tier_config.table.rows[static_cast<std::size_t>(trust::Tier::known)].requests = 0;
    us.restart();
    EXPECT_EQ(wrong(stranger), Code::unknown_key);
    EXPECT_EQ(wrong(them.identity.key), Code::digest_mismatch);
    auto request = sign(draft);
    auto forged = request;
    forged.method = "PUT";
    EXPECT_EQ(refusal(forged), Code::signature_invalid);
    EXPECT_EQ(refusal(request), Code::rate_limited);
    // The nonce was spent before the budget was asked.
    EXPECT_EQ(refusal(request), Code::replayed);
}

}  // namespace
}  // namespace entente::federation
