// The answers of section 7: what was read, written again, says the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/transaction.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto read = parse_log_answer(text, {})) {
        const auto written = write_log_answer(*read);
        const auto again = parse_log_answer(written, {});
        if (!again || write_log_answer(*again) != written) std::abort();
    }
    if (const auto read = parse_snapshot_answer(text, {})) {
        const auto written = write_snapshot_answer(*read);
        const auto again = parse_snapshot_answer(written, {});
        if (!again || write_snapshot_answer(*again) != written) std::abort();
    }
    return 0;
}
