#include "protocol/server_document.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/protocol/log_support.hpp"
#include "tests/protocol/strict.hpp"
#include "tests/protocol/wire_support.hpp"

namespace entente::protocol {
namespace {

const ServerName name = ServerName::trusted("a.example");

ServerDocument a_document()
{
    ServerDocument document;
    document.server = name;
    document.api = "https://chat.a.example";
    document.keys.push_back({key_from(1).public_key(), 1763683200000, 0, 0});
    document.old_keys.push_back({key_from(2).public_key(), 5, 7, 0});
    document.old_keys.push_back({key_from(3).public_key(), 1, 2, 3});
    document.recovery = key_from(4).public_key();
    document.statements = {"a.b.c"};
    document.features = {"signals"};
    document.contact = "mailto:admin@a.example";
    document.software_name = "entente";
    document.software_version = "0.1.0";
    document.limits = {5'000'000, 2000};
    document.max_age = 600;
    return document;
}

nlohmann::json a_json()
{
    return nlohmann::json::parse(write_server_document(a_document()));
}

Code document_code(const nlohmann::json& json)
{
    const auto read = parse_well_known(json.dump(), name, strict);
    return read ? Code::internal : read.error().code;
}

TEST(ServerDocument, WhatIsWrittenIsReadAgain)
{
    const auto read = parse_well_known(write_server_document(a_document()), name, strict);
    ASSERT_TRUE(read) << read.error().detail;
    const auto& document = std::get<ServerDocument>(*read);
    const auto expected = a_document();
    EXPECT_EQ(document.server, expected.server);
    EXPECT_EQ(document.api, expected.api);
    ASSERT_EQ(document.keys.size(), 1U);
    EXPECT_EQ(document.keys[0].key, expected.keys[0].key);
    EXPECT_EQ(document.keys[0].from, 1763683200000);
    ASSERT_EQ(document.old_keys.size(), 2U);
    EXPECT_EQ(document.old_keys[0].until, 7);
    EXPECT_EQ(document.old_keys[0].revoked_at, 0);
    EXPECT_EQ(document.old_keys[1].revoked_at, 3);
    EXPECT_EQ(document.recovery, expected.recovery);
    EXPECT_EQ(document.statements, expected.statements);
    EXPECT_EQ(document.features, expected.features);
    EXPECT_EQ(document.contact, expected.contact);
    EXPECT_EQ(document.software_name, expected.software_name);
    EXPECT_EQ(document.software_version, expected.software_version);
    EXPECT_EQ(document.limits, expected.limits);
    EXPECT_EQ(document.max_age, 600);
}

// [DISC-1]
TEST(ServerDocument, OnlyWhatIsRequiredIsRequired)
{
    for (const auto* member :
         {"old_keys", "statements", "limits", "features", "contact", "max_age", "software"}) {
        auto json = a_json();
        json.erase(member);
        EXPECT_EQ(document_code(json), Code::internal) << member;
    }
    for (const auto* member : {"server", "api", "versions", "keys", "recovery"}) {
        auto json = a_json();
        json.erase(member);
        EXPECT_EQ(document_code(json), Code::malformed) << member;
    }
}

// [DISC-1] [DISC-6] [DISC-7] [SIG-7]
TEST(ServerDocument, ADocumentThatBreaksARuleIsUnusable)
{
    const std::pair<const char*, nlohmann::json> changes[] = {
        {"server", "b.example"},
        {"api", "http://chat.a.example"},
        {"api", "https://chat.a.example/"},
        {"versions", {"2"}},
        {"versions", "1"},
        {"keys", nlohmann::json::array()},
        {"keys", {5}},
        {"recovery", nullptr},
        {"limits", {{"transaction_bytes", 0}}},
        {"limits", {{"transaction_items", 0}}},
        {"limits", {{"transaction_items", -1}}},
        {"statements", {1}},
        {"max_age", "long"},
    };
    for (const auto& [member, value] : changes) {
        auto json = a_json();
        json[member] = value;
        EXPECT_EQ(document_code(json), Code::malformed) << member << value;
    }
    auto json = a_json();
    json["keys"][0]["kid"] = json["recovery"]["kid"];
    EXPECT_EQ(document_code(json), Code::malformed) << "a kid that is not the thumbprint";
    json = a_json();
    json["old_keys"].push_back(json["keys"][0]);
    EXPECT_EQ(document_code(json), Code::malformed) << "a key twice";
    json = a_json();
    json["recovery"]["x"] = std::string(43, 'A');  // a small-order point
    EXPECT_EQ(document_code(json), Code::malformed);
}

// [DISC-1]
TEST(ServerDocument, TheNumberOfKeysIsLimitedFromBothSides)
{
    const auto with_keys = [](std::size_t keys, std::size_t old_keys) {
        auto document = a_document();
        document.keys.clear();
        document.old_keys.clear();
        // Two octets make the seed, so that all differ.
        const auto key = [](std::size_t i) {
            std::string seed(32, static_cast<char>(i % 256));
            seed[0] = static_cast<char>(i / 256);
            seed[1] = 'k';
            return DocumentKey{SigningKey::from_seed(seed)->public_key(), 0, 0, 0};
        };
        for (std::size_t i = 0; i < keys; ++i) document.keys.push_back(key(i));
        for (std::size_t i = 0; i < old_keys; ++i) document.old_keys.push_back(key(1000 + i));
        return parse_well_known(write_server_document(document), name, strict).has_value();
    };
    EXPECT_TRUE(with_keys(32, 256));
    EXPECT_FALSE(with_keys(33, 0));
    EXPECT_FALSE(with_keys(1, 257));
}

// [DISC-2]
TEST(ServerDocument, TheSizeIsLimitedFromBothSides)
{
    auto json = a_json();
    json["pad"] = "";
    json["pad"] = std::string(max_document_octets - json.dump().size(), 'x');
    EXPECT_EQ(json.dump().size(), max_document_octets);
    EXPECT_EQ(document_code(json), Code::internal);
    json["pad"] = json["pad"].get<std::string>() + 'x';
    EXPECT_EQ(document_code(json), Code::too_large);
}

TEST(ServerDocument, ADelegationNamesAnOrigin)
{
    const auto read =
        parse_well_known(R"({"delegate":"https://chat.a.example","x":1})", name, strict);
    ASSERT_TRUE(read);
    EXPECT_EQ(std::get<Delegation>(*read).origin, "https://chat.a.example");
    EXPECT_FALSE(parse_well_known(R"({"delegate":"https://chat.a.example/x"})", name, strict));
    EXPECT_FALSE(parse_well_known(R"({"delegate":5})", name, strict));
    EXPECT_FALSE(parse_well_known(R"([])", name, strict));
    EXPECT_FALSE(parse_well_known(
        R"({"delegate":"https://a.example","delegate":"https://b.example"})", name, strict));
}

// [DISC-5]
TEST(JwkSet, HoldsTheSigningKeysAndNotTheRecoveryKey)
{
    const auto set = nlohmann::json::parse(write_jwk_set(a_document()));
    ASSERT_EQ(set["keys"].size(), 1U);
    EXPECT_EQ(set["keys"][0]["x"], a_document().keys[0].key.x());
    EXPECT_EQ(set["keys"][0]["kid"], a_document().keys[0].key.thumbprint().str());
}

// [DISC-1]
TEST(HttpsOrigin, HasAHostAndPerhapsAPort)
{
    const auto plain = parse_https_origin("https://chat.a.example");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->host, "chat.a.example");
    EXPECT_EQ(plain->port, 443);
    EXPECT_EQ(parse_https_origin("https://chat.a.example:8443")->port, 8443);
    EXPECT_EQ(parse_https_origin("https://a.example:65535")->port, 65535);
    for (const std::string text :
         {"", "https://", "http://a.example", "https://a.example/",
          "https://a.example:", "https://a.example:0", "https://a.example:0443",
          "https://a.example:65536", "https://a.example:4x", "https://A.example",
          "https://a.example?q", "https://a.example#f", "https://u@a.example", "https://192.0.2.1",
          "https://[2001:db8::1]", "HTTPS://a.example"}) {
        EXPECT_FALSE(parse_https_origin(text)) << text;
    }
}

}  // namespace
}  // namespace entente::protocol
