#include "net/chunks.hpp"

#include <algorithm>
#include <charconv>

#include "net/ascii.hpp"

namespace entente::net {

namespace {

// Of a size line or trailer, and of all that is dropped in one body: else a few octets of
// content could come wrapped in gigabytes.
constexpr std::size_t max_line = 4'096;
constexpr std::size_t max_overhead = 16'384;

protocol::Failure bad_chunk()
{
    return refuse(Code::malformed, "not a chunked body");
}

}  // namespace

Result<void> ChunkDecoder::take_line(std::string_view line, std::size_t body_size)
{
    if (!std::all_of(line.begin(), line.end(), is_value_character)) return bad_chunk();
    if (state_ == State::trailer) {
        if (line.empty()) {
            state_ = State::complete;
            return {};
        }
        overhead_ += line.size();
        const auto colon = line.find(':');
        const bool field = colon != std::string_view::npos && is_token(line.substr(0, colon));
        if (!field || overhead_ > max_overhead) return bad_chunk();
        return {};
    }
    const auto digits = line.substr(0, line.find(';'));
    overhead_ += line.size() - digits.size();
    std::size_t size = 0;
    const auto* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, size, 16);
    const bool number = !digits.empty() && digits.front() != '-' && digits.size() <= 16;
    if (!number || error != std::errc{} || stop != end || overhead_ > max_overhead) {
        return bad_chunk();
    }
    if (size > max_body_ - std::min(max_body_, body_size)) {
        return refuse(Code::too_large, "body too large");
    }
    left_ = size;
    state_ = size == 0 ? State::trailer : State::data;
    return {};
}

Result<std::size_t> ChunkDecoder::take(std::string_view octets, std::string& body)
{
    const auto all = octets.size();
    while (state_ != State::complete && !octets.empty()) {
        if (state_ == State::data) {
            const auto part = octets.substr(0, left_);
            body.append(part);
            octets.remove_prefix(part.size());
            left_ -= part.size();
            if (left_ == 0) state_ = State::data_end;
        } else if (state_ == State::data_end) {
            if (octets.front() != '\r') return bad_chunk();
            if (octets.size() < 2) break;
            if (octets[1] != '\n') return bad_chunk();
            octets.remove_prefix(2);
            state_ = State::size;
        } else {
            const auto end = octets.find('\n');
            if (end == std::string_view::npos) {
                if (octets.size() > max_line) return bad_chunk();
                break;
            }
            if (end == 0 || end > max_line || octets[end - 1] != '\r') return bad_chunk();
            if (auto taken = take_line(octets.substr(0, end - 1), body.size()); !taken) {
                return fail(taken);
            }
            octets.remove_prefix(end + 1);
        }
    }
    return all - octets.size();
}

}  // namespace entente::net
