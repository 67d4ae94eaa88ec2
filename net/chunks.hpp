// The chunked transfer coding (RFC 9112 section 7.1), taken apart strictly. Extensions and
// trailers are read, bounded and dropped. Beast's parser isn't used for it: the one of
// Boost 1.81 asserts on a last chunk that arrives in pieces, so any peer could end us.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/result.hpp"

namespace entente::net {

class ChunkDecoder {
 public:
    explicit ChunkDecoder(std::size_t max_body) : max_body_(max_body) {}

    // Takes what it can from the front of `octets`, appends the content to `body` and says
    // how many octets it took; what is left is a line that isn't whole yet, or lies behind
    // the end. `malformed`, or `too_large` when `body` would grow beyond its limit.
    [[nodiscard]] Result<std::size_t> take(std::string_view octets, std::string& body);
    [[nodiscard]] bool is_complete() const { return state_ == State::complete; }

 private:
    enum class State : std::uint8_t { size, data, data_end, trailer, complete };
    [[nodiscard]] Result<void> take_line(std::string_view line, std::size_t body_size);

    State state_ = State::size;
    std::size_t max_body_;
    std::size_t left_ = 0;      // of the present chunk
    std::size_t overhead_ = 0;  // octets of extensions and trailers so far
};

}  // namespace entente::net
