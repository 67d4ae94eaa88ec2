// A server that looks another one up, for the tests of discovery.
#pragma once

#include "federation/discovery/discovery.hpp"

#include <gtest/gtest.h>

#include "protocol/statement.hpp"
#include "tests/federation/edge_rig.hpp"

namespace entente::federation {

using testing_rig::Node;
using testing_rig::text_response;
using testing_rig::World;

inline const ServerName a_test = ServerName::trusted("a.test");
inline const asio::ip::address someone = asio::ip::make_address("192.0.2.1");

class DiscoveryTest : public testing::Test {
 protected:
    DiscoveryTest() { us.open(); }
    Result<trust::PinnedServer> peer(const ServerName& name = a_test)
    {
        return world.run(us.discovery->peer(name));
    }
    Result<PublicKey> request_key(const KeyRef& ref, const asio::ip::address& source = someone)
    {
        auto key = world.run(us.discovery->request_key(ref, source));
        // As the gate does once the signature has verified.
        if (key) EXPECT_TRUE(world.run(us.discovery->prove(ref)));
        return key;
    }
    KeyRef made_up_key()
    {
        return KeyRef{a_test, protocol::SigningKey::generate(world.random).id()};
    }
    // As `ententctl identity rotate` does; returns the old key.
    KeyRef rotate()
    {
        auto& identity = them.identity;
        auto fresh = protocol::SigningKey::generate(world.random);
        auto now = world.clock.now_ms();
        identity.statements.push_back(
            protocol::make_rotation(identity.name, identity.key.id(), fresh, now, identity.key));
        identity.old_keys.push_back({identity.key.public_key(), identity.from, now, 0});
        auto old = them.key_ref();
        identity.key = std::move(fresh);
        identity.from = now;
        return old;
    }
    void serve_changed_key()
    {
        them.identity.key = protocol::SigningKey::generate(world.random);
        them.identity.api = "https://d.test";
    }

    World world;
    Node them{world, "a.test"};
    Node us{world, "b.test"};
};

}  // namespace entente::federation
