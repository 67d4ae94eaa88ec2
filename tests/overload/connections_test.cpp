// Connections that cost their makers nothing: slow ones in every phase, idle ones, and such
// as hand in request after request without a pause.
#include <filesystem>
#include <iostream>
#include <thread>

#include <fcntl.h>

#include "tests/overload/connections.hpp"
#include "tests/overload/overload_test.hpp"

namespace entente::overload {
namespace {

using e2e::Milliseconds;

// What one connection costs at most: TLS, the octets of a record and of a head.
constexpr double slow_kib = 100, idle_kib = 48;

class ManyConnections : public OverloadTest {
 protected:
    [[nodiscard]] static std::string begun_post()
    {
        return "POST /api/v1/auth/login HTTP/1.1\r\nHost: a.test\r\nContent-Length: 60000\r\n\r\n{";
    }
    // Every 500 ms an octet on each, until the server has closed all or the time is over.
    static void drip_on(Connections& connections, Milliseconds time)
    {
        const auto end = std::chrono::steady_clock::now() + time;
        while (connections.open() > 0 && std::chrono::steady_clock::now() < end) {
            connections.drip("x");
            std::this_thread::sleep_for(Milliseconds(500));
        }
    }
};

TEST_F(ManyConnections, SlowOnesInEveryPhaseAreEndedAndHoldUpNobody)
{
    open({"a.test"});
    make_bystanders();
    const auto each = scale().slow_connections / 3;
    Connections connections(a());
    const auto made = static_cast<double>(3 * each);
    endure(16 + made * slow_kib / 1024, [&] {
        for (std::size_t i = 0; i < each; ++i) {
            connections.add_in_handshake();
            connections.add_in_tls("GET /health HTTP/1.1\r\nHo");
            connections.add_in_tls(begun_post());
        }
        // A second and a half of dawdling is enough in CI: the ten seconds after which each
        // phase ends have unit tests.
        drip_on(connections, scale().full ? Milliseconds(25'000) : Milliseconds(1'500));
    });
    std::cout << "slow:       " << connections.size() << " made, " << connections.open() << " left"
              << std::endl;
    if (scale().full) EXPECT_EQ(connections.open(), 0U);
}

TEST_F(ManyConnections, IdleOnesCostLittle)
{
    open({"a.test"});
    make_bystanders();
    const auto count = scale().idle_connections;
    Connections connections(a());
    endure(16 + static_cast<double>(count) * idle_kib / 1024, [&] {
        for (std::size_t i = 0; i < count; ++i) connections.add_in_tls("");
        std::this_thread::sleep_for(scale().full ? scale().flood : Milliseconds(500));
    });
    // An idle connection is let go after 75 s.
    if (scale().flood < Milliseconds(50'000)) EXPECT_EQ(connections.open(), count);
}

// Sends without a pause, and reads whatever comes.
TEST_F(ManyConnections, RequestsWithoutAPauseAreServedInTurn)
{
    open({"a.test"});
    make_bystanders();
    std::string many;
    for (int i = 0; i < 500; ++i) many += "GET /health HTTP/1.1\r\nHost: a.test\r\n\r\n";
    const bench::TlsClient tls("a.test", a().port(), world().ca_file());
    const bench::TlsSession ssl(tls.connect("127.0.8.3"));
    const int fd = SSL_get_fd(ssl.get());
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    std::size_t octets = 0;
    endure(16, [&] {
        const auto end = std::chrono::steady_clock::now() + scale().flood;
        std::string answer(64 * 1024, '\0');
        std::string_view rest = many;
        while (std::chrono::steady_clock::now() < end) {
            const int put = SSL_write(ssl.get(), rest.data(), static_cast<int>(rest.size()));
            if (put > 0) rest.remove_prefix(static_cast<std::size_t>(put));
            if (rest.empty()) rest = many;
            const int got = SSL_read(ssl.get(), answer.data(), static_cast<int>(answer.size()));
            if (got > 0) octets += static_cast<std::size_t>(got);
        }
    });
    std::cout << "flood:      " << octets / 1024 / 1024 << " MiB of answers" << std::endl;
    EXPECT_GT(octets, 0U);
}

// Whoever takes all descriptors must not be able to stop the stores: one that can't open a
// file counts as a failed disk.
TEST_F(ManyConnections, TheyLeaveTheStoresTheirFiles)
{
    constexpr std::size_t files = 400, for_stores = 128;
    world_ = std::make_unique<e2e::World>(std::vector<std::string>{"a.test"});
    a().limit_files(files);
    a().start();
    make_bystanders();
    Connections connections(a());
    std::size_t most = 0;
    endure(64, [&] {
        for (std::size_t i = 0; i < files; ++i) connections.add_in_handshake();
        std::this_thread::sleep_for(Milliseconds(1'000));
        const std::filesystem::directory_iterator open("/proc/" + std::to_string(a().pid()) +
                                                       "/fd");
        most = static_cast<std::size_t>(std::distance(begin(open), end(open)));
        // Handshakes end after ten seconds: then others come in again.
        e2e::wait_until("there is room again", [&] {
            try {
                return a().get("/ready").status() == 200;
            } catch (const e2e::Broken&) {
                return false;
            }
        });
    });
    std::cout << "files:      " << most << " of " << files << std::endl;
    EXPECT_GT(most, 100U);
    EXPECT_LT(most, files - for_stores);
}

}  // namespace
}  // namespace entente::overload
