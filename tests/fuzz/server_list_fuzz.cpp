// Lists of servers: what is taken, written again, says the same, and no line of it is bad.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "trust/server_list.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::trust;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto read = parse_server_list(text, {.allow_test_names = true});
    if (!read) return 0;
    const auto again =
        parse_server_list(write_server_list(read->entries), {.allow_test_names = true});
    if (!again || again->entries != read->entries || again->bad_lines != 0) std::abort();
    return 0;
}
