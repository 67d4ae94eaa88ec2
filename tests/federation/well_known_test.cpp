#include "federation/discovery/well_known.hpp"

#include <gtest/gtest.h>

#include "tests/federation/edge_rig.hpp"

namespace entente::federation {
namespace {

using testing_rig::Node;
using testing_rig::World;

class WellKnownTest : public testing::Test {
 protected:
    WellKnownTest() { add_well_known(router, us.identity); }
    net::Response get(const std::string& path)
    {
        auto match = router.match("GET", path);
        EXPECT_NE(match.route, nullptr) << path;
        net::Request request;
        request.method = "GET";
        request.target = request.path = path;
        return world.run(match.route->handler(request));
    }

    World world;
    Node us{world, "b.test"};
    net::Router router;
};

TEST_F(WellKnownTest, TheServerDocumentReadsBackAsTheIdentity)
{
    us.identity.limits.items = 77;
    auto old_key = protocol::SigningKey::generate(world.random);
    us.identity.old_keys.push_back({old_key.public_key(), 1, 2, 0});
    auto response = get("/.well-known/entente");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "application/json");
    auto parsed = protocol::parse_well_known(response.body, us.identity.name, us.identity.names);
    ASSERT_TRUE(parsed) << parsed.error().detail;
    const auto& read = std::get<protocol::ServerDocument>(*parsed);
    EXPECT_EQ(read.server, us.identity.name);
    EXPECT_EQ(read.api, us.identity.api);
    EXPECT_EQ(read.recovery, us.identity.recovery);
    EXPECT_EQ(read.limits, us.identity.limits);
    ASSERT_EQ(read.keys.size(), 1U);
    EXPECT_EQ(read.keys[0].key, us.identity.key.public_key());
    ASSERT_EQ(read.old_keys.size(), 1U);
    EXPECT_EQ(read.old_keys[0].until, 2);
}

// [DISC-5]
TEST_F(WellKnownTest, TheJwkSetShowsTheSigningKeyAndNotTheRecoveryKey)
{
    auto response = get("/.well-known/http-message-signatures-directory");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "application/http-message-signatures-directory+json");
    EXPECT_NE(response.body.find(us.identity.key.public_key().x()), std::string::npos);
    EXPECT_EQ(response.body.find(us.identity.recovery.x()), std::string::npos);
}

// [DISC-5]
TEST_F(WellKnownTest, TheJwkSetShowsNoOldKey)
{
    auto old_key = protocol::SigningKey::generate(world.random);
    us.identity.old_keys.push_back({old_key.public_key(), 1, 2, 0});
    auto response = get("/.well-known/http-message-signatures-directory");
    EXPECT_EQ(response.body.find(old_key.public_key().x()), std::string::npos);
    EXPECT_NE(response.body.find(us.identity.key.public_key().x()), std::string::npos);
}

TEST_F(WellKnownTest, ADocumentHoldsTheNewestStatementsThatFit)
{
    for (int i = 0; i < 300; ++i) {
        us.identity.statements.push_back(std::to_string(i) + std::string(400, 's'));
        us.identity.old_keys.push_back(
            {protocol::SigningKey::generate(world.random).public_key(), i, i + 1, 0});
    }
    const auto document = federation::document(us.identity);
    const auto text = protocol::write_server_document(document);
    EXPECT_LE(text.size(), protocol::max_document_octets);
    EXPECT_GT(text.size() + 403, protocol::max_document_octets);
    EXPECT_TRUE(protocol::parse_well_known(text, us.identity.name, us.identity.names));
    ASSERT_FALSE(document.statements.empty());
    EXPECT_EQ(document.statements.back(), us.identity.statements.back());
    EXPECT_EQ(document.old_keys.back().until, 300);

    us.identity.old_keys.resize(60, us.identity.old_keys.front());
    us.identity.statements.resize(100);
    EXPECT_EQ(federation::document(us.identity).statements, us.identity.statements);
    EXPECT_EQ(federation::document(us.identity).old_keys.size(), 60U);
}

TEST_F(WellKnownTest, ChangesOfTheIdentityShowAtOnce)
{
    us.identity.key = protocol::SigningKey::generate(world.random);
    auto response = get("/.well-known/entente");
    EXPECT_NE(response.body.find(us.identity.key.public_key().x()), std::string::npos);
}

}  // namespace
}  // namespace entente::federation
