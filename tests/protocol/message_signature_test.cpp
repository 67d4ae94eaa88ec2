#include "protocol/message_signature.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/protocol/message_signature_support.hpp"

namespace entente::protocol {
namespace {

TEST(SignatureBase, AndSignatureAreThoseOfRfc9421AppendixB26)
{
    start_crypto();
    const Fields fields = {
        {"host", "example.com"},
        {"date", "Tue, 20 Apr 2021 02:07:55 GMT"},
        {"content-type", "application/json"},
        {"content-digest",
         "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyea"
         "ldVLvRwEmTHWXvJwew==:"},
        {"content-length", "18"},
    };
    const std::string body = R"({"hello": "world"})";
    const auto input = sf::parse_dictionary(
        R"(sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519")");
    const RequestParts request{"POST", "/foo?param=Value&Pet=dog", fields, body};
    const auto base = request_base(request, std::get<sf::InnerList>(input->front().second));
    ASSERT_TRUE(base);
    EXPECT_EQ(
        *base,
        "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
        "\"@method\": POST\n"
        "\"@path\": /foo\n"
        "\"@authority\": example.com\n"
        "\"content-type\": application/json\n"
        "\"content-length\": 18\n"
        "\"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "
        "\"content-length\");created=1618884473;keyid=\"test-key-ed25519\"");
    const auto key =
        SigningKey::from_seed(*from_base64url("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU"));
    const auto published = PublicKey::from_x("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs");
    EXPECT_EQ(key->public_key(), *published);
    const std::string signature = *from_base64(
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==");
    EXPECT_EQ(key->sign(*base), signature);
    EXPECT_TRUE(published->verifies(signature, *base));
}

TEST(SignatureBase, KnowsTheOtherPartsOfATarget)
{
    const Fields fields = {{"host", "A.Example:443"}, {"x-odd", " \t two words \t"}};
    const RequestParts request{"GET", "/p%41th?q=1?2", fields, ""};
    const auto base_of = [&request](const std::string& text) {
        return request_base(request, std::get<sf::InnerList>(sf::parse_list(text)->front()))
            .value_or("refused");
    };
    EXPECT_EQ(
        base_of(R"(("@path" "@query"))"),
        "\"@path\": /p%41th\n\"@query\": ?q=1?2\n\"@signature-params\": (\"@path\" \"@query\")");
    EXPECT_EQ(base_of(R"(("@authority"))"),
              "\"@authority\": a.example\n\"@signature-params\": (\"@authority\")");
    EXPECT_EQ(base_of(R"(("@target-uri"))"),
              "\"@target-uri\": https://a.example/p%41th?q=1?2\n\"@signature-params\": "
              "(\"@target-uri\")");
    EXPECT_EQ(base_of(R"(("@scheme" "@request-target"))"),
              "\"@scheme\": https\n\"@request-target\": /p%41th?q=1?2\n"
              "\"@signature-params\": (\"@scheme\" \"@request-target\")");
    EXPECT_EQ(base_of(R"(("x-odd"))"), "\"x-odd\": two words\n\"@signature-params\": (\"x-odd\")");
    EXPECT_EQ(base_of("()"), "\"@signature-params\": ()");
}

// [SIG-1] [SIG-2]
TEST(SignedRequests, LookAsTheSpecificationShows)
{
    SignedRequest request;
    EXPECT_EQ(request.field("entente-destination"), "b.example");
    EXPECT_EQ(request.field("content-type"), "application/json");
    EXPECT_EQ(request.field("content-digest"), content_digest(request.body));
    EXPECT_EQ(request.field("signature-input"),
              "entente=(\"@method\" \"@path\" \"@query\" \"entente-destination\" \"content-type\" "
              "\"content-digest\");created=1763683200;expires=1763683500;nonce=\"" +
                  nonce_text + "\";keyid=\"a.example#" + request.key.id().str() +
                  "\";alg=\"ed25519\";tag=\"entente-v1\"");
    EXPECT_TRUE(request.field("signature").starts_with("entente=:"));
}

TEST(SignedRequests, AreReadBackAsTheyWereSigned)
{
    SignedRequest request;
    const auto signature = request.read();
    ASSERT_TRUE(signature) << signature.error().detail;
    EXPECT_EQ(signature->label, "entente");
    EXPECT_EQ(signature->key, (KeyRef{origin_name(), request.key.id()}));
    EXPECT_EQ(signature->created, noon);
    EXPECT_EQ(signature->expires, noon + 300);
    EXPECT_EQ(signature->nonce, nonce_text);
    EXPECT_EQ(signature->field, request.field("signature"));
    EXPECT_TRUE(request.verifies());
    EXPECT_TRUE(check_destination(request.fields, destination_name()));
    EXPECT_TRUE(check_window(*signature, noon));
    EXPECT_TRUE(check_digest(request.fields, request.body));
}

// [SIG-1]
TEST(SignedRequests, WithoutContentCoverNoContent)
{
    SignedRequest request{"/federation/v1/directory?cursor=x"};
    EXPECT_EQ(request.field("signature-input").find("content-"), std::string::npos);
    EXPECT_TRUE(request.verifies());
    EXPECT_TRUE(check_digest(request.fields, ""));
    const auto base = request.read()->base;
    EXPECT_NE(base.find("\"@path\": /federation/v1/directory\n\"@query\": ?cursor=x\n"),
              std::string::npos);
    EXPECT_NE(SignedRequest{"/x"}.read()->base.find("\"@query\": ?\n"), std::string::npos);
    EXPECT_NE(SignedRequest{"/x?"}.read()->base.find("\"@query\": ?\n"), std::string::npos);
}

// [SIG-1]
TEST(SignedRequests, NoLongerVerifyOnceAnyPartIsChanged)
{
    const auto still_verifies = [](auto change) {
        SignedRequest request;
        change(request);
        return request.verifies();
    };
    EXPECT_TRUE(still_verifies([](SignedRequest&) {}));
    EXPECT_FALSE(still_verifies([](SignedRequest& r) { r.method = "PUT"; }));
    EXPECT_FALSE(still_verifies([](SignedRequest& r) { r.target = "/federation/v1/inboy"; }));
    EXPECT_FALSE(still_verifies([](SignedRequest& r) { r.target += "?x"; }));
    EXPECT_FALSE(
        still_verifies([](SignedRequest& r) { r.field("entente-destination") = "c.example"; }));
    EXPECT_FALSE(
        still_verifies([](SignedRequest& r) { r.field("content-digest") = content_digest("x"); }));
    EXPECT_FALSE(still_verifies(
        [](SignedRequest& r) { r.change_input("created=1763683200", "created=1763683201"); }));
    EXPECT_FALSE(still_verifies(
        [](SignedRequest& r) { r.change_input("expires=1763683500", "expires=1763683499"); }));
    EXPECT_FALSE(
        still_verifies([](SignedRequest& r) { r.change_input("nonce=\"bm", "nonce=\"Bm"); }));
    EXPECT_FALSE(
        still_verifies([](SignedRequest& r) { r.change_input("a.example#", "c.example#"); }));
}

// [SIG-1]
TEST(SignedRequests, MayCoverFurtherFieldsThatStandOnce)
{
    SignedRequest request;
    request.fields.emplace_back("date", "Tue, 20 Apr 2021 02:07:55 GMT");
    request.fields.emplace_back("host", "b.example");
    request.change_input("(\"@method\"", "(\"date\" \"@authority\" \"@method\"").resign();
    EXPECT_TRUE(request.verifies());
    request.field("date") = "Tue, 20 Apr 2021 02:07:56 GMT";
    EXPECT_FALSE(request.verifies());
}

// [SIG-2]
TEST(SignedRequests, MayHaveComponentsAndParametersInAnotherOrder)
{
    SignedRequest request;
    request.change_input("\"@method\" \"@path\"", "\"@path\" \"@method\"");
    request.change_input(";alg=\"ed25519\";tag=\"entente-v1\"", ";tag=\"entente-v1\";later=1")
        .resign();
    EXPECT_TRUE(request.verifies());
}

// [SIG-1]
TEST(SignedRequests, MayCarrySignaturesOfOtherProtocols)
{
    SignedRequest request;
    const std::string other = ", proxy=(\"@method\");created=1;tag=\"other\", bare=()";
    request.field("signature-input") += other;
    request.field("signature") += ", proxy=:AAAA:, more=:AAAA:";
    EXPECT_TRUE(request.verifies());
    EXPECT_EQ(request.read()->label, "entente");
}

// [SIG-1]
TEST(SignedRequests, MayHaveAnyLabel)
{
    SignedRequest request;
    request.change_input("entente=(", "sig1=(");
    request.field("signature") = replaced(request.field("signature"), "entente=", "sig1=");
    EXPECT_TRUE(request.verifies());
    EXPECT_EQ(request.read()->label, "sig1");
}

RC_GTEST_PROP(SignedRequestsProperty, OfAnyContentAreReadBack,
              (unsigned char seed, const std::string& body))
{
    const auto path =
        *rc::gen::container<std::string>(rc::gen::element('a', '/', '?', '%', '=', '@', '.'));
    const auto size = *rc::gen::inRange<std::size_t>(16, 65);
    SignedRequest request;
    request.key = key_from(seed);
    request.target = "/" + path;
    request.body = body;
    const std::string nonce = to_base64url(std::string(size, 'x'));
    request.fields = sign_request(request.key, origin_name(), destination_name(), request.method,
                                  request.target, body, {noon, noon + 1}, nonce);
    const auto signature = request.read();
    RC_ASSERT(signature.has_value());
    RC_ASSERT(signature->nonce == nonce);
    RC_ASSERT(request.verifies());
    RC_ASSERT(check_digest(request.fields, body).has_value());
    RC_ASSERT(!check_digest(request.fields, body + "x").has_value());
}

}  // namespace
}  // namespace entente::protocol
