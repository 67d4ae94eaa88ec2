// The body of a request as it arrives: which octets belong to it, and what they say.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "net/chunks.hpp"
#include "net/request_head.hpp"

namespace entente::net {

class RequestBody {
 public:
    // `too_large` where the head announces more than `max_body`, 0 meaning none at all.
    [[nodiscard]] static Result<RequestBody> begin(const RequestHead& head, std::size_t max_body);

    // Takes what belongs to the body from the front of `octets` and says how many those
    // are; what is left may be needed again with more behind it. `malformed`, `too_large`.
    [[nodiscard]] Result<std::size_t> take(std::string_view octets);
    [[nodiscard]] bool is_complete() const;
    [[nodiscard]] std::string release() { return std::move(body_); }

 private:
    RequestBody() = default;
    std::optional<ChunkDecoder> chunks_;  // nothing: the length was told
    std::size_t length_ = 0;
    std::string body_;
};

}  // namespace entente::net
