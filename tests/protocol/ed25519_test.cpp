#include "protocol/ed25519.hpp"

#include <array>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {
namespace {

struct Vector {
    const char* seed;
    const char* message;
    const char* signature;
};

// RFC 8032 section 7.1, tests 1 to 3.
constexpr std::array rfc8032 = {
    Vector{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "",
           "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e397"
           "01cf9b46b"
           "d25bf5f0595bbe24655141438e7a100b"},
    Vector{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72",
           "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f361"
           "3d0f11d8c"
           "387b2eaeb4302aeeb00d291612bb0c00"},
    Vector{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82",
           "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76"
           "0984dc659"
           "4a7c15e9716ed28dc027beceea1ec40a"},
};

class Ed25519 : public testing::Test {
 protected:
    static void SetUpTestSuite() { start_crypto(); }
};

TEST_F(Ed25519, SignsAndVerifiesTheVectorsOfRfc8032)
{
    for (const auto& vector : rfc8032) {
        const auto key = SigningKey::from_seed(from_hex(vector.seed));
        ASSERT_TRUE(key);
        const std::string message = from_hex(vector.message);
        EXPECT_EQ(key->sign(message), from_hex(vector.signature));
        EXPECT_TRUE(key->public_key().verifies(from_hex(vector.signature), message));
        EXPECT_FALSE(key->public_key().verifies(from_hex(vector.signature), message + "x"));
    }
}

TEST_F(Ed25519, HasTheThumbprintOfRfc8037)
{
    const auto key = PublicKey::from_x("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    ASSERT_TRUE(key);
    EXPECT_EQ(key->thumbprint().str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    EXPECT_EQ(key->x(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    const auto secret = from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    EXPECT_EQ(SigningKey::from_seed(*secret)->id(), key->thumbprint());
}

// [SIG-7] [SIG-17]
TEST_F(Ed25519, RefusesKeysOfSmallOrderInEveryEncoding)
{
    for (const auto* hex : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000080",
                            "0000000000000000000000000000000000000000000000000000000000000080",
                            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
        const auto key = PublicKey::from_octets(from_hex(hex));
        ASSERT_FALSE(key) << hex;
        EXPECT_EQ(key.error().code, Code::malformed);
    }
}

// [SIG-17]
TEST_F(Ed25519, RefusesWhatIsNoKey)
{
    // y = 2 is on no point of the curve; y = p + 3 is y = 3 in another encoding.
    EXPECT_FALSE(PublicKey::from_octets("\2" + std::string(31, '\0')));
    EXPECT_TRUE(PublicKey::from_octets("\3" + std::string(31, '\0')));
    EXPECT_FALSE(PublicKey::from_octets("\xf0" + std::string(30, '\xff') + "\x7f"));
    const std::string good =
        from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    EXPECT_TRUE(PublicKey::from_octets(good));
    EXPECT_FALSE(PublicKey::from_octets(good.substr(1)));
    EXPECT_FALSE(PublicKey::from_octets(good + "x"));
    EXPECT_FALSE(PublicKey::from_x("not base64url!"));
    EXPECT_FALSE(SigningKey::from_seed(std::string(31, 'x')));
    EXPECT_FALSE(SigningKey::from_seed(std::string(33, 'x')));
}

// [SIG-17] A point of large order and one of order 2 added: what it signs verifies where the
// challenge is even, since no cofactor clears the small part.
TEST_F(Ed25519, TakesAKeyOfMixedOrder)
{
    const auto key = PublicKey::from_octets(
        from_hex("ea5ef8400c31ef41e28f22e718b43f66981b29cf645af2a0e223799bedaace47"));
    ASSERT_TRUE(key) << key.error().detail;
    EXPECT_TRUE(
        key->verifies(from_hex("4bbdcfe5f87b82cc3df60eeb0c9788bcce578c4b6f0c40fb381f22bc8549842361c"
                               "8660b6cbdf07dfb49395ab9354e78441045fa51be09002895e6d86e95d008"),
                      "mixed order 1"));
}

TEST_F(Ed25519, KeysSurviveCopiesMovesAndSeeds)
{
    const SigningKey key = key_from(3);
    SigningKey copy = key;
    const SigningKey moved = std::move(copy);
    SigningKey assigned = key_from(9);
    assigned = moved;
    EXPECT_EQ(assigned.sign("m"), key.sign("m"));
    EXPECT_EQ(assigned.id(), key.id());
    EXPECT_EQ(SigningKey::from_seed(key.seed())->public_key(), key.public_key());
    SystemRandom random;
    EXPECT_NE(SigningKey::generate(random).seed(), SigningKey::generate(random).seed());
}

// [SIG-7]
TEST_F(Ed25519, GivesWycheproofsVerdicts)
{
    const auto folder = vectors_folder();
    if (!folder) GTEST_SKIP() << "ENTENTE_VECTORS is not set";
    const auto document = nlohmann::json::parse(read_file(*folder / "wycheproof-ed25519.json"));
    int seen = 0;
    for (const auto& group : document.at("testGroups")) {
        const auto key =
            PublicKey::from_octets(from_hex(group.at("publicKey").at("pk").get<std::string>()));
        for (const auto& test : group.at("tests")) {
            const bool accepted = key && key->verifies(from_hex(test.at("sig").get<std::string>()),
                                                       from_hex(test.at("msg").get<std::string>()));
            EXPECT_EQ(accepted, test.at("result") == "valid") << test.dump();
            ++seen;
        }
    }
    EXPECT_EQ(seen, document.at("numberOfTests").get<int>());
}

// [SIG-7] [SIG-17]
// Each vector satisfies the cofactored equation; what SIG-7 makes of it follows from
// its flags: a residue of low order fails without the cofactor, points of low order
// and non-canonical ones are refused, mixed order as such is not.
TEST_F(Ed25519, JudgesTheEdgeCasesOfCctvStrictlyAndWithoutCofactor)
{
    const auto folder = vectors_folder();
    if (!folder) GTEST_SKIP() << "ENTENTE_VECTORS is not set";
    const std::set<std::string> bad_key = {"low_order_A", "non_canonical_A"};
    const std::set<std::string> bad_signature = {"low_order_R", "non_canonical_R",
                                                 "low_order_residue"};
    int accepted_count = 0;
    for (const auto& test : nlohmann::json::parse(read_file(*folder / "cctv-ed25519.json"))) {
        bool key_is_good = true;
        bool signature_is_good = true;
        // `flags` is null where a vector has none.
        for (const auto& flag : test.at("flags")) {
            if (bad_key.contains(flag)) key_is_good = false;
            if (bad_signature.contains(flag)) signature_is_good = false;
        }
        const auto key = PublicKey::from_octets(from_hex(test.at("key").get<std::string>()));
        EXPECT_EQ(key.has_value(), key_is_good) << test.dump();
        const bool accepted = key && key->verifies(from_hex(test.at("sig").get<std::string>()),
                                                   test.at("msg").get<std::string>());
        EXPECT_EQ(accepted, key_is_good && signature_is_good) << test.dump();
        accepted_count += accepted ? 1 : 0;
    }
    EXPECT_GT(accepted_count, 0);
}

RC_GTEST_PROP(Ed25519Signatures, VerifyUnderTheirOwnKeyAndTextAlone,
              (unsigned char seed, const std::string& message))
{
    const SigningKey key = key_from(seed);
    std::string signature = key.sign(message);
    RC_ASSERT(key.public_key().verifies(signature, message));
    RC_ASSERT(
        !key_from(static_cast<unsigned char>(seed + 1)).public_key().verifies(signature, message));
    signature[*rc::gen::inRange<std::size_t>(0, 64)] ^= 1;
    RC_ASSERT(!key.public_key().verifies(signature, message));
    RC_ASSERT(!key.public_key().verifies(signature.substr(1), message));
}

}  // namespace
}  // namespace entente::protocol
