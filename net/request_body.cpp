#include "net/request_body.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace entente::net {

namespace http = boost::beast::http;

struct RequestBody::Parser : http::request_parser<http::string_body> {};

RequestBody::RequestBody(std::unique_ptr<Parser> parser) : parser_(std::move(parser)) {}
RequestBody::RequestBody(RequestBody&&) noexcept = default;
RequestBody& RequestBody::operator=(RequestBody&&) noexcept = default;
RequestBody::~RequestBody() = default;

Result<RequestBody> RequestBody::begin(std::string_view head, std::size_t max_body,
                                       std::size_t header_limit)
{
    auto parser = std::make_unique<Parser>();
    // Beast takes the head's limit for chunk extensions and trailers as well.
    parser->header_limit(static_cast<std::uint32_t>(header_limit));
    parser->body_limit(static_cast<std::uint64_t>(max_body));
    boost::system::error_code error;
    const auto taken = parser->put(boost::asio::buffer(head.data(), head.size()), error);
    if (error == http::error::body_limit) return refuse(Code::too_large, "body too large");
    if (error || !parser->is_header_done() || taken != head.size()) {
        return refuse(Code::malformed, "not an HTTP request");
    }
    parser->eager(true);
    return RequestBody(std::move(parser));
}

Result<std::size_t> RequestBody::take(std::string_view octets)
{
    std::size_t total = 0;
    while (!parser_->is_done() && !octets.empty()) {
        boost::system::error_code error;
        const auto taken = parser_->put(boost::asio::buffer(octets.data(), octets.size()), error);
        total += taken;
        octets.remove_prefix(taken);
        if (error == http::error::need_more) break;
        if (error == http::error::body_limit) return refuse(Code::too_large, "body too large");
        if (error) return refuse(Code::malformed, "not an HTTP body");
        if (taken == 0) break;
    }
    return total;
}

bool RequestBody::is_complete() const
{
    return parser_->is_done();
}

std::string RequestBody::release()
{
    return std::move(parser_->get().body());
}

}  // namespace entente::net
