// Changes of people between real servers.
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

using News = WorldTest;

TEST_F(News, AChangeIsHeardOnTheOtherServerWhichThenAsksAnew)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    EXPECT_EQ(alice.call("GET", "/users/" + bob.user()).at("name"), "");
    auto socket = alice.open_socket();
    bob.call("PATCH", "/users/me", {{"name", "Bob"}});
    EXPECT_EQ(socket.read_until("changed").at("changed").at("user"), bob.user());
    EXPECT_EQ(alice.call("GET", "/users/" + bob.user()).at("name"), "Bob");
    bob.call("POST", "/keys/upload", {{"keys", {{"identity", "i"}}}});
    EXPECT_EQ(socket.read_until("changed").at("changed").at("user"), bob.user());
    EXPECT_EQ(alice.call("GET", "/users/" + bob.user()).at("devices").at(0).at("keys"),
              (json{{"identity", "i"}}));
}

}  // namespace
}  // namespace entente::e2e
