#pragma once

// Requests of one connection, one behind the other, each within its time. Where a message ends
// isn't known any more once it was refused: then the connection ends too.

#include <functional>
#include <optional>
#include <string>

#include "conformance/reference/http_head.hpp"
#include "conformance/sockets/socket.hpp"

namespace entente::conformance::reference {

class HttpReader {
 public:
    HttpReader(Stream& stream, const HttpLimits& limits, const Flags& flags);

    // A head and its body. Nothing where the connection has ended, or where its time is up. Throws
    // Refused: the answer to it is the last of the connection. `on_head` is called once the head is
    // there.
    [[nodiscard]] std::optional<HttpHead> next(const std::function<void()>& on_head);

 private:
    [[nodiscard]] bool more(Deadline deadline);
    [[nodiscard]] std::optional<std::string> read_head();
    [[nodiscard]] bool answer_expectation(const HttpHead& head);
    [[nodiscard]] bool is_left_unread(const HttpHead& head) const;
    // False where it ended before its time or its end.
    [[nodiscard]] bool read_body(const HttpHead& head, std::string& body);
    [[nodiscard]] bool read_chunks(std::string& body, Deadline deadline);
    [[nodiscard]] bool read_trailers(Deadline deadline);
    // A line without its end.
    [[nodiscard]] std::optional<std::string> read_line(Deadline deadline);
    [[nodiscard]] std::uint64_t chunk_size(std::string_view line) const;

    Stream& stream_;
    const HttpLimits& limits_;
    const Flags& flags_;
    std::string rest_;
};

// IMF-fixdate (RFC 9110 section 5.6.7).
[[nodiscard]] std::string http_date(std::int64_t milliseconds);

}  // namespace entente::conformance::reference
