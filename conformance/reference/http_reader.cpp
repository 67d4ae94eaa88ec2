#include "conformance/reference/http_reader.hpp"

#include <charconv>
#include <cstdlib>
#include <ctime>

#include "conformance/reference/refused.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::size_t chunk_line_octets = 256;
constexpr std::size_t max_trailers = 16;

[[noreturn]] void bad_body(const char* why)
{
    throw Refused{"malformed", std::string("HTTP: ") + why};
}

}  // namespace

HttpReader::HttpReader(Stream& stream, const HttpLimits& limits, const Flags& flags)
    : stream_(stream), limits_(limits), flags_(flags)
{
}

std::optional<HttpHead> HttpReader::next(const std::function<void()>& on_head)
{
    const auto text = read_head();
    if (!text) return std::nullopt;
    on_head();
    auto head = parse_head(*text, limits_, flags_);
    if (is_left_unread(head)) return head;
    if (!answer_expectation(head)) return std::nullopt;
    if (!read_body(head, head.request.body)) return std::nullopt;
    if (flags_.has<"pipelined-request-lost">()) rest_.clear();
    return head;
}

bool HttpReader::more(Deadline deadline)
{
    const auto got = stream_.read(deadline);
    rest_ += got.octets;
    return got.state == ReadState::octets;
}

std::optional<std::string> HttpReader::read_head()
{
    if (rest_.empty() && !more(in(limits_.idle_time))) return std::nullopt;
    const auto deadline = in(limits_.head_time);
    std::size_t checked = 0;
    for (;;) {
        check_line_ends(rest_, checked, flags_);
        const auto end = rest_.find("\r\n\r\n", checked > 3 ? checked - 3 : 0);
        if (end != std::string::npos && end + 4 <= limits_.head_octets) {
            auto head = rest_.substr(0, end + 4);
            rest_.erase(0, end + 4);
            return head;
        }
        if (rest_.size() > limits_.head_octets) throw Refused{"too-large", "the head is too large"};
        checked = rest_.size();
        if (!more(deadline)) return std::nullopt;
    }
}

// Of mutants: the body is taken for the next request.
bool HttpReader::is_left_unread(const HttpHead& head) const
{
    const auto& request = head.request;
    const auto expected = in_lower_case(field_of(request.fields, "expect").value_or(""));
    return (request.method == "GET" && flags_.has<"body-of-get-unread">()) ||
           (request.method != "GET" && request.method != "POST" &&
            flags_.has<"unread-body-of-unknown-method">()) ||
           (request.target == "/federation/v1/no-such-path" &&
            flags_.has<"unread-body-of-unknown-path">()) ||
           (!expected.empty() && expected != "100-continue" &&
            flags_.has<"body-of-failed-expectation-unread">());
}

// Whoever waits for a 100 is given it. What else is expected isn't known, and is ignored.
bool HttpReader::answer_expectation(const HttpHead& head)
{
    const auto expected = field_of(head.request.fields, "expect");
    if (!expected || in_lower_case(*expected) != "100-continue" || !rest_.empty()) return true;
    if (flags_.has<"expectation-ignored">()) return true;
    return stream_.write("HTTP/1.1 100 Continue\r\n\r\n", in(limits_.write_time));
}

bool HttpReader::read_body(const HttpHead& head, std::string& body)
{
    const auto deadline = in(limits_.body_time);
    if (head.chunked) return read_chunks(body, deadline) || flags_.has<"cut-body-served">();
    const auto length = static_cast<std::size_t>(head.length);
    bool whole = true;
    while (rest_.size() < length && whole) whole = more(deadline);
    if (!whole && !flags_.has<"cut-body-served">()) return false;
    body = rest_.substr(0, length);
    rest_.erase(0, length);
    return true;
}

std::optional<std::string> HttpReader::read_line(Deadline deadline)
{
    for (;;) {
        const auto end = rest_.find(flags_.has<"chunk-extension-unchecked">() ? "\r\n" : "\n");
        if (end != std::string::npos) {
            if (flags_.has<"chunk-extension-unchecked">()) {
                auto line = rest_.substr(0, end);
                rest_.erase(0, end + 2);
                return line;
            }
            const bool has_cr = end > 0 && rest_[end - 1] == '\r';
            if (!has_cr && !flags_.has<"chunk-line-ends-by-lf">())
                bad_body("a chunk's line ends without CR");
            auto line = rest_.substr(0, has_cr ? end - 1 : end);
            if (line.find('\r') != std::string::npos) bad_body("a CR in a chunk's line");
            rest_.erase(0, end + 1);
            return line;
        }
        if (rest_.size() > chunk_line_octets) bad_body("a chunk's line is too long");
        if (!more(deadline)) return std::nullopt;
    }
}

std::uint64_t HttpReader::chunk_size(std::string_view line) const
{
    auto digits = line.substr(0, line.find(';'));
    if (flags_.has<"chunk-size-with-sign">() && digits.starts_with('-')) digits.remove_prefix(1);
    if (flags_.has<"chunk-size-with-prefix">() && digits.starts_with("0x")) digits.remove_prefix(2);
    if (flags_.has<"chunk-size-wraps">() && digits.size() > 16)
        digits.remove_prefix(digits.size() - 16);
    std::uint64_t size = 0;
    const auto* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, size, 16);
    if (digits.empty() || read.ec != std::errc() || read.ptr != end || digits[0] == '-')
        bad_body("a chunk's size is none");
    return size;
}

bool HttpReader::read_chunks(std::string& body, Deadline deadline)
{
    for (;;) {
        const auto line = read_line(deadline);
        if (!line) return false;
        const auto size = chunk_size(*line);
        if (size > limits_.body_octets - body.size())
            throw Refused{"too-large", "the body is too large"};
        if (size == 0) return read_trailers(deadline);
        while (rest_.size() < size + 2)
            if (!more(deadline)) return false;
        if (rest_.substr(size, 2) != "\r\n" && !flags_.has<"chunk-end-unchecked">())
            bad_body("a chunk is longer than its size");
        body.append(rest_, 0, size);
        rest_.erase(0, size + 2);
    }
}

bool HttpReader::read_trailers(Deadline deadline)
{
    for (std::size_t lines = 0; lines <= max_trailers; ++lines) {
        const auto line = read_line(deadline);
        if (!line) return false;
        if (line->empty()) return true;
        Fields ignored;
        if (!flags_.has<"trailers-unchecked">()) parse_field(*line, ignored, flags_);
    }
    bad_body("too many trailers");
}

std::string http_date(std::int64_t milliseconds)
{
    const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[64];
    const auto length = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text, length};
}

}  // namespace entente::conformance::reference
