#include "conformance/sockets/http_io.hpp"

#include <charconv>
#include <optional>

namespace entente::conformance {

namespace {

constexpr std::size_t chunk_line = 1'024;

// Reads on demand, and says why it can't.
class Reader {
 public:
    Reader(Stream& stream, std::string& rest, Deadline deadline)
        : stream_(stream), rest_(rest), deadline_(deadline)
    {
    }

    // Up to and with `end`, at most `limit` octets.
    std::optional<std::string> until(std::string_view end, std::size_t limit)
    {
        std::size_t from = 0;
        for (;;) {
            const auto found = rest_.find(end, from);
            if (found != std::string::npos && found + end.size() <= limit)
                return take(found + end.size());
            if (rest_.size() >= limit) {
                error = "it is longer than " + std::to_string(limit) + " octets";
                return std::nullopt;
            }
            from = rest_.size() > end.size() ? rest_.size() - end.size() : 0;
            if (!more()) return std::nullopt;
        }
    }

    std::optional<std::string> exactly(std::size_t count)
    {
        while (rest_.size() < count)
            if (!more()) return std::nullopt;
        return take(count);
    }

    // All up to the end of the connection.
    std::optional<std::string> all(std::size_t limit)
    {
        while (rest_.size() <= limit)
            if (!more()) {
                if (!ended) return std::nullopt;
                error.clear();
                return take(rest_.size());
            }
        error = "it is longer than " + std::to_string(limit) + " octets";
        return std::nullopt;
    }

    std::string error;
    bool ended = false;
    bool reset = false;
    bool nothing = true;

 private:
    bool more()
    {
        if (!rest_.empty()) nothing = false;
        auto got = stream_.read(deadline_);
        switch (got.state) {
            case ReadState::octets:
                nothing = false;
                rest_ += got.octets;
                return true;
            case ReadState::closed:
                ended = true;
                error = "the connection was closed";
                return false;
            case ReadState::reset:
                reset = true;
                error = "the connection was reset";
                return false;
            case ReadState::timeout: error = "it took too long"; return false;
        }
        return false;
    }

    std::string take(std::size_t count)
    {
        auto taken = rest_.substr(0, count);
        rest_.erase(0, count);
        return taken;
    }

    Stream& stream_;
    std::string& rest_;
    Deadline deadline_;
};

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// The lines behind the first. False where one is no field.
bool parse_fields(std::string_view head, Fields& fields)
{
    head.remove_prefix(std::min(head.size(), head.find("\r\n") + 2));
    while (!head.empty() && head != "\r\n") {
        const auto end = head.find("\r\n");
        const auto line = head.substr(0, end);
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0) return false;
        fields.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
        head.remove_prefix(end + 2);
    }
    return true;
}

std::optional<std::size_t> number(std::string_view text, int base)
{
    std::size_t value = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value, base);
    if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return value;
}

std::optional<std::string> read_chunks(Reader& reader, std::size_t limit)
{
    std::string body;
    for (;;) {
        const auto line = reader.until("\r\n", chunk_line);
        if (!line) return std::nullopt;
        const std::string_view text(line->data(), line->size() - 2);
        const auto size = number(trimmed(text.substr(0, text.find(';'))), 16);
        if (!size || *size > limit - body.size()) {
            reader.error = "a chunk has no size, or one that is too large";
            return std::nullopt;
        }
        if (*size == 0) break;
        const auto chunk = reader.exactly(*size + 2);
        if (!chunk || !chunk->ends_with("\r\n")) return std::nullopt;
        body.append(*chunk, 0, *size);
    }
    // Trailers, of which nothing is needed.
    for (std::size_t lines = 0; lines < 100; ++lines) {
        const auto line = reader.until("\r\n", chunk_line);
        if (!line) return std::nullopt;
        if (*line == "\r\n") return body;
    }
    return std::nullopt;
}

// By what the fields say of its length.
std::optional<std::string> read_body(Reader& reader, const Fields& fields, std::size_t limit,
                                     bool may_end_with_connection)
{
    if (field_of(fields, "transfer-encoding")) return read_chunks(reader, limit);
    const auto length = field_of(fields, "content-length");
    if (!length) return may_end_with_connection ? reader.all(limit) : std::string();
    const auto size = number(*length, 10);
    if (!size || *size > limit) {
        reader.error = "its Content-Length is none, or too large: " + length->substr(0, 40);
        return std::nullopt;
    }
    return reader.exactly(*size);
}

}  // namespace

AnswerResult read_answer(Stream& stream, std::string& rest, Deadline deadline,
                         const ReadLimits& limits)
{
    AnswerResult result;
    Reader reader(stream, rest, deadline);
    for (;;) {
        const auto head = reader.until("\r\n\r\n", limits.head);
        if (!head) {
            result.error = reader.error;
            result.closed = reader.ended && reader.nothing;
            result.reset = reader.reset;
            return result;
        }
        auto& answer = result.answer;
        answer = {};
        answer.raw = *head;
        const auto status = head->starts_with("HTTP/1.") && head->size() > 12
                                ? number(std::string_view(*head).substr(9, 3), 10)
                                : std::nullopt;
        if (!status || !parse_fields(*head, answer.fields)) {
            result.error = "the answer is no HTTP";
            return result;
        }
        answer.status = static_cast<int>(*status);
        // 100 Continue and its like are followed by the answer.
        if (answer.status >= 200) break;
    }
    auto& answer = result.answer;
    const bool bodiless = answer.status == 204 || answer.status == 304;
    const auto body = bodiless ? std::optional<std::string>("")
                               : read_body(reader, answer.fields, limits.body, true);
    if (!body) {
        result.error = reader.error.empty() ? "its body can't be read" : reader.error;
        result.reset = reader.reset;
        return result;
    }
    answer.body = *body;
    answer.raw += answer.body;
    return result;
}

std::string with_remark(const std::string& octets, const std::string& error)
{
    if (error.empty()) return octets;
    if (octets.empty()) return "(no answer: " + error + ")";
    return octets + (octets.ends_with("\r\n") ? "" : "\r\n") + "(nothing more: " + error + ")";
}

RequestResult read_request(Stream& stream, std::string& rest, Deadline deadline,
                           const ReadLimits& limits)
{
    RequestResult result;
    Reader reader(stream, rest, deadline);
    const auto head = reader.until("\r\n\r\n", limits.head);
    if (!head) {
        result.error = reader.error;
        result.closed = reader.ended && reader.nothing;
        return result;
    }
    const std::string_view line(head->data(), head->find("\r\n"));
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last ||
        !parse_fields(*head, result.request.fields)) {
        result.error = "the request is no HTTP";
        return result;
    }
    result.request.method = std::string(line.substr(0, first));
    result.request.target = std::string(line.substr(first + 1, last - first - 1));
    const auto body = read_body(reader, result.request.fields, limits.body, false);
    if (!body) {
        result.error = reader.error.empty() ? "its body can't be read" : reader.error;
        return result;
    }
    result.request.body = *body;
    return result;
}

}  // namespace entente::conformance
