// Statements about keys: what is made is read again, and nothing else is.
#include "protocol/statement.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include "protocol/json_rules.hpp"
#include "protocol/jws.hpp"
#include "tests/protocol/strict.hpp"
#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {
namespace {

using Json = nlohmann::json;

constexpr Millis at = 1'763'683'200'000;

const ServerName statement_server = ServerName::trusted("a.example");

Code statement_code(const std::string& text)
{
    const auto parsed = parse_statement(text, strict);
    return parsed ? Code::internal : parsed.error().code;
}

// A statement whose payload `change` has been at, signed anew; so is the proof, if it's there.
template <class Change>
std::string changed(const std::string& text, const SigningKey& signer, const SigningKey& key,
                    Change change)
{
    const auto jws = parse_jws(text, strict).value();
    auto payload = Json::parse(jws.payload);
    const bool has_proof = payload.erase("proof") > 0;
    change(payload);
    if (has_proof && !payload.contains("proof"))
        payload["proof"] =
            make_jws(key, statement_server, "entente-rotation-proof", payload.dump());
    return make_jws(signer, statement_server, jws.type, payload.dump());
}

TEST(Statement, ARotationIsReadAsItWasMade)
{
    const auto old = key_from(1), fresh = key_from(2);
    const auto text = make_rotation(statement_server, old.id(), fresh, at, old);
    const auto read = parse_statement(text, strict);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->text, text);
    EXPECT_EQ(read->signer, (KeyRef{statement_server, old.id()}));
    EXPECT_EQ(read->at(), at);
    const auto& rotation = std::get<Rotation>(read->what);
    EXPECT_EQ(rotation.previous, old.id());
    EXPECT_EQ(rotation.key, fresh.public_key());
    EXPECT_TRUE(is_signed_by(*read, old.public_key()));
    EXPECT_FALSE(is_signed_by(*read, fresh.public_key()));
    EXPECT_EQ(reread_statement(text).value(), *read);
}

TEST(Statement, ARevocationIsReadAsItWasMade)
{
    const auto key = key_from(1), recovery = key_from(3);
    const auto text =
        make_revocation(statement_server, key.id(), at, "a \"stolen\" laptop, é", recovery);
    const auto read = parse_statement(text, strict);
    ASSERT_TRUE(read) << read.error().detail;
    const auto& revocation = std::get<Revocation>(read->what);
    EXPECT_EQ(revocation.key, key.id());
    EXPECT_EQ(revocation.at, at);
    EXPECT_EQ(revocation.reason, "a \"stolen\" laptop, é");
    EXPECT_TRUE(is_signed_by(*read, recovery.public_key()));
}

TEST(Statement, ARecoveryIsReadAsItWasMade)
{
    const auto old = key_from(3), fresh = key_from(4);
    const auto read =
        parse_statement(make_recovery(statement_server, old, fresh.public_key(), at), strict);
    ASSERT_TRUE(read) << read.error().detail;
    const auto& recovery = std::get<Recovery>(read->what);
    EXPECT_EQ(recovery.previous, old.public_key());
    EXPECT_EQ(recovery.key, fresh.public_key());
    EXPECT_EQ(recovery.at, at);
}

TEST(Statement, ARevocationNeedsNoReason)
{
    const auto key = key_from(1);
    const auto text = make_revocation(statement_server, key.id(), at, "", key);
    const auto bare = changed(text, key, key, [](Json& payload) { payload.erase("reason"); });
    ASSERT_TRUE(parse_statement(bare, strict));
    const auto odd = changed(text, key, key, [](Json& payload) { payload["reason"] = 1; });
    EXPECT_EQ(statement_code(odd), Code::malformed);
}

TEST(Statement, UnknownMembersAreIgnoredWhereTheProofHasThemToo)
{
    const auto old = key_from(1), fresh = key_from(2);
    const auto text = make_rotation(statement_server, old.id(), fresh, at, old);
    EXPECT_TRUE(parse_statement(
        changed(text, old, fresh, [](Json& payload) { payload["more"] = {{"a", 1}}; }), strict));
}

TEST(Statement, OnlyTheNewKeyProvesARotation)
{
    const auto old = key_from(1), fresh = key_from(2), other = key_from(5);
    const auto text = make_rotation(statement_server, old.id(), fresh, at, old);
    const auto proof_of = [](const std::string& statement) {
        return Json::parse(parse_jws(statement, strict)->payload)["proof"];
    };
    const auto with_proof = [&](const Json& proof) {
        return changed(text, old, fresh, [&](Json& payload) { payload["proof"] = proof; });
    };
    EXPECT_TRUE(parse_statement(with_proof(proof_of(text)), strict));
    // Of another time, another key, another predecessor.
    const auto later = make_rotation(statement_server, old.id(), fresh, at + 1, old);
    const auto others = make_rotation(statement_server, old.id(), other, at, old);
    const auto elsewhere = make_rotation(statement_server, other.id(), fresh, at, old);
    for (const auto& statement : {later, others, elsewhere})
        EXPECT_EQ(statement_code(with_proof(proof_of(statement))), Code::signature_invalid);
    // Right members, wrong signer or type; nothing at all.
    auto members = Json::parse(parse_jws(text, strict)->payload);
    members.erase("proof");
    const auto made = [&](const SigningKey& key, const char* type) {
        return with_proof(make_jws(key, statement_server, type, members.dump()));
    };
    EXPECT_TRUE(parse_statement(made(fresh, "entente-rotation-proof"), strict));
    EXPECT_EQ(statement_code(made(old, "entente-rotation-proof")), Code::signature_invalid);
    EXPECT_EQ(statement_code(made(fresh, "entente-rotation")), Code::malformed);
    EXPECT_EQ(statement_code(with_proof("a.b.c")), Code::malformed);
    EXPECT_EQ(statement_code(with_proof(1)), Code::malformed);
    EXPECT_EQ(statement_code(with_proof(nullptr)), Code::malformed);
}

TEST(Statement, OnlyTheReplacedRecoveryKeySpeaksForItself)
{
    const auto old = key_from(3), fresh = key_from(4), other = key_from(5);
    const auto text = make_recovery(statement_server, old, fresh.public_key(), at);
    EXPECT_EQ(statement_code(changed(text, other, other, [](Json&) {})), Code::signature_invalid);
    auto jws = parse_jws(text, strict).value();
    const auto forged = jws.signing_input + "." + to_base64url(std::string(64, '\1'));
    EXPECT_EQ(statement_code(forged), Code::signature_invalid);
}

TEST(Statement, WrongFormsAreMalformed)
{
    const auto old = key_from(1), fresh = key_from(2);
    const auto rotation = make_rotation(statement_server, old.id(), fresh, at, old);
    const auto revocation = make_revocation(statement_server, old.id(), at, "", old);
    const auto recovery = make_recovery(statement_server, old, fresh.public_key(), at);
    for (const auto& text : {rotation, revocation, recovery}) {
        for (const auto* name : {"server", "at", "previous", "key", "kid"}) {
            const auto payload = Json::parse(parse_jws(text, strict)->payload);
            if (!payload.contains(name)) continue;
            EXPECT_EQ(statement_code(changed(text, old, fresh, [&](Json& it) { it.erase(name); })),
                      Code::malformed)
                << name;
            for (const auto& value : {Json(true), Json("x"), Json(-1), Json::object()})
                EXPECT_EQ(
                    statement_code(changed(text, old, fresh, [&](Json& it) { it[name] = value; })),
                    Code::malformed)
                    << name << " " << value;
        }
        EXPECT_EQ(statement_code(changed(text, old, fresh,
                                         [](Json& payload) { payload["server"] = "b.example"; })),
                  Code::malformed);
    }
    // A kid that isn't the thumbprint, a key that replaces itself, a foreign typ.
    EXPECT_EQ(
        statement_code(changed(rotation, old, fresh,
                               [&](Json& payload) { payload["key"]["kid"] = old.id().str(); })),
        Code::malformed);
    EXPECT_EQ(statement_code(make_rotation(statement_server, old.id(), old, at, old)),
              Code::malformed);
    EXPECT_EQ(statement_code(make_recovery(statement_server, old, old.public_key(), at)),
              Code::malformed);
    EXPECT_EQ(statement_code(
                  make_jws(old, statement_server, "entente-root", "{\"server\":\"a.example\"}")),
              Code::malformed);
    EXPECT_EQ(statement_code(make_jws(old, statement_server, "entente-rotation", "[]")),
              Code::malformed);
    EXPECT_EQ(statement_code("a.b"), Code::malformed);
    EXPECT_EQ(statement_code(std::string(max_jws_octets + 1, 'a')), Code::too_large);
}

TEST(Statement, ALongServerNameFitsIntoAStatement)
{
    std::string name;
    while (name.size() < 240) name += std::string(59, 'a') + ".";
    const auto longest = ServerName::trusted(name + "example");
    const auto old = key_from(1), fresh = key_from(2);
    EXPECT_TRUE(parse_statement(make_rotation(longest, old.id(), fresh, at, old), strict));
}

TEST(Statement, TheRecoveryKeyCanStandForARotationWithoutTheNewKey)
{
    const auto old = key_from(1), fresh = key_from(2), recovery = key_from(3);
    const auto own =
        parse_statement(make_rotation(statement_server, old.id(), fresh, at, old), strict);
    const auto again = parse_statement(sign_again(*own, recovery), strict);
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(again->signer.key, recovery.id());
    EXPECT_TRUE(is_signed_by(*again, recovery.public_key()));
    EXPECT_EQ(std::get<Rotation>(again->what).key, fresh.public_key());
    EXPECT_EQ(again->at(), at);
}

RC_GTEST_PROP(StatementProperty, WhatIsMadeIsReadAgain, (unsigned char first, unsigned char second))
{
    RC_PRE(first != second);
    const auto old = key_from(first), fresh = key_from(second);
    const auto time = *rc::gen::inRange<Millis>(0, max_json_integer);
    const auto reason = *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
    RC_PRE(reason.size() < 1000);
    const auto rotation =
        parse_statement(make_rotation(statement_server, old.id(), fresh, time, old), strict);
    RC_ASSERT(rotation.has_value());
    RC_ASSERT(std::get<Rotation>(rotation->what).key == fresh.public_key());
    RC_ASSERT(rotation->at() == time);
    const auto revocation =
        parse_statement(make_revocation(statement_server, old.id(), time, reason, fresh), strict);
    RC_ASSERT(revocation.has_value());
    RC_ASSERT(std::get<Revocation>(revocation->what).reason == reason);
    const auto recovery =
        parse_statement(make_recovery(statement_server, old, fresh.public_key(), time), strict);
    RC_ASSERT(recovery.has_value());
    RC_ASSERT(std::get<Recovery>(recovery->what).previous == old.public_key());
}

// One octet of the JWS changed: it is refused, or it says the same.
RC_GTEST_PROP(StatementProperty, NoChangedRotationIsTaken, ())
{
    const auto old = key_from(1), fresh = key_from(2);
    const auto text = make_rotation(statement_server, old.id(), fresh, at, old);
    auto spoilt = text;
    const auto place = *rc::gen::inRange<std::size_t>(0, text.size());
    spoilt[place] = static_cast<char>(spoilt[place] ^ *rc::gen::element(1, 2, 4, 8, 16));
    const auto read = parse_statement(spoilt, strict);
    RC_ASSERT(!read || !is_signed_by(*read, old.public_key()));
}

}  // namespace
}  // namespace entente::protocol
