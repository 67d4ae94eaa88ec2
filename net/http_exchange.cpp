#include "net/http_exchange.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "net/ascii.hpp"

namespace entente::net {

namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;

constexpr std::uint32_t header_octets = 16 * 1024;
constexpr std::size_t header_count = 100;
constexpr std::size_t read_octets = 16'384;
constexpr int interim_answers = 4;  // 1xx before the answer itself

bool is_host_name(std::string_view host)
{
    if (host.empty() || host.size() > 253 || host.back() == '.') return false;
    const auto legal = [](char c) {
        return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '.';
    };
    if (!std::all_of(host.begin(), host.end(), legal)) return false;
    // "127.1" and the like are addresses to some resolvers.
    const auto last = host.substr(host.rfind('.') == std::string_view::npos ? 0 : host.rfind('.') + 1);
    return !std::all_of(last.begin(), last.end(), is_digit);
}

bool holds_line_end(std::string_view text)
{
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

std::string request_octets(const Fetch& fetch)
{
    std::string text = fetch.method + " " + fetch.target + " HTTP/1.1\r\nHost: " + fetch.host;
    if (fetch.port != 443) text += ":" + std::to_string(fetch.port);
    text += "\r\n";
    for (const auto& [name, value] : fetch.fields) text += name + ": " + value + "\r\n";
    if (!fetch.body.empty() || fetch.method == "POST" || fetch.method == "PUT") {
        text += "Content-Length: " + std::to_string(fetch.body.size()) + "\r\n";
    }
    return text + "\r\n" + fetch.body;
}

tl::unexpected<ExchangeFailure> failed(Error error, bool begun, bool cut_off)
{
    ExchangeFailure failure;
    failure.error = std::move(error);
    failure.answer_begun = begun;
    failure.cut_off = cut_off;
    return tl::unexpected<ExchangeFailure>(std::move(failure));
}

Error parse_error(const boost::system::error_code& error)
{
    if (error == http::error::body_limit || error == http::error::header_limit) {
        return Error{Code::too_large, "answer too large", {}, 0};
    }
    if (error == http::error::partial_message) {
        return Error{Code::unavailable, "answer cut off", {}, 0};
    }
    return Error{Code::malformed, "not HTTP: " + error.message(), {}, 0};
}

// Feeds one message's parser from the connection; what arrives behind it stays.
class AnswerReader {
 public:
    AnswerReader(Connection& connection, const Fetch& fetch)
        : connection_(connection), fetch_(fetch)
    {
        begin();
    }

    asio::awaitable<tl::expected<Exchange, ExchangeFailure>> read()
    {
        int interim = 0;
        while (true) {
            auto step = advance();
            if (!step) co_return failed(std::move(step).error(), begun_, false);
            if (parser_->is_done()) {
                const auto status = parser_->get().result_int();
                if (status >= 200) co_return result();
                // 101 answers an upgrade, which we never ask for.
                if (status == 101 || ++interim > interim_answers) {
                    co_return failed(Error{Code::malformed, "too many interim answers", {}, 0},
                                     true, false);
                }
                begin();
                continue;
            }
            auto filled = co_await fill();
            if (!filled) co_return tl::unexpected<ExchangeFailure>(std::move(filled).error());
        }
    }

 private:
    void begin()
    {
        parser_.emplace();
        parser_->header_limit(header_octets);
        parser_->body_limit(static_cast<std::uint64_t>(fetch_.max_body));
        parser_->skip(fetch_.method == "HEAD");
        parser_->eager(true);
    }

    Result<void> advance()
    {
        while (!parser_->is_done() && !buffer_.empty()) {
            boost::system::error_code error;
            const auto taken =
                parser_->put(boost::asio::buffer(buffer_.data(), buffer_.size()), error);
            buffer_.erase(0, taken);
            if (error == http::error::need_more) break;
            if (error) return tl::unexpected<Error>(parse_error(error));
            if (taken == 0) break;
        }
        if (!parser_->is_done() && buffer_.size() > header_octets) {
            return fail(Code::too_large, "answer's head too large");
        }
        return {};
    }

    asio::awaitable<tl::expected<void, ExchangeFailure>> fill()
    {
        const auto before = buffer_.size();
        buffer_.resize(before + read_octets);
        auto count = co_await connection_.read_some(buffer_.data() + before, read_octets);
        buffer_.resize(before + count.value_or(0));
        if (!count) {
            const bool cut_off = count.error().code == Code::unavailable;
            co_return failed(std::move(count).error(), begun_, cut_off);
        }
        if (*count > 0) {
            begun_ = true;
            co_return tl::expected<void, ExchangeFailure>();
        }
        // The end of the stream ends an answer that has no length of its own.
        boost::system::error_code error = http::error::end_of_stream;
        if (parser_->got_some()) parser_->put_eof(error = {});
        ended_ = true;
        if (!error && parser_->is_done()) co_return tl::expected<void, ExchangeFailure>();
        co_return failed(Error{Code::unavailable, "closed before the answer's end", {}, 0}, begun_,
                         true);
    }

    tl::expected<Exchange, ExchangeFailure> result()
    {
        auto& message = parser_->get();
        Exchange done;
        done.response.status = static_cast<int>(message.result_int());
        for (const auto& field : message) {
            if (done.response.fields.size() >= header_count) {
                return failed(Error{Code::too_large, "too many fields", {}, 0}, true, false);
            }
            const std::string_view name(field.name_string().data(), field.name_string().size());
            const std::string_view value(field.value().data(), field.value().size());
            done.response.fields.emplace_back(lower_case(name), value);
        }
        done.response.body = std::move(message.body());
        // Octets behind the answer belong to no request of ours.
        done.reusable = message.keep_alive() && !ended_ && buffer_.empty();
        return done;
    }

    Connection& connection_;
    const Fetch& fetch_;
    std::optional<Parser> parser_;
    std::string buffer_;
    bool begun_ = false;
    bool ended_ = false;
};

}  // namespace

Result<void> check_fetch(const Fetch& fetch)
{
    if (!is_host_name(fetch.host)) return fail(Code::malformed, "not a host name: " + fetch.host);
    if (fetch.port == 0) return fail(Code::malformed, "port 0");
    if (!is_token(fetch.method)) return fail(Code::malformed, "not a method");
    const auto visible = [](char c) { return c > 0x20 && c < 0x7F; };
    if (!fetch.target.starts_with('/') ||
        !std::all_of(fetch.target.begin(), fetch.target.end(), visible)) {
        return fail(Code::malformed, "not a request target");
    }
    for (const auto& [name, value] : fetch.fields) {
        if (!is_token(name) || holds_line_end(value)) {
            return fail(Code::malformed, "not a field: " + name);
        }
    }
    return {};
}

asio::awaitable<tl::expected<Exchange, ExchangeFailure>> exchange(Connection& connection,
                                                                  const Fetch& fetch)
{
    const auto octets = request_octets(fetch);
    auto written = co_await connection.write(octets);
    if (!written) {
        const bool cut_off = written.error().code == Code::unavailable;
        // A server that refuses a body early answers and closes: the answer may be there.
        if (!cut_off) co_return failed(std::move(written).error(), false, false);
    }
    AnswerReader reader(connection, fetch);
    co_return co_await reader.read();
}

}  // namespace entente::net
