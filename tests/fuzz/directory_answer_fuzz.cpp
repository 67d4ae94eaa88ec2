// What another server answers about aliases and channels: what was read, written again, says
// the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/directory_answers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto read = parse_alias_answer(text, {})) {
        const auto written = write_alias_answer(*read);
        const auto again = parse_alias_answer(written, {});
        if (!again || write_alias_answer(*again) != written) std::abort();
    }
    if (const auto read = parse_directory_answer(text, {})) {
        const auto written = write_directory_answer(*read);
        const auto again = parse_directory_answer(written, {});
        if (!again || write_directory_answer(*again) != written) std::abort();
    }
    return 0;
}
