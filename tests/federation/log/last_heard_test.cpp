// When peers were last heard.
#include "federation/links/last_heard.hpp"

#include <gtest/gtest.h>

namespace entente::federation {
namespace {

protocol::ServerName server(std::size_t number)
{
    return protocol::ServerName::trusted("s" + std::to_string(number) + ".example");
}

TEST(LastHeard, KnowsTheLastTimeOfEach)
{
    LastHeard heard;
    EXPECT_EQ(heard.of(server(1)), 0);
    heard.note(server(1), 5);
    heard.note(server(2), 6);
    heard.note(server(1), 7);
    EXPECT_EQ(heard.of(server(1)), 7);
    EXPECT_EQ(heard.of(server(2)), 6);
}

TEST(LastHeard, ForgetsTheLongestSilentBeyondItsBound)
{
    LastHeard heard;
    for (std::size_t i = 0; i < LastHeard::most_servers; ++i)
        heard.note(server(i), static_cast<protocol::Millis>(i + 1));
    EXPECT_EQ(heard.size(), LastHeard::most_servers);
    EXPECT_EQ(heard.of(server(0)), 1);
    heard.note(server(0), 9'000);
    heard.note(server(LastHeard::most_servers), 9'001);
    EXPECT_EQ(heard.size(), LastHeard::most_servers);
    EXPECT_EQ(heard.of(server(0)), 9'000);
    EXPECT_EQ(heard.of(server(1)), 0);
}

}  // namespace
}  // namespace entente::federation
