// A snapshot's state: only the canonical form is taken, so writing gives it back.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/channel_state.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto state = parse_state(text, {});
    if (!state) return 0;
    if (state_json(*state) != text || state->index.octets() != text.size()) std::abort();
    return 0;
}
