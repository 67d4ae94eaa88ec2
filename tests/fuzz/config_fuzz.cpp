// A configuration file of any octets: never a crash, and every fault has a place and a text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "daemon/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto config = entente::daemon::parse_config(text, "f.toml", {});
    if (!config) {
        if (config.error().empty()) std::abort();
        for (const auto& problem : config.error()) {
            if (problem.where.empty() || problem.text.empty()) std::abort();
        }
    }
    return 0;
}
