#include "net/router.hpp"

#include <gtest/gtest.h>

namespace entente::net {
namespace {

Router make_router()
{
    Router router;
    router.add({"GET", "/channels/{id}", 0, nullptr});
    router.add({"GET", "/channels/dm", 1, nullptr});
    router.add({"POST", "/channels", 2, nullptr});
    router.add({"GET", "/channels", 3, nullptr});
    router.add({"GET", "/channels/{id}/log", 4, nullptr});
    router.add({"GET", "/", 5, nullptr});
    router.add({"DELETE", "/channels/{id}", 6, nullptr});
    router.add_websocket("/ws", WebSocketHandler());
    return router;
}

TEST(Router, PrefersLiteralSegments)
{
    const auto router = make_router();
    EXPECT_EQ(router.match("GET", "/channels/dm").route->max_body, 1U);
    const auto match = router.match("GET", "/channels/%41@a.test");
    ASSERT_NE(match.route, nullptr);
    EXPECT_EQ(match.route->max_body, 0U);
    EXPECT_EQ(match.captures, std::vector<std::string>{"%41@a.test"});
    EXPECT_EQ(router.match("GET", "/channels/x/log").route->max_body, 4U);
    EXPECT_EQ(router.match("GET", "/").route->max_body, 5U);
}

TEST(Router, TellsTheMethodsOfAKnownPath)
{
    const auto router = make_router();
    EXPECT_EQ(router.match("PUT", "/channels").allow, "POST, GET, HEAD");
    EXPECT_EQ(router.match("POST", "/channels/x").allow, "GET, HEAD, DELETE");
    EXPECT_EQ(router.match("POST", "/channels/dm").allow, "GET, HEAD");
    EXPECT_EQ(router.match("POST", "/ws").allow, "GET");
    EXPECT_EQ(router.match("get", "/channels").route, nullptr);
}

TEST(Router, KnowsNoOtherPaths)
{
    const auto router = make_router();
    for (const char* path : {"", "/channel", "/channels/", "/channels//log", "/channels/x/log/",
                             "//channels", "channels", "/ws/x", "/{id}"}) {
        const auto match = router.match("GET", path);
        EXPECT_EQ(match.route, nullptr) << path;
        EXPECT_EQ(match.websocket, nullptr) << path;
        EXPECT_EQ(match.allow, "") << path;
    }
}

TEST(Router, AnswersHeadByGet)
{
    const auto router = make_router();
    EXPECT_EQ(router.match("HEAD", "/channels").route->max_body, 3U);
    EXPECT_NE(router.match("GET", "/ws").websocket, nullptr);
    EXPECT_EQ(router.match("HEAD", "/ws").websocket, nullptr);
}

}  // namespace
}  // namespace entente::net
