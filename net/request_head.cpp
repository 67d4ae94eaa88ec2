#include "net/request_head.hpp"

#include <charconv>

#include "net/ascii.hpp"

namespace entente::net {

namespace {

protocol::Failure bad(const char* why)
{
    return refuse(Code::malformed, why);
}

// The line in front of the next CRLF, which it takes away as well.
std::string_view take_line(std::string_view& rest)
{
    const auto end = rest.find("\r\n");
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    return line;
}

bool is_target_character(char c)
{
    return c > 0x20 && c < 0x7F && c != '#' && c != '"' && c != '<' && c != '>' && c != '\\';
}

bool is_authority_character(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
           std::string_view("-._~:[]%!$&'()*+,;=").find(c) != std::string_view::npos;
}

// Whether a list such as Connection names `wanted`, which is in lower case.
bool lists(std::string_view value, std::string_view wanted)
{
    while (true) {
        const auto comma = value.find(',');
        if (lower_case(trimmed(value.substr(0, comma))) == wanted) return true;
        if (comma == std::string_view::npos) return false;
        value.remove_prefix(comma + 1);
    }
}

Result<void> read_request_line(std::string_view line, const HeadLimits& limits, RequestHead& head)
{
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return bad("not an HTTP request line");
    const auto method = line.substr(0, first);
    const auto target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    if (!is_token(method) || method.size() > 32) return bad("not an HTTP method");
    if (version == "HTTP/1.1") {
        head.minor_version = 1;
    } else if (version == "HTTP/1.0") {
        head.minor_version = 0;
    } else {
        return bad("not HTTP/1.1");
    }
    if (target.size() > limits.target) return refuse(Code::too_large, "request target too long");
    if (target.empty() || !std::all_of(target.begin(), target.end(), is_target_character)) {
        return bad("not a request target");
    }
    head.method = method;
    head.target = target;
    return {};
}

Result<void> read_field(std::string_view line, RequestHead& head)
{
    if (line.front() == ' ' || line.front() == '\t') return bad("a folded field line");
    const auto colon = line.find(':');
    // A blank before the colon is no token character.
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
        return bad("not a field line");
    }
    const auto value = trimmed(line.substr(colon + 1));
    if (!std::all_of(value.begin(), value.end(), is_value_character)) {
        return bad("a control character in a field");
    }
    head.fields.emplace_back(lower_case(line.substr(0, colon)), value);
    return {};
}

// The host that the request is for, and the target in origin form.
Result<void> settle_target(RequestHead& head)
{
    std::optional<std::string_view> host;
    for (const auto& [name, value] : head.fields) {
        if (name != "host") continue;
        if (host) return bad("two Host fields");
        host = value;
    }
    if (!host && head.minor_version == 1) return bad("no Host field");
    if (host &&
        (host->empty() || !std::all_of(host->begin(), host->end(), is_authority_character))) {
        return bad("not a Host");
    }
    if (head.target.front() != '/') {
        const auto scheme_end = head.target.find("://");
        if (scheme_end == std::string::npos) return bad("not a request target");
        const auto scheme = lower_case(head.target.substr(0, scheme_end));
        if (scheme != "https" && scheme != "http") return bad("not a request target");
        const auto rest = std::string_view(head.target).substr(scheme_end + 3);
        const auto path_at = rest.find_first_of("/?");
        const auto authority = rest.substr(0, path_at);
        if (!host || lower_case(authority) != lower_case(*host)) {
            return bad("the target is for another host than Host");
        }
        std::string origin_form(path_at == std::string_view::npos ? "" : rest.substr(path_at));
        if (origin_form.empty() || origin_form.front() == '?') origin_form.insert(0, "/");
        head.target = std::move(origin_form);
    }
    const auto question = head.target.find('?');
    head.path = head.target.substr(0, question);
    if (question != std::string::npos) head.query = head.target.substr(question + 1);
    return {};
}

Result<std::uint64_t> parse_length(std::string_view text)
{
    std::uint64_t length = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, length);
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit) || error != std::errc{} ||
        stop != end) {
        return bad("not a Content-Length");
    }
    return length;
}

// Where the body ends must have one meaning only.
Result<void> read_framing(RequestHead& head)
{
    bool encoded = false;
    for (const auto& [name, value] : head.fields) {
        if (name == "content-length") {
            if (head.content_length) return bad("two Content-Length fields");
            const auto length = parse_length(value);
            if (!length) return fail(length);
            head.content_length = *length;
        } else if (name == "transfer-encoding") {
            if (encoded) return bad("two Transfer-Encoding fields");
            encoded = true;
            if (lower_case(value) != "chunked") return bad("a Transfer-Encoding but chunked");
            head.chunked = true;
        }
    }
    if (encoded && head.content_length) return bad("Transfer-Encoding with Content-Length");
    if (encoded && head.minor_version == 0) return bad("Transfer-Encoding in HTTP/1.0");
    return {};
}

void read_options(RequestHead& head)
{
    bool asks_upgrade = false, to_websocket = false;
    // An older client's connection ends behind the answer: it is rare, and one form less.
    head.keep_alive = head.minor_version == 1;
    for (const auto& [name, value] : head.fields) {
        if (name == "connection") {
            if (lists(value, "close")) head.keep_alive = false;
            if (lists(value, "upgrade")) asks_upgrade = true;
        } else if (name == "upgrade") {
            if (lists(value, "websocket")) to_websocket = true;
        } else if (name == "expect") {
            head.expects_continue = head.minor_version == 1 && lower_case(value) == "100-continue";
        }
    }
    head.upgrades_to_websocket = asks_upgrade && to_websocket && head.method == "GET" &&
                                 head.minor_version == 1 && !head.has_body();
}

}  // namespace

Result<std::optional<std::size_t>> HeadScanner::scan(std::string_view arrived)
{
    for (; scanned_ < arrived.size(); ++scanned_) {
        if (scanned_ >= limits_.octets) return refuse(Code::too_large, "request head too large");
        const char c = arrived[scanned_];
        if (c == '\0') return bad("a control character in the head");
        if (c == '\r' && scanned_ + 1 < arrived.size() && arrived[scanned_ + 1] != '\n') {
            return bad("a line end that isn't CRLF");
        }
        if (c != '\n') continue;
        if (scanned_ == 0 || arrived[scanned_ - 1] != '\r') {
            return bad("a line end that isn't CRLF");
        }
        const bool blank = scanned_ - 1 == line_start_;
        if (blank && line_start_ == 0) return bad("not an HTTP request line");
        line_start_ = scanned_ + 1;
        if (blank) return std::optional<std::size_t>(scanned_ + 1);
    }
    return std::optional<std::size_t>();
}

Result<RequestHead> parse_request_head(std::string_view text, const HeadLimits& limits)
{
    RequestHead head;
    auto rest = text;
    if (auto line = read_request_line(take_line(rest), limits, head); !line) return fail(line);
    while (true) {
        if (rest.empty()) return bad("the head is cut");
        const auto line = take_line(rest);
        if (line.empty()) break;
        if (head.fields.size() >= limits.fields) {
            return refuse(Code::too_large, "too many fields");
        }
        if (auto field = read_field(line, head); !field) return fail(field);
    }
    if (!rest.empty()) return bad("octets behind the head");
    if (auto settled = settle_target(head); !settled) return fail(settled);
    if (auto framing = read_framing(head); !framing) return fail(framing);
    read_options(head);
    return head;
}

}  // namespace entente::net
