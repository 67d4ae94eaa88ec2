// The live hub without sockets: what one user may follow over all of them.
#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "api/live_hub.hpp"
#include "memory_channels.hpp"
#include "no_people.hpp"

namespace entente::api::testing {
namespace {

Caller caller(const std::string& name)
{
    Caller someone;
    someone.user = protocol::UserId::trusted(name + "@a.test");
    return someone;
}

protocol::ChannelId channel(std::size_t number)
{
    return protocol::ChannelId::trusted("channel-" + std::to_string(number) + "@a.test");
}

TEST(LiveHub, AUserFollowsSoManyChannelsOverAllSocketsAndNoMore)
{
    boost::asio::io_context io;
    MemoryChannels channels;
    NoPeople people;
    LiveHub hub(channels, people);
    std::vector<std::shared_ptr<Follower>> sockets;
    for (std::size_t i = 0; i < max_followed_by_user / max_followed_channels; ++i) {
        sockets.push_back(hub.connect(caller("alice"), io.get_executor()));
        for (std::size_t k = 0; k < max_followed_channels; ++k)
            ASSERT_TRUE(sockets.back()->follow(channel(k), 0));
        const auto beyond = sockets.back()->follow(channel(max_followed_channels), 0);
        ASSERT_FALSE(beyond);
        EXPECT_EQ(beyond.error().code, Code::too_large);
    }
    const auto late = hub.connect(caller("alice"), io.get_executor());
    EXPECT_FALSE(late->follow(channel(0), 0));
    // What is followed may be followed anew, and others are nobody's loss.
    EXPECT_TRUE(sockets.front()->follow(channel(0), 7));
    EXPECT_TRUE(hub.connect(caller("bob"), io.get_executor())->follow(channel(0), 0));
    sockets.pop_back();
    EXPECT_TRUE(late->follow(channel(0), 0));
}

}  // namespace
}  // namespace entente::api::testing
