// HTTP over a Unix socket: who may connect, what becomes of the file, and that the limits of
// any other listener hold.
#include "net/unix_socket.hpp"

#include <cerrno>
#include <fstream>
#include <thread>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/http_exchange.hpp"
#include "tests/net/support.hpp"

namespace entente::net::test {
namespace {

constexpr std::uint32_t nobody = 65'534;

ListenerOptions unix_listener(const std::string& path)
{
    ListenerOptions options;
    options.unix_socket = UnixListener{path, {::geteuid()}};
    return options;
}

struct stat status_of_file(const std::string& path)
{
    struct stat status{};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status;
}

bool exists(const std::string& path)
{
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0;
}

// Connects, writes, reads until the server closes.
asio::awaitable<std::string> talk_at(asio::any_io_executor executor, std::string path,
                                     std::string octets)
{
    auto connection = connect_unix(executor, path);
    EXPECT_TRUE(connection);
    if (!connection) co_return "";
    (*connection)->deadline_after(15s);
    co_await (*connection)->write(octets);
    co_return co_await read_to_end(**connection);
}

// A listener at `path` while `task` runs.
template <class Task>
void serve_at(const std::string& path, ListenerOptions options, Task task)
{
    asio::io_context context;
    Served served(context, std::move(options));
    run(context, task(served, path));
    EXPECT_EQ(served.tasks.size(), 0U);
}

const std::string ask_and_close = "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

asio::awaitable<void> several_exchanges(Served& served, std::string path)
{
    auto connection = connect_unix(served.tasks.executor(), path);
    EXPECT_TRUE(connection);
    (*connection)->deadline_after(15s);
    Fetch fetch;
    fetch.host = "x";
    fetch.target = "/hello";
    for (int i = 0; i < 3; ++i) {
        auto answer = co_await exchange(**connection, fetch);
        EXPECT_TRUE(answer);
        EXPECT_EQ(answer->response.body, "hello");
        EXPECT_TRUE(answer->reusable);
    }
    EXPECT_EQ(status_of_file(path).st_mode & 07777U, 0600U);
    EXPECT_TRUE(S_ISSOCK(status_of_file(path).st_mode));
    connection->reset();
    co_await served.stop();
    EXPECT_FALSE(exists(path));
}

TEST(UnixSocket, IsMadeForItsOwnerAloneAnswersAndGoesWithItsListener)
{
    const Folder folder;
    const auto path = folder.file("control.sock");
    serve_at(path, unix_listener(path), several_exchanges);
}

asio::awaitable<void> cut_off(Served& served, std::string path)
{
    auto answer = co_await talk_at(served.tasks.executor(), path, ask_and_close);
    EXPECT_EQ(answer, "");
    co_await served.stop();
}

TEST(UnixSocket, WhoIsNotAmongItsUsersIsCutOffUnanswered)
{
    const Folder folder;
    const auto path = folder.file("control.sock");
    auto options = unix_listener(path);
    options.unix_socket->users = {::geteuid() + 1};
    serve_at(path, std::move(options), cut_off);
}

// What another user's process gets when the file's mode doesn't keep it out; -1: the kernel
// did not let it connect.
int octets_that_another_user_gets(const std::string& path)
{
    const auto child = ::fork();
    if (child == 0) {
        if (::setgid(nobody) != 0 || ::setuid(nobody) != 0) ::_exit(100);
        const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            ::_exit(101);
        if (::write(descriptor, ask_and_close.data(), ask_and_close.size()) < 0) ::_exit(0);
        char octet = 0;
        ::_exit(::read(descriptor, &octet, 1) > 0 ? 1 : 0);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 102;
    return code == 101 ? -1 : code;
}

asio::awaitable<void> another_user(Served& served, std::string path)
{
    EXPECT_EQ(octets_that_another_user_gets(path), -1);
    EXPECT_EQ(::chmod(path.c_str(), 0666), 0);
    // The child's connection waits in the queue until the loop runs again, so on a thread.
    asio::steady_timer done(served.tasks.executor(), 1h);
    int got = -2;
    std::thread other([&] {
        const int octets = octets_that_another_user_gets(path);
        asio::post(served.tasks.executor(), [&, octets] {
            got = octets;
            done.cancel();
        });
    });
    boost::system::error_code cancelled;
    co_await done.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    other.join();
    EXPECT_EQ(got, 0);
    co_await served.stop();
}

TEST(UnixSocket, AnotherUsersProcessIsKeptOutByModeAndByTheKernelsWord)
{
    if (::geteuid() != 0) {
        // Only root can become another user; the test before shows the second half of it.
        SUCCEED();
        return;
    }
    const Folder folder;
    std::filesystem::permissions(std::filesystem::path(folder.file("x")).parent_path(),
                                 std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
    const auto path = folder.file("control.sock");
    serve_at(path, unix_listener(path), another_user);
}

asio::awaitable<void> malformed(Served& served, std::string path)
{
    const auto executor = served.tasks.executor();
    auto answer = co_await talk_at(executor, path, "{\"hello\":1}\n\n");
    EXPECT_EQ(status_of(answer), 400);
    answer = co_await talk_at(executor, path, "GET /hello HTTP/1.1\r\n\r\n");
    EXPECT_EQ(status_of(answer), 400);
    answer = co_await talk_at(
        executor, path,
        "GET /hello HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
    EXPECT_EQ(status_of(answer), 413);
    answer = co_await talk_at(
        executor, path,
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n" + std::string(1'001, 'x'));
    EXPECT_EQ(status_of(answer), 413);
    answer = co_await talk_at(executor, path, ask_and_close);
    EXPECT_EQ(status_of(answer), 200);
    co_await served.stop();
}

TEST(UnixSocket, MalformedAndOversizeRequestsAreRefusedAsAnywhere)
{
    const Folder folder;
    const auto path = folder.file("control.sock");
    serve_at(path, unix_listener(path), malformed);
}

asio::awaitable<void> slow(Served& served, std::string path)
{
    auto answer = co_await talk_at(served.tasks.executor(), path, "GET /hello HT");
    EXPECT_EQ(status_of(answer), 408);
    co_await served.stop();
}

TEST(UnixSocket, ASlowClientIsAnsweredInTime)
{
    const Folder folder;
    const auto path = folder.file("control.sock");
    auto options = unix_listener(path);
    options.limits.header_time = 50ms;
    serve_at(path, std::move(options), slow);
}

asio::awaitable<void> too_many(Served& served, std::string path)
{
    const auto executor = served.tasks.executor();
    std::vector<ConnectionPtr> open;
    for (int i = 0; i < 2; ++i) {
        auto connection = connect_unix(executor, path);
        EXPECT_TRUE(connection);
        (*connection)->deadline_after(15s);
        Fetch fetch;
        fetch.host = "x";
        fetch.target = "/hello";
        auto answer = co_await exchange(**connection, fetch);
        EXPECT_TRUE(answer);
        open.push_back(std::move(*connection));
    }
    auto third = co_await talk_at(executor, path, ask_and_close);
    EXPECT_EQ(third, "");
    open.clear();
    co_await served.stop();
}

TEST(UnixSocket, MoreConnectionsThanItsLimitAreClosed)
{
    const Folder folder;
    const auto path = folder.file("control.sock");
    auto options = unix_listener(path);
    options.limits.connections = 2;
    serve_at(path, std::move(options), too_many);
}

asio::awaitable<void> says_hello(Served& served, std::string path)
{
    auto answer = co_await talk_at(served.tasks.executor(), path, ask_and_close);
    EXPECT_EQ(body_of(answer), "hello");
    co_await served.stop();
}

TEST(UnixSocket, AnOldFileAtWhichNobodyAnswersIsReplaced)
{
    const Folder folder;
    const auto path = folder.file("control.sock");
    {
        asio::io_context context;
        Acceptor acceptor(context);
        auto bound = UnixPath::bind(acceptor, path);
        ASSERT_TRUE(bound) << bound.error().detail;
        ASSERT_EQ(::rename(path.c_str(), folder.file("kept").c_str()), 0);
    }
    // As a killed process leaves it.
    ASSERT_EQ(::rename(folder.file("kept").c_str(), path.c_str()), 0);
    serve_at(path, unix_listener(path), says_hello);
    // A link that leads nowhere.
    ASSERT_EQ(::symlink(folder.file("gone").c_str(), path.c_str()), 0);
    serve_at(path, unix_listener(path), says_hello);
}

asio::awaitable<void> is_not_replaced(Served& served, std::string path)
{
    asio::io_context context;
    Acceptor acceptor(context);
    const auto second = UnixPath::bind(acceptor, path);
    EXPECT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::conflict);
    auto answer = co_await talk_at(served.tasks.executor(), path, ask_and_close);
    EXPECT_EQ(body_of(answer), "hello");
    co_await served.stop();
}

TEST(UnixSocket, OneAtWhichSomebodyAnswersIsLeftAlone)
{
    const Folder folder;
    const auto path = folder.file("control.sock");
    serve_at(path, unix_listener(path), is_not_replaced);
}

TEST(UnixSocket, AnotherKindOfFileAndALongPathAreRefused)
{
    const Folder folder;
    const auto path = folder.file("control.sock");
    std::ofstream(path) << "precious";
    asio::io_context context;
    Acceptor acceptor(context);
    const auto bound = UnixPath::bind(acceptor, path);
    ASSERT_FALSE(bound);
    EXPECT_EQ(bound.error().code, Code::conflict);
    EXPECT_TRUE(exists(path));

    Acceptor other(context);
    const auto too_long = UnixPath::bind(other, "/" + std::string(most_unix_path_octets, 'x'));
    ASSERT_FALSE(too_long);
    EXPECT_EQ(too_long.error().code, Code::malformed);
}

TEST(UnixSocket, SaysWhyNobodyCanBeAsked)
{
    const Folder folder;
    asio::io_context context;
    const auto missing = connect_unix(context.get_executor(), folder.file("none"));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Code::not_found);
    std::ofstream(folder.file("file")) << "x";
    const auto no_socket = connect_unix(context.get_executor(), folder.file("file"));
    ASSERT_FALSE(no_socket);
    EXPECT_EQ(no_socket.error().code, Code::not_found);
}

}  // namespace
}  // namespace entente::net::test
