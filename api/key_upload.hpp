// The body of POST /keys/upload: what a device publishes. Form and sizes only; what a key
// says is nobody's business here, its octets are kept as they came.
#pragma once

#include <string_view>

#include "protocol/result.hpp"
#include "storage/device_store.hpp"

namespace entente::api {

inline constexpr std::size_t max_keys_an_upload = 200;
inline constexpr std::size_t max_upload_octets = 2 * 1024 * 1024;

// `malformed` with a JSON pointer, `too_large`.
[[nodiscard]] Result<storage::KeyUpload> parse_key_upload(std::string_view text);

}  // namespace entente::api
