// Frames that a client sends over its WebSocket.
#include <cstdlib>
#include <string_view>

#include "api/client_frame.hpp"
#include "protocol/json_rules.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto frame = api::parse_client_frame(text, {});
    if (!frame || !frame->posts) return 0;
    for (const auto& post : *frame->posts)
        if (!post.error && !protocol::check_json(post.content)) std::abort();
    return 0;
}
