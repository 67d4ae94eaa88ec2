// What a supervisor is told, by a real datagram socket, and what sockets are taken from it.
#include "daemon/supervisor.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <map>
#include <memory>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/daemon/scratch_folder.hpp"

namespace entente::daemon {
namespace {

Variable variables(std::map<std::string, std::string> values)
{
    return [values = std::move(values)](const char* name) -> std::optional<std::string> {
        const auto found = values.find(name);
        if (found == values.end()) return std::nullopt;
        return found->second;
    };
}

// The other end: what a supervisor binds. `name` as in NOTIFY_SOCKET.
class Listening {
 public:
    explicit Listening(const std::string& name)
    {
        descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        const bool is_abstract = name[0] == '@';
        if (is_abstract) address.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() +
                                                 (is_abstract ? 0U : 1U));
        EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size), 0) << name;
    }
    ~Listening() { ::close(descriptor_); }
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;

    std::string next()
    {
        std::array<char, 1024> octets{};
        const auto got = ::recv(descriptor_, octets.data(), octets.size(), 0);
        return got < 0 ? std::string("nothing") : std::string(octets.data(), std::size_t(got));
    }

 private:
    int descriptor_ = -1;
};

TEST(Supervisor, IsToldOfEachStateInTheProtocolsWords)
{
    const ScratchFolder scratch;
    const auto path = scratch / "notify";
    Listening listening(path);
    Supervisor supervisor(variables({{"NOTIFY_SOCKET", path}}));
    ASSERT_TRUE(supervisor.is_there());
    supervisor.ready("serving a.test");
    EXPECT_EQ(listening.next(), "READY=1\nSTATUS=serving a.test");
    supervisor.reloading();
    const auto reloading = listening.next();
    EXPECT_TRUE(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC=")) << reloading;
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto told = std::stoll(reloading.substr(reloading.find("USEC=") + 5));
    EXPECT_NEAR(double(told), double(now.tv_sec) * 1e6 + double(now.tv_nsec) / 1e3, 10e6);
    supervisor.status("the disk is full");
    EXPECT_EQ(listening.next(), "STATUS=the disk is full");
    supervisor.alive();
    EXPECT_EQ(listening.next(), "WATCHDOG=1");
    supervisor.stopping();
    EXPECT_TRUE(listening.next().starts_with("STOPPING=1\n"));
    EXPECT_EQ(listening.next(), "nothing");
}

TEST(Supervisor, IsReachedInTheAbstractNamespaceToo)
{
    const auto name = "@entente-test-" + std::to_string(::getpid());
    Listening listening(name);
    Supervisor supervisor(variables({{"NOTIFY_SOCKET", name}}));
    supervisor.alive();
    EXPECT_EQ(listening.next(), "WATCHDOG=1");
}

TEST(Supervisor, WithoutOneNothingIsSaid)
{
    for (const auto* address : {"", "/", "relative", "vsock:2:1"}) {
        Supervisor supervisor(variables({{"NOTIFY_SOCKET", address}, {"WATCHDOG_USEC", "1000"}}));
        EXPECT_FALSE(supervisor.is_there()) << address;
        EXPECT_FALSE(supervisor.patience()) << address;
        supervisor.ready("x");
    }
    EXPECT_FALSE(Supervisor(variables({})).is_there());
    const std::string longest = "/" + std::string(sizeof(sockaddr_un::sun_path) - 2, 'a');
    EXPECT_TRUE(Supervisor(variables({{"NOTIFY_SOCKET", longest}})).is_there());
    EXPECT_FALSE(Supervisor(variables({{"NOTIFY_SOCKET", longest + "a"}})).is_there());
}

// A queue that nobody empties must not stop the loop that says that it lives.
TEST(Supervisor, AFullQueueHoldsNothingUp)
{
    const ScratchFolder scratch;
    Listening listening(scratch / "notify");
    Supervisor supervisor(variables({{"NOTIFY_SOCKET", scratch / "notify"}}));
    for (int i = 0; i < 10'000; ++i) supervisor.alive();
    EXPECT_EQ(listening.next(), "WATCHDOG=1");
}

TEST(Supervisor, ItsPatienceIsForTheProcessThatItMeans)
{
    const auto patience = [](std::map<std::string, std::string> values) {
        values["NOTIFY_SOCKET"] = "/nowhere";
        return Supervisor(variables(std::move(values))).patience();
    };
    const auto self = std::to_string(::getpid());
    EXPECT_EQ(patience({{"WATCHDOG_USEC", "60000000"}}), std::chrono::seconds(60));
    EXPECT_EQ(patience({{"WATCHDOG_USEC", "1"}, {"WATCHDOG_PID", self}}),
              std::chrono::microseconds(1));
    EXPECT_FALSE(patience({{"WATCHDOG_USEC", "1"}, {"WATCHDOG_PID", "1"}}));
    EXPECT_FALSE(patience({{"WATCHDOG_USEC", "0"}}));
    EXPECT_FALSE(patience({{"WATCHDOG_USEC", "soon"}}));
    EXPECT_FALSE(patience({}));
}

// Real sockets, from descriptor `first` on.
class Handover : public ::testing::Test {
 protected:
    static constexpr int first = 700;

    void TearDown() override
    {
        for (int i = first; i < next_; ++i) ::close(i);
    }

    SocketAddress pass(const char* host, bool listens = true, int type = SOCK_STREAM)
    {
        const auto address = boost::asio::ip::make_address(host);
        SocketAddress bound{address, 0};
        const int fd = ::socket(address.is_v6() ? AF_INET6 : AF_INET, type, 0);
        if (address.is_v6()) {
            sockaddr_in6 in{};
            in.sin6_family = AF_INET6;
            const auto bytes = address.to_v6().to_bytes();
            std::memcpy(&in.sin6_addr, bytes.data(), bytes.size());
            EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
            socklen_t size = sizeof in;
            ::getsockname(fd, reinterpret_cast<sockaddr*>(&in), &size);
            bound.port = ntohs(in.sin6_port);
        } else {
            sockaddr_in in{};
            in.sin_family = AF_INET;
            in.sin_addr.s_addr = htonl(address.to_v4().to_uint());
            EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
            socklen_t size = sizeof in;
            ::getsockname(fd, reinterpret_cast<sockaddr*>(&in), &size);
            bound.port = ntohs(in.sin_port);
        }
        if (listens) {
            EXPECT_EQ(::listen(fd, 1), 0);
        }
        EXPECT_EQ(::dup2(fd, next_), next_);
        ++next_;
        ::close(fd);
        return bound;
    }

    [[nodiscard]] Variable handed_over(const std::string& names) const
    {
        return variables({{"LISTEN_PID", std::to_string(::getpid())},
                          {"LISTEN_FDS", std::to_string(next_ - first)},
                          {"LISTEN_FDNAMES", names}});
    }

    int next_ = first;
};

TEST_F(Handover, SocketsComeWithTheirNamesAndAddresses)
{
    const auto v6 = pass("::1");
    const auto v4 = pass("127.0.0.1");
    const auto passed = take_passed_sockets(handed_over("https:metrics"), first);
    ASSERT_TRUE(passed.has_value());
    ASSERT_EQ(passed->size(), 2U);
    EXPECT_EQ(passed->at(0).name, "https");
    EXPECT_EQ(passed->at(0).address, v6);
    EXPECT_EQ(passed->at(1).name, "metrics");
    EXPECT_EQ(passed->at(1).address, v4);
    EXPECT_NE(::fcntl(first, F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(Handover, WhatIsForAnotherProcessIsLeftAlone)
{
    (void)pass("127.0.0.1");
    const auto others = variables({{"LISTEN_PID", "1"}, {"LISTEN_FDS", "1"}});
    EXPECT_TRUE(take_passed_sockets(others, first)->empty());
    EXPECT_TRUE(take_passed_sockets(variables({{"LISTEN_FDS", "1"}}), first)->empty());
    EXPECT_TRUE(take_passed_sockets(variables({}), first)->empty());
}

TEST_F(Handover, WhatDoesntListenForTcpIsRefused)
{
    const auto expect_refusal = [&] {
        const auto passed = take_passed_sockets(handed_over("x"), first);
        ASSERT_FALSE(passed.has_value());
        EXPECT_NE(passed.error().detail.find("ListenStream="), std::string::npos);
    };
    (void)pass("127.0.0.1", false);
    expect_refusal();
    next_ = first;
    (void)pass("127.0.0.1", false, SOCK_DGRAM);
    expect_refusal();
    ::close(first);  // nothing at all
    expect_refusal();
}

TEST(HandoverCount, MoreThan256IsAFault)
{
    const auto passed = take_passed_sockets(
        variables({{"LISTEN_PID", std::to_string(::getpid())}, {"LISTEN_FDS", "257"}}), 700);
    ASSERT_FALSE(passed.has_value());
    EXPECT_NE(passed.error().detail.find("256"), std::string::npos);
}

TEST(SocketFor, IsTheOneOfThatNameAndAddressAndOnlyOnce)
{
    ListenerConfig listener;
    listener.socket = "https";
    listener.address = *parse_socket_address("[::]:443");
    std::vector<PassedSocket> passed{{7, "other", listener.address},
                                     {8, "https", *parse_socket_address("0.0.0.0:443")},
                                     {9, "https", listener.address}};
    EXPECT_EQ(socket_for(listener, passed), 9);
    EXPECT_EQ(passed.size(), 2U);
    const auto second = socket_for(listener, passed);
    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().detail.find("0.0.0.0:443"), std::string::npos);
    EXPECT_NE(second.error().detail.find("[::]:443"), std::string::npos);
    listener.socket = "unknown";
    EXPECT_EQ(socket_for(listener, passed), -1);
    listener.socket.clear();
    EXPECT_EQ(socket_for(listener, passed), -1);
}

}  // namespace
}  // namespace entente::daemon
