// Signals: what is taken, written again, says the same. They have passed check_json.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/raw_members.hpp"
#include "protocol/signal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    const auto object = checked_object({reinterpret_cast<const char*>(data), size});
    if (!object) return 0;
    const auto read = parse_signal(*object, {});
    if (!read) return 0;
    const auto written = write_signal(*read);
    const auto again = parse_signal(written, {});
    if (!again || write_signal(*again) != written) std::abort();
    return 0;
}
