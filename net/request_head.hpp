// The head of an HTTP/1.1 request, read strictly: what two readers might understand
// differently is refused, never repaired, since behind that hides a smuggled request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_message.hpp"

namespace entente::net {

struct HeadLimits {
    std::size_t octets = 16 * 1024;
    std::size_t fields = 100;
    std::size_t target = 8 * 1024;
};

struct RequestHead {
    std::string method;
    std::string target;  // origin form: of "https://host/a?b" only "/a?b" is left
    std::string path;
    std::string query;
    Fields fields;
    int minor_version = 1;
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    bool keep_alive = true;
    bool expects_continue = false;
    bool upgrades_to_websocket = false;

    [[nodiscard]] bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

// Looks for the end of a head in what has arrived so far, each octet once.
class HeadScanner {
 public:
    explicit HeadScanner(HeadLimits limits) : limits_(limits) {}
    // The size of the head with its blank line; nothing while more must come. `malformed`
    // at a line end that isn't CRLF, `too_large` beyond the limit.
    [[nodiscard]] Result<std::optional<std::size_t>> scan(std::string_view arrived);

 private:
    HeadLimits limits_;
    std::size_t scanned_ = 0;
    std::size_t line_start_ = 0;
};

// `head` with its blank line. `malformed`, `too_large`.
[[nodiscard]] Result<RequestHead> parse_request_head(std::string_view head,
                                                     const HeadLimits& limits);

}  // namespace entente::net
