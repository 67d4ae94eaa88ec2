// A peer's answer to a transaction: what was read can be written and read again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/transaction.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    const auto read = parse_result({reinterpret_cast<const char*>(data), size}, {});
    if (!read) return 0;
    const auto text = write_result(*read, 1);
    const auto again = parse_result(text, {});
    if (!again || write_result(*again, 1).size() > text.size()) std::abort();
    return 0;
}
