// Another server's answer, as the HTTP client reads it.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "net/http_exchange.hpp"

namespace {

using namespace entente::net;
using entente::Result;

// Gives `wire` in small parts and takes whatever is written.
class Played final : public Connection {
 public:
    Played(asio::any_io_executor executor, std::string_view wire, std::size_t step)
        : executor_(std::move(executor)), wire_(wire), step_(step)
    {
    }
    asio::awaitable<Result<std::size_t>> read_some(char* data, std::size_t size) override
    {
        const auto part = wire_.substr(0, std::min(step_, size));
        std::memcpy(data, part.data(), part.size());
        wire_.remove_prefix(part.size());
        co_return part.size();
    }
    asio::awaitable<Result<void>> write(std::string_view) override { co_return Result<void>(); }
    Result<std::size_t> write_at_once(std::string_view octets) override { return octets.size(); }
    void deadline_after(std::chrono::milliseconds) override {}
    void no_deadline() override {}
    asio::awaitable<void> shutdown() override { co_return; }
    void abort() override {}
    asio::ip::tcp::endpoint remote() const override { return {}; }
    asio::any_io_executor executor() override { return executor_; }

 private:
    asio::any_io_executor executor_;
    std::string_view wire_;
    std::size_t step_;
};

asio::awaitable<void> ask(Played& connection, Fetch fetch)
{
    const auto done = co_await exchange(connection, fetch);
    if (done && done->response.body.size() > fetch.max_body) std::abort();
    if (done && done->response.status < 200) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    asio::io_context context;
    const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
    Played connection(context.get_executor(), wire, data[0] / 2 + 1U);
    Fetch fetch;
    fetch.method = data[0] % 2 == 0 ? "GET" : "HEAD";
    fetch.host = "a.test";
    fetch.target = "/";
    fetch.max_body = 4'096;
    bool ended = false;
    asio::co_spawn(context, ask(connection, fetch), [&](const std::exception_ptr& thrown) {
        if (thrown) std::abort();
        ended = true;
    });
    context.run();
    if (!ended) std::abort();
    return 0;
}
