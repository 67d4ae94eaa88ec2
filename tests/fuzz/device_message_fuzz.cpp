// Messages to devices, as a client sends them and as a server hands them on: what is taken is
// written and read again unchanged.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/device_send.hpp"
#include "protocol/device_message.hpp"
#include "protocol/json_rules.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto sends = api::parse_device_sends(text, {})) {
        for (const auto& send : sends->messages)
            if (!protocol::check_json("[[[[" + send.message + "]]]]")) std::abort();
    }
    if (const auto read = protocol::parse_device_message(text)) {
        const auto written = protocol::write_device_message(*read, "AAECAwQFBgcICQoLDA0ODw");
        const auto again = protocol::parse_device_message(written);
        if (!again || again->body != read->body || again->device != read->device) std::abort();
    }
    return 0;
}
