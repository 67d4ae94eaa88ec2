#include "net/plain_stream.hpp"

#include <boost/asio/buffer.hpp>

namespace entente::net {

namespace {

class PlainConnection final : public Connection {
 public:
    explicit PlainConnection(std::shared_ptr<SocketCore> core) : core_(std::move(core)) {}
    ~PlainConnection() override { core_->close(); }

    asio::awaitable<Result<std::size_t>> read_some(char* data, std::size_t size) override
    {
        const auto core = core_;
        while (true) {
            boost::system::error_code error;
            const auto count = core->socket().read_some(asio::buffer(data, size), error);
            if (!error) {
                if (core->is_turn_over()) co_await core->give_way();
                co_return count;
            }
            if (error == asio::error::eof) co_return std::size_t{0};
            if (error != asio::error::would_block) {
                co_return fail(Code::unavailable, "read: " + error.message());
            }
            auto ready = co_await core->wait(SocketCore::Socket::wait_read);
            if (!ready) co_return fail(ready);
        }
    }

    asio::awaitable<Result<void>> write(std::string_view octets) override
    {
        const auto core = core_;
        while (!octets.empty()) {
            boost::system::error_code error;
            const auto count =
                core->socket().write_some(asio::buffer(octets.data(), octets.size()), error);
            octets.remove_prefix(count);
            if (!error) {
                if (!octets.empty() && core->is_turn_over()) co_await core->give_way();
                continue;
            }
            if (error != asio::error::would_block) {
                co_return fail(Code::unavailable, "write: " + error.message());
            }
            auto ready = co_await core->wait(SocketCore::Socket::wait_write);
            if (!ready) co_return fail(ready);
        }
        co_return Result<void>();
    }

    Result<std::size_t> write_at_once(std::string_view octets) override
    {
        std::size_t written = 0;
        while (written < octets.size()) {
            const auto left = octets.substr(written);
            boost::system::error_code error;
            written += core_->socket().write_some(asio::buffer(left.data(), left.size()), error);
            if (error == asio::error::would_block) break;
            if (error) return fail(Code::unavailable, "write: " + error.message());
        }
        return written;
    }

    void deadline_after(std::chrono::milliseconds timeout) override
    {
        core_->deadline_after(timeout);
    }
    void no_deadline() override { core_->no_deadline(); }
    asio::awaitable<void> shutdown() override { return core_->linger_and_close(); }
    void abort() override { core_->close(); }
    asio::ip::tcp::endpoint remote() const override { return core_->remote(); }
    asio::any_io_executor executor() override { return core_->socket().get_executor(); }

 private:
    std::shared_ptr<SocketCore> core_;
};

}  // namespace

ConnectionPtr make_plain_connection(std::shared_ptr<SocketCore> core)
{
    return std::make_unique<PlainConnection>(std::move(core));
}

}  // namespace entente::net
