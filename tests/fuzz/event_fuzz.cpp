// Events as a home and a follower read them: what the strict reading takes, the lenient
// one takes without a breach; what the lenient one takes fits the sizes and keeps its
// octets.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/event.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto strict = parse_channel_event(text, {});
    const auto followed = parse_followed_event(text, {});
    if (strict && (!followed || !followed->breach.empty())) std::abort();
    if (!strict && followed && followed->breach.empty()) std::abort();
    if (followed) {
        const auto& event = followed->event;
        if (event.octets != text || text.size() > max_event_octets) std::abort();
        if (!event.channel || event.sender.server.empty()) std::abort();
    }
    if (strict && parse_direct_event(text, {})) std::abort();
    return 0;
}
