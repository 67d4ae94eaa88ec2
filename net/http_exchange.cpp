#include "net/http_exchange.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "net/ascii.hpp"
#include "net/chunks.hpp"

namespace entente::net {

namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::empty_body>;  // for the head alone

constexpr std::size_t header_octets = 16 * 1024;
constexpr std::size_t header_count = 100;
constexpr std::size_t body_beside_head = 16'384;
constexpr int interim_answers = 4;  // 1xx before the answer itself

bool is_host_name(std::string_view host)
{
    if (host.empty() || host.size() > 253 || host.back() == '.') return false;
    const auto legal = [](char c) {
        return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '.';
    };
    if (!std::all_of(host.begin(), host.end(), legal)) return false;
    // "127.1" and the like are addresses to some resolvers.
    const auto last =
        host.substr(host.rfind('.') == std::string_view::npos ? 0 : host.rfind('.') + 1);
    return !std::all_of(last.begin(), last.end(), is_digit);
}

bool holds_line_end(std::string_view text)
{
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

// The body too, where it is small: one write, one TLS record.
std::string opening_octets(const Fetch& fetch)
{
    std::string text = fetch.method + " " + fetch.target + " HTTP/1.1\r\nHost: " + fetch.host;
    if (fetch.port != 443) text += ":" + std::to_string(fetch.port);
    text += "\r\n";
    for (const auto& [name, value] : fetch.fields) text += name + ": " + value + "\r\n";
    if (!fetch.body.empty() || fetch.method == "POST" || fetch.method == "PUT") {
        text += "Content-Length: " + std::to_string(fetch.body.size()) + "\r\n";
    }
    text += "\r\n";
    if (fetch.body.size() <= body_beside_head) text += fetch.body;
    return text;
}

tl::unexpected<ExchangeFailure> failed(Error error, bool begun, bool cut_off)
{
    ExchangeFailure failure;
    failure.error = std::move(error);
    failure.answer_begun = begun;
    failure.cut_off = cut_off;
    return tl::unexpected<ExchangeFailure>(std::move(failure));
}

tl::unexpected<ExchangeFailure> no_answer(Code code, const char* why)
{
    return failed(Error{code, why, {}, 0}, true, false);
}

// What an answer's head says of what follows it.
struct AnswerHead {
    FetchedResponse response;
    bool chunked = false;
    bool keep_alive = false;
    bool ends_with_connection = false;
    std::size_t length = 0;
};

Result<AnswerHead> parse_answer_head(std::string_view octets, bool head_only)
{
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(header_octets));
    parser.body_limit(boost::none);  // judged below, where the limit is known
    parser.skip(head_only);
    boost::system::error_code error;
    const auto taken = parser.put(boost::asio::buffer(octets.data(), octets.size()), error);
    if (error || !parser.is_header_done() || taken != octets.size()) {
        return fail(Code::malformed, "not HTTP: " + error.message());
    }
    const auto& message = parser.get();
    AnswerHead head;
    head.response.status = static_cast<int>(message.result_int());
    for (const auto& field : message) {
        if (head.response.fields.size() >= header_count) {
            return fail(Code::too_large, "too many fields");
        }
        const std::string_view name(field.name_string().data(), field.name_string().size());
        const std::string_view value(field.value().data(), field.value().size());
        head.response.fields.emplace_back(lower_case(name), value);
    }
    head.keep_alive = parser.keep_alive();
    const int status = head.response.status;
    if (head_only || status < 200 || status == 204 || status == 304) return head;
    if (message.count(http::field::transfer_encoding) > 0) {
        // Chunked and nothing else; with a length beside it, it may be two answers.
        head.chunked = parser.chunked() && message.count(http::field::content_length) == 0 &&
                       lower_case(std::string_view(
                           message[http::field::transfer_encoding].data(),
                           message[http::field::transfer_encoding].size())) == "chunked";
        if (!head.chunked) return fail(Code::malformed, "an unknown Transfer-Encoding");
    } else if (const auto length = parser.content_length()) {
        head.length = static_cast<std::size_t>(*length);
    } else {
        head.ends_with_connection = true;
    }
    return head;
}

// Reads one answer from the connection; what arrives behind it stays.
class AnswerReader {
 public:
    AnswerReader(Connection& connection, const Fetch& fetch, protocol::SharedRoom* room)
        : connection_(connection), fetch_(fetch)
    {
        if (room != nullptr) share_.emplace(*room);
    }

    asio::awaitable<tl::expected<Exchange, ExchangeFailure>> read()
    {
        for (int interim = 0; interim <= interim_answers; ++interim) {
            auto head = co_await read_head();
            if (!head) co_return tl::unexpected<ExchangeFailure>(std::move(head).error());
            const auto status = head->response.status;
            // 101 answers an upgrade, which we never ask for.
            if (status == 101) co_return no_answer(Code::malformed, "protocols switched unasked");
            if (status < 200) continue;
            if (head->length > fetch_.max_body) {
                co_return no_answer(Code::too_large, "answer too large");
            }
            auto body = co_await read_body(*head);
            if (!body) co_return tl::unexpected<ExchangeFailure>(std::move(body).error());
            Exchange done;
            done.response = std::move(head->response);
            done.response.body = std::move(*body);
            // Octets behind the answer belong to no request of ours.
            done.reusable = head->keep_alive && !ended_ && buffer_.empty();
            co_return done;
        }
        co_return no_answer(Code::malformed, "too many interim answers");
    }

 private:
    asio::awaitable<tl::expected<AnswerHead, ExchangeFailure>> read_head()
    {
        while (true) {
            const auto end = buffer_.find("\r\n\r\n");
            const auto size = end == std::string::npos ? buffer_.size() : end + 4;
            if (size > header_octets) co_return no_answer(Code::too_large, "head too large");
            if (end != std::string::npos) {
                auto head = parse_answer_head(std::string_view(buffer_).substr(0, size),
                                              fetch_.method == "HEAD");
                buffer_.erase(0, size);
                if (!head) co_return failed(std::move(head).error(), true, false);
                co_return std::move(*head);
            }
            auto filled = co_await fill();
            if (!filled) co_return tl::unexpected<ExchangeFailure>(std::move(filled).error());
            if (ended_) co_return failed(cut(), begun_, true);
        }
    }

    asio::awaitable<tl::expected<std::string, ExchangeFailure>> read_body(const AnswerHead& head)
    {
        std::string body;
        ChunkDecoder chunks(fetch_.max_body);
        while (true) {
            if (head.chunked) {
                auto taken = chunks.take(buffer_, body);
                if (!taken) co_return failed(std::move(taken).error(), true, false);
                buffer_.erase(0, *taken);
                if (chunks.is_complete()) co_return body;
            } else {
                const auto wanted = head.ends_with_connection ? fetch_.max_body + 1 : head.length;
                const auto part = std::min(buffer_.size(), wanted - body.size());
                body.append(buffer_, 0, part);
                buffer_.erase(0, part);
                if (body.size() > fetch_.max_body) {
                    co_return no_answer(Code::too_large, "answer too large");
                }
                if (head.ends_with_connection ? ended_ : body.size() == head.length) co_return body;
            }
            if (ended_) co_return failed(cut(), true, true);
            if (!hold(body.size() + buffer_.size())) co_return failed(no_room(), true, false);
            auto filled = co_await fill();
            if (!filled) co_return tl::unexpected<ExchangeFailure>(std::move(filled).error());
        }
    }

    // Who has a little of a body may go on to a little, however much others hold.
    bool hold(std::size_t octets)
    {
        if (!share_ || octets <= share_->held()) return true;
        if (octets > share_->most()) return false;
        share_->take(octets - share_->held());
        return true;
    }

    static Error no_room()
    {
        return Error{Code::unavailable, "too many large answers are under way", {}, 5};
    }
    static Error cut() { return Error{Code::unavailable, "closed before the answer's end", {}, 0}; }

    // More into the buffer, or ended_.
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
        } else {
            ended_ = true;
        }
        co_return tl::expected<void, ExchangeFailure>();
    }

    Connection& connection_;
    const Fetch& fetch_;
    std::optional<protocol::RoomShare> share_;
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
                                                                  const Fetch& fetch,
                                                                  protocol::SharedRoom* room)
{
    const auto octets = opening_octets(fetch);
    auto written = co_await connection.write(octets);
    if (written && fetch.body.size() > body_beside_head)
        written = co_await connection.write(fetch.body);
    if (!written) {
        const bool cut_off = written.error().code == Code::unavailable;
        // A server that refuses a body early answers and closes: the answer may be there.
        if (!cut_off) co_return failed(std::move(written).error(), false, false);
    }
    AnswerReader reader(connection, fetch, room);
    co_return co_await reader.read();
}

}  // namespace entente::net
