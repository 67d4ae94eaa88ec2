// Readers that ask and never read: what waits for them is bounded, and for others there is
// always some room.
#include <algorithm>
#include <thread>

#include "tests/overload/connections.hpp"
#include "tests/overload/overload_test.hpp"
#include "tests/overload/post_flood.hpp"

namespace entente::overload {
namespace {

using e2e::Client;
using e2e::json;
using e2e::Milliseconds;

class DeafReaders : public OverloadTest {
 protected:
    // A channel with so many messages of 30 KiB.
    void fill(std::size_t messages)
    {
        writer_ = person("a.test", "writer", "127.0.8.2");
        channel_ = writer_->create_channel("long");
        for (std::size_t i = 0; i < messages; ++i) post();
    }
    void post() { writer_->post(channel_, std::string(30 * 1024, 'r')); }
    [[nodiscard]] std::string upgrade() const
    {
        const e2e::Fields fields{{"Upgrade", "websocket"},
                                 {"Connection", "Upgrade"},
                                 {"Sec-WebSocket-Version", "13"},
                                 {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
        return e2e::write_request("GET", "/api/v1/ws?ticket=" + writer_->open_ticket(), "a.test",
                                  fields, "");
    }

    std::unique_ptr<Client> writer_;
    std::string channel_;
};

// 256 KiB each, of all together 128 MiB and what each may always have.
TEST_F(DeafReaders, OnWebSocketsHoldWhatIsStatedAndNoMore)
{
    const std::size_t count = scale().full ? 1'000 : 100;
    open({"a.test"});
    fill(100);
    make_bystanders();
    Connections sockets(a());
    bench::FrameText follow;
    follow.append(json{{"follow", {{channel_, 0}}}}.dump());
    const auto each_mib = (256 + 2 * 96) / 1024.0;
    endure(24 + std::min(static_cast<double>(count) * each_mib, 320.0), [&] {
        for (std::size_t i = 0; i < count; ++i) {
            sockets.add_in_tls(upgrade(), Window::small);
        }
        std::this_thread::sleep_for(Milliseconds(200));
        sockets.drip(follow.finish());
        const auto end = std::chrono::steady_clock::now() + scale().flood;
        while (std::chrono::steady_clock::now() < end) post();
    });
    // A reader that is cut off is so for itself alone: the writer's log is whole.
    EXPECT_GT(writer_->log(channel_, 100).size(), 0U);
}

// 32 MiB for each address, 256 MiB for all; beyond it they are told to come again.
TEST_F(DeafReaders, OfPagesHoldWhatIsStatedAndNoMore)
{
    const std::size_t count = scale().full ? 1'000 : 150;
    open({"a.test"});
    fill(40);
    make_bystanders();
    Connections connections(a());
    const auto request =
        e2e::write_request("GET", "/api/v1/channels/" + channel_ + "/messages?after=0&limit=1000",
                           "a.test", {{"Authorization", "Bearer " + writer_->access_token()}}, "");
    endure(24 + 32 * 1.5, [&] {
        for (std::size_t i = 0; i < count; ++i) connections.add_in_tls(request, Window::small);
        std::this_thread::sleep_for(scale().flood);
    });
    const auto page = writer_->request("GET", "/channels/" + channel_ + "/messages?after=0");
    EXPECT_EQ(page.status, 200);
}

}  // namespace
}  // namespace entente::overload
