#include "net/socket_core.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace entente::net {
namespace {

using Results = std::vector<Result<void>>;

// Closes the connection as soon as one of its waits is over.
void wait_and_close(asio::io_context& io, const std::shared_ptr<SocketCore>& core, Results& results)
{
    asio::co_spawn(io, core->wait(SocketCore::Socket::wait_read),
                   [core, &results](const std::exception_ptr& thrown, Result<void> result) {
                       if (thrown) std::rethrow_exception(thrown);
                       results.push_back(std::move(result));
                       core->close();
                   });
}

// One octet ends both. Whoever goes on second would use the number of a descriptor that another
// file may have by then.
TEST(SocketCore, AWaitThatEndsBehindACloseIsAnError)
{
    asio::io_context io;
    asio::local::stream_protocol::socket ours(io);
    asio::local::stream_protocol::socket theirs(io);
    asio::local::connect_pair(ours, theirs);
    const auto core = std::make_shared<SocketCore>(SocketCore::Socket(std::move(ours)));
    Results results;
    wait_and_close(io, core, results);
    wait_and_close(io, core, results);
    io.poll();
    ASSERT_TRUE(results.empty());
    ASSERT_EQ(::write(theirs.native_handle(), "x", 1), 1);
    io.restart();
    io.run();
    ASSERT_EQ(results.size(), 2U);
    EXPECT_TRUE(results[0]);
    EXPECT_FALSE(results[1]);
}

}  // namespace
}  // namespace entente::net
