// Refusals for the sake of the key [KEY-1, KEY-3, KEY-5, SIG-7]: each request would make its
// user a member if it came through, and does so once what was wrong with the key is mended.
#include <algorithm>
#include <array>

#include "tests/e2e/support/forger_test.hpp"

namespace entente::e2e {
namespace {

using protocol::SigningKey;

constexpr std::int64_t week_ms = std::int64_t{7} * 24 * 3600 * 1000;

SigningKey new_key()
{
    protocol::SystemRandom random;
    return SigningKey::generate(random);
}

std::int64_t now_ms()
{
    return protocol::SystemClock{}.now_ms();
}

json jwk(const std::string& x, const std::string& kid)
{
    return {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", x}, {"kid", kid}, {"from", 0}};
}

json old_jwk(const SigningKey& key, std::int64_t until)
{
    auto made = jwk(key.public_key().x(), key.id().str());
    made["until"] = until;
    return made;
}

// The usual document with these old keys.
Forger::Document with_old_keys(const json& old_keys)
{
    return [old_keys](const std::string& usual) {
        auto document = json::parse(usual);
        document["old_keys"] = old_keys;
        return document.dump();
    };
}

std::string no_document(const std::string& /*usual*/)
{
    return {};
}

class KeyRefusals : public ForgerTest {
 protected:
    // Sealed by the server's right key, so that only the request's key is in question.
    [[nodiscard]] Craft join_request() { return forger_->craft(home(), joining()); }
    [[nodiscard]] Craft signed_by(const SigningKey& key)
    {
        auto craft = join_request();
        craft.key = key;
        craft.keyid = forger_->name().str() + "#" + key.id().str();
        return craft;
    }

    void expect_refused(const Craft& craft, int status, const char* problem)
    {
        const bool had_joined = has_joined();
        const auto answer = forger_->send(home(), craft);
        EXPECT_EQ(answer.status(), status) << answer.message.body;
        EXPECT_EQ(answer.problem(), problem) << answer.message.body;
        if (status == 503) {
            EXPECT_GE(answer.retry_after(), 1);
            EXPECT_LE(answer.retry_after(), 60);
        }
        EXPECT_EQ(has_joined(), had_joined);
    }
    void expect_joins(const Craft& craft)
    {
        ASSERT_FALSE(has_joined());
        const auto answer = forger_->send(home(), craft);
        EXPECT_EQ(answer.status(), 200) << answer.message.body;
        EXPECT_TRUE(has_joined());
    }
};

// [KEY-1] The pin takes over what the document says of old keys, and keeps it.
TEST_F(KeyRefusals, ARevokedKeySignsNothingAndTheCurrentOneServes)
{
    const auto revoked = new_key();
    auto old = old_jwk(revoked, now_ms());
    old["revoked_at"] = now_ms();
    forger_->on_document(with_old_keys(json::array({old})));
    expect_refused(signed_by(revoked), 401, "key-revoked");
    home().kill9();
    home().start();
    expect_refused(signed_by(revoked), 401, "key-revoked");
    // No document can bring it back.
    forger_->on_document({});
    expect_refused(signed_by(revoked), 401, "key-revoked");
    expect_joins(join_request());
}

// [KEY-2]
TEST_F(KeyRefusals, AReplacedKeySignsForSevenDaysAndNoLonger)
{
    const auto long_ago = new_key(), lately = new_key();
    forger_->on_document(
        with_old_keys(json::array({old_jwk(long_ago, now_ms() - week_ms - 1),
                                   old_jwk(lately, now_ms() - week_ms + 600'000)})));
    expect_refused(signed_by(long_ago), 401, "key-revoked");
    expect_joins(signed_by(lately));
}

// [KEY-5] [SIG-8] The octets that were refused are served later: no nonce was spent.
TEST_F(KeyRefusals, AServerThatCantBeAskedIsServedOnceItCan)
{
    forger_->on_document(no_document);
    const auto craft = join_request();
    expect_refused(craft, 503, "key-unavailable");
    expect_refused(craft, 503, "key-unavailable");
    forger_->on_document({});
    expect_joins(craft);
    EXPECT_EQ(forger_->send(home(), craft).problem(), "replayed");
}

// [KEY-5] "Unknown" is said only by who has looked.
TEST_F(KeyRefusals, AnUnknownKeyIsUnavailableWhereItCantBeLookedUp)
{
    expect_joins(join_request());
    forger_->on_document(no_document);
    expect_refused(signed_by(new_key()), 503, "key-unavailable");
    // Now it could be, but this address has had its one look of the minute.
    forger_->on_document({});
    expect_refused(signed_by(new_key()), 503, "key-unavailable");
    EXPECT_EQ(forger_->send(home(), forger_->craft(home(), "{}")).status(), 200);
}

// [SIG-7] Whoever verifies with such a key takes this signature for any message.
TEST_F(KeyRefusals, ASmallOrderKeyIsNoKey)
{
    const auto point = std::string(1, '\1') + std::string(31, '\0');
    const auto x = protocol::to_base64url(point);
    const auto kid = protocol::to_base64url(
        protocol::sha256(R"({"crv":"Ed25519","kty":"OKP","x":")" + x + "\"}"));
    forger_->on_document([&](const std::string& usual) {
        auto document = json::parse(usual);
        document["keys"].push_back(jwk(x, kid));
        return document.dump();
    });
    auto craft = join_request();
    craft.keyid = forger_->name().str() + "#" + kid;
    craft.afterwards = [&](Craft& sent) {
        sent.set("signature",
                 "entente=:" + protocol::to_base64(point + std::string(32, '\0')) + ":");
    };
    expect_refused(craft, 503, "key-unavailable");
    forger_->on_document({});
    expect_joins(join_request());
}

// [SIG-7] S and S + the group's order pass a lax verifier alike: one request would have two faces.
TEST_F(KeyRefusals, ASignatureHasOneFormOnly)
{
    constexpr std::array<unsigned char, 32> order{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                                  0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                                  0,    0,    0,    0,    0,    0,    0,    0,
                                                  0,    0,    0,    0,    0,    0,    0,    0x10};
    auto craft = join_request();
    craft.afterwards = [&](Craft& sent) {
        const auto field = std::ranges::find(sent.fields, "signature", &Fields::value_type::first);
        auto octets = protocol::from_base64(field->second.substr(9, 88)).value();
        unsigned carry = 0;
        for (std::size_t i = 0; i < order.size(); ++i) {
            carry += static_cast<unsigned char>(octets.at(32 + i)) + order.at(i);
            octets.at(32 + i) = static_cast<char>(carry & 0xffU);
            carry >>= 8U;
        }
        field->second = "entente=:" + protocol::to_base64(octets) + ":";
    };
    expect_refused(craft, 401, "signature-invalid");
    craft.afterwards = {};
    expect_joins(craft);
}

}  // namespace
}  // namespace entente::e2e
