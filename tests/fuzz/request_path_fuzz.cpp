// The path of a signed request [NAME-3]: what passes has no escape of an octet that could
// stand as itself, and is refused once one is put in.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "federation/gate/gate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string path{reinterpret_cast<const char*>(data), size};
    if (!entente::federation::check_path(path)) return 0;
    for (std::string_view needless : {"%40", "%61", "%7e", "%2D"}) {
        if (path.find(needless) != std::string::npos) std::abort();
        if (entente::federation::check_path(path + std::string{needless})) std::abort();
    }
    return 0;
}
