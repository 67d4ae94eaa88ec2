#include "net/request_body.hpp"

namespace entente::net {

namespace {
constexpr std::size_t announced_worth = 64 * 1024;
}

Result<RequestBody> RequestBody::begin(const RequestHead& head, std::size_t max_body)
{
    const auto length = head.content_length.value_or(0);
    if (length > max_body || (head.chunked && max_body == 0)) {
        return refuse(Code::too_large, "body too large");
    }
    RequestBody body;
    body.length_ = static_cast<std::size_t>(length);
    if (head.chunked) body.chunks_.emplace(max_body);
    return body;
}

Result<std::size_t> RequestBody::take(std::string_view octets)
{
    if (chunks_) return chunks_->take(octets, body_);
    const auto part = octets.substr(0, length_ - body_.size());
    // All at once, so that it isn't copied again and again; not before a good part is there,
    // since anyone may announce a length.
    if (body_.size() >= announced_worth) body_.reserve(length_);
    body_.append(part);
    return part.size();
}

bool RequestBody::is_complete() const
{
    return chunks_ ? chunks_->is_complete() : body_.size() == length_;
}

}  // namespace entente::net
