#include "socket_client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
// net drives OpenSSL itself, so Asio's own TLS is compiled nowhere else.
#include <gtest/gtest.h>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "rig.hpp"

namespace entente::api::testing {

namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using tcp = asio::ip::tcp;

struct SocketClient::State {
    asio::io_context io;
    asio::ssl::context tls{asio::ssl::context::tls_client};
    websocket::stream<asio::ssl::stream<tcp::socket>> stream{io, tls};
    int status = 0;

    void open(std::uint16_t port, const std::string& ticket, int receive_buffer)
    {
        tls.load_verify_file(certificate_file());
        tls.set_verify_mode(asio::ssl::verify_peer);
        auto& socket = stream.next_layer().next_layer();
        socket.open(tcp::v4());
        if (receive_buffer > 0) socket.set_option(tcp::socket::receive_buffer_size{receive_buffer});
        socket.connect({asio::ip::address_v4::loopback(), port});
        stream.next_layer().handshake(asio::ssl::stream_base::client);
        websocket::response_type response;
        error_code error;
        stream.handshake(response, "a.test", "/api/v1/ws?ticket=" + ticket, error);
        status = static_cast<int>(response.result_int());
    }
};

SocketClient::SocketClient(std::uint16_t port, const std::string& ticket, int receive_buffer)
    : state_(std::make_unique<State>())
{
    state_->open(port, ticket, receive_buffer);
}

SocketClient::~SocketClient()
{
    error_code ignored;
    state_->stream.next_layer().next_layer().close(ignored);
}

int SocketClient::status() const
{
    return state_->status;
}

void SocketClient::send_text(const std::string& text)
{
    error_code error;
    state_->stream.write(asio::buffer(text), error);
    EXPECT_FALSE(error) << error.message();
}

void SocketClient::send(const nlohmann::json& frame)
{
    send_text(frame.dump());
}

std::optional<nlohmann::json> SocketClient::read()
{
    boost::beast::flat_buffer buffer;
    error_code error;
    state_->stream.read(buffer, error);
    if (error) return {};
    auto frame =
        nlohmann::json::parse(boost::beast::buffers_to_string(buffer.data()), nullptr, false);
    EXPECT_TRUE(frame.is_object());
    return frame;
}

nlohmann::json SocketClient::read_until(const std::string& member)
{
    while (auto frame = read()) {
        if (frame->contains(member)) return *frame;
        passed.push_back(std::move(*frame));
    }
    ADD_FAILURE() << "no frame with " << member;
    return nlohmann::json::object({{member, nlohmann::json::array()}});
}

std::vector<std::int64_t> SocketClient::read_seqs(std::size_t count)
{
    std::vector<std::int64_t> seqs;
    while (seqs.size() < count) {
        const auto frame = read_until("entries");
        if (frame["entries"].empty()) break;
        for (const auto& entry : frame["entries"]) seqs.push_back(entry["seq"]);
    }
    return seqs;
}

void SocketClient::close()
{
    error_code ignored;
    state_->stream.close(websocket::close_code::normal, ignored);
}

}  // namespace entente::api::testing
