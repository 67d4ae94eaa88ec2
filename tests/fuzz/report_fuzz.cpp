// Reports: what is taken, written again, says the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "federation/people/reports.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::federation;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto read = parse_report(text, {});
    if (!read) return 0;
    const auto written = write_report(*read, "AAECAwQFBgcICQoLDA0ODw");
    const auto again = parse_report(written, {});
    if (!again || write_report(*again, "AAECAwQFBgcICQoLDA0ODw") != written) std::abort();
    return 0;
}
