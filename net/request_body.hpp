// The body of a request as it arrives, by Beast's parser: which octets belong to it, and
// what they say once the chunks are taken apart. Trailers are read and dropped.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/result.hpp"

namespace entente::net {

class RequestBody {
 public:
    // `head` as parse_request_head has taken it: Beast reads it once more, and what only
    // one of the two understands is refused.
    [[nodiscard]] static Result<RequestBody> begin(std::string_view head, std::size_t max_body,
                                                   std::size_t header_limit);
    RequestBody(RequestBody&&) noexcept;
    RequestBody& operator=(RequestBody&&) noexcept;
    ~RequestBody();

    // Takes what belongs to the body from the front of `octets` and says how many those
    // are; 0 where too few have arrived to go on. `malformed`, `too_large`.
    [[nodiscard]] Result<std::size_t> take(std::string_view octets);
    [[nodiscard]] bool is_complete() const;
    [[nodiscard]] std::string release();

 private:
    struct Parser;
    explicit RequestBody(std::unique_ptr<Parser> parser);
    std::unique_ptr<Parser> parser_;
};

}  // namespace entente::net
