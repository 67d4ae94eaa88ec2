#include "conformance/reference/http_head.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "conformance/reference/refused.hpp"

namespace entente::conformance::reference {

namespace {

// So long that whoever waits gives up before: for mutants that don't.
constexpr Millis patience{90'000};

[[noreturn]] void bad_head(const char* why)
{
    throw Refused{"malformed", std::string("HTTP: ") + why};
}

bool is_token_character(char c)
{
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_http_token(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

std::string_view without_edges(std::string_view text, std::string_view blanks)
{
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string replaced(std::string text, std::string_view from, std::string_view to)
{
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

// Line ends that aren't CRLF, and folded lines, repaired before they are read.
std::string as_mutants_read(std::string head, const Flags& flags)
{
    if (flags.has<"line-ends-by-lf">())
        head = replaced(replaced(std::move(head), "\r\n", "\n"), "\n", "\r\n");
    if (flags.has<"line-ends-by-cr">())
        head = replaced(replaced(std::move(head), "\r\n", "\r"), "\r", "\r\n");
    if (flags.has<"folding-repaired">()) head = replaced(std::move(head), "\r\n ", " ");
    return head;
}

std::string_view take_head_line(std::string_view& rest)
{
    const auto end = rest.find("\r\n");
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 2));
    return line;
}

// The head's `minor_version` is that of HTTP/1.x.
int parse_request_line(std::string_view line, Request& request, const Flags& flags)
{
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) bad_head("not a request line");
    const auto target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    if (!is_http_token(line.substr(0, first))) bad_head("not a method");
    const bool is_known = version == "HTTP/1.1" || version == "HTTP/1.0";
    if (!is_known && !flags.has<"any-http-version">()) bad_head("not HTTP/1.1");
    if (target.empty() || std::any_of(target.begin(), target.end(), [](char c) {
            return c <= ' ' || c > '~' || c == '#' || c == '"' || c == '<' || c == '>';
        }))
        bad_head("not a request target");
    request.method = std::string(line.substr(0, first));
    request.target = std::string(target);
    return version == "HTTP/1.0" ? 0 : 1;
}

std::ptrdiff_t count_named(const Fields& fields, std::string_view name)
{
    return std::count_if(fields.begin(), fields.end(),
                         [&](const auto& field) { return field.first == name; });
}

// The target in origin form; an absolute one is for the host that Host names.
void settle_target(Request& request, int minor_version, const Flags& flags)
{
    const auto hosts = count_named(request.fields, "host");
    if (hosts > 1 && !flags.has<"host-twice">()) bad_head("two Host fields");
    if (hosts == 0 && minor_version == 1 && !flags.has<"host-optional">())
        bad_head("no Host field");
    auto& target = request.target;
    if (target.front() == '/') return;
    const auto scheme = target.find("://");
    if (scheme == std::string::npos || flags.has<"absolute-form-refused">())
        bad_head("not a request target");
    const auto rest = target.substr(scheme + 3);
    const auto path = rest.find('/');
    const auto host = field_of(request.fields, "host").value_or("");
    if (in_lower_case(rest.substr(0, path)) != in_lower_case(host) &&
        !flags.has<"absolute-form-of-any-host">())
        bad_head("the target is for another host than Host");
    target = path == std::string::npos ? "/" : rest.substr(path);
}

std::uint64_t parse_length(std::string_view text, const Flags& flags)
{
    if (flags.has<"length-with-sign">() && text.starts_with('+')) text.remove_prefix(1);
    if (flags.has<"length-in-hex">() && text.starts_with("0x"))
        return std::strtoull(std::string(text).c_str(), nullptr, 16);
    if (flags.has<"negative-length-is-none">() && text.starts_with('-')) return 0;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (flags.has<"length-wraps">()) {
        std::uint64_t wrapped = 0;
        for (const char c : text) wrapped = wrapped * 10 + static_cast<unsigned>(c - '0');
        return wrapped;
    }
    std::uint64_t length = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, length);
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit) ||
        read.ec != std::errc() || read.ptr != end)
        bad_head("a Content-Length that is none");
    return length;
}

std::uint64_t length_of(const Fields& fields, const Flags& flags)
{
    std::vector<std::string> written;
    for (const auto& [name, value] : fields)
        if (name == "content-length") written.push_back(value);
    if (written.empty()) return 0;
    if (written.size() > 1) {
        if (flags.has<"two-lengths-are-none">()) return 0;
        if (!flags.has<"first-length-wins">() && !flags.has<"last-length-wins">())
            bad_head("two Content-Lengths");
    }
    return parse_length(flags.has<"last-length-wins">() ? written.back() : written.front(), flags);
}

bool is_chunked(const Fields& fields, const Flags& flags)
{
    bool found = false;
    for (const auto& [name, value] : fields) {
        if (name != "transfer-encoding") continue;
        if (found && !flags.has<"coding-twice">()) bad_head("two Transfer-Encodings");
        const auto coding = in_lower_case(value);
        const bool contains =
            flags.has<"coding-contains-chunked">() && coding.find("chunked") != std::string::npos;
        if (coding != "chunked" && !contains) bad_head("a coding but chunked");
        if (flags.has<"chunks-refused">()) bad_head("no chunks");
        found = true;
    }
    return found;
}

void settle_framing(HttpHead& head, int minor_version, const HttpLimits& limits, const Flags& flags)
{
    const auto& fields = head.request.fields;
    head.chunked = is_chunked(fields, flags);
    head.length = length_of(fields, flags);
    if (head.chunked && minor_version == 0 && !flags.has<"chunks-of-http10">())
        bad_head("chunks in HTTP/1.0");
    if (head.chunked && count_named(fields, "content-length") > 0) {
        if (flags.has<"both-lengths-length-wins">()) {
            head.chunked = false;
        } else if (!flags.has<"both-lengths-chunks-win">()) {
            bad_head("Content-Length with Transfer-Encoding");
        }
    }
    if (head.length > limits.body_octets) throw Refused{"too-large", "the body is too large"};
}

// The connection of an old client ends with the answer, unless mutants keep it.
bool keeps_connection(const Fields& fields, int minor_version, const Flags& flags)
{
    const auto asked = in_lower_case(field_of(fields, "connection").value_or(""));
    if (flags.has<"http10-keeps-connection">() || flags.has<"chunks-of-http10">()) return true;
    if (asked.find("close") != std::string::npos && !flags.has<"close-ignored">()) return false;
    return minor_version == 1;
}

}  // namespace

HttpLimits::HttpLimits(const Flags& flags)
{
    if (flags.has<"few-connections">()) connections = 40;
    if (flags.has<"no-deadlines">()) head_time = body_time = tls_time = 2 * patience;
    if (flags.has<"no-head-limit">()) head_octets = 32 * 1024 * 1024;
    if (flags.has<"no-head-limit">()) fields = 100'000;
    if (flags.has<"no-field-limit">()) fields = 100'000;
    if (flags.has<"small-heads-only">()) head_octets = 4'096;
    if (flags.has<"no-field-limit">()) head_octets *= 4;
    if (flags.has<"no-body-limit">()) body_octets = std::size_t{1} << 41;
    if (flags.has<"body-unbounded">()) body_octets *= 64;
    if (flags.has<"no-body-limit">() || flags.has<"one-connection-at-a-time">())
        body_time = patience;
}

std::string in_lower_case(std::string_view text)
{
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
}

void check_line_ends(std::string_view arrived, std::size_t from, const Flags& flags)
{
    const auto end = arrived.find("\r\n\r\n");
    if (end != std::string_view::npos) arrived = arrived.substr(0, end + 4);
    for (auto at = from > 0 ? from - 1 : 0; at < arrived.size(); ++at) {
        const char c = arrived[at];
        if (c == '\0') bad_head("a NUL in the head");
        if (c == '\n' && (at == 0 || arrived[at - 1] != '\r') && !flags.has<"line-ends-by-lf">())
            bad_head("a line end without CR");
        if (c == '\r' && at + 1 < arrived.size() && arrived[at + 1] != '\n' &&
            !flags.has<"line-ends-by-cr">())
            bad_head("a CR without LF");
    }
}

void parse_field(std::string_view line, Fields& fields, const Flags& flags)
{
    if (line.front() == ' ' || line.front() == '\t') bad_head("a folded line");
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) bad_head("a line that is no field");
    auto name = line.substr(0, colon);
    if (flags.has<"blank-before-colon">()) name = without_edges(name, " ");
    // A blank in front of the colon is no character of a token.
    const bool is_derived = flags.has<"derived-from-fields">() && name.starts_with('@');
    if (!is_http_token(name) && !is_derived) bad_head("a name that is none");
    auto value = line.substr(colon + 1);
    if (flags.has<"control-characters-trimmed">()) value = without_edges(value, " \t\v\f");
    if (flags.has<"white-space-kept">()) {
        if (value.starts_with(' ')) value.remove_prefix(1);
    } else {
        value = without_edges(value, " \t");
    }
    if (std::any_of(value.begin(), value.end(),
                    [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7F; }) &&
        !flags.has<"covered-controls">())
        bad_head("a control character in a field");
    fields.emplace_back(in_lower_case(name), value);
}

HttpHead parse_head(std::string text, const HttpLimits& limits, const Flags& flags)
{
    const auto repaired = as_mutants_read(std::move(text), flags);
    std::string_view rest = repaired;
    HttpHead head;
    const auto minor_version = parse_request_line(take_head_line(rest), head.request, flags);
    for (auto line = take_head_line(rest); !line.empty(); line = take_head_line(rest)) {
        if (head.request.fields.size() >= limits.fields)
            throw Refused{"too-large", "too many fields"};
        parse_field(line, head.request.fields, flags);
    }
    settle_target(head.request, minor_version, flags);
    settle_framing(head, minor_version, limits, flags);
    head.keep_alive = keeps_connection(head.request.fields, minor_version, flags);
    return head;
}

}  // namespace entente::conformance::reference
