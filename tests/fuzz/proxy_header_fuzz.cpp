// The PROXY protocol's header, as it stands before a connection.
#include <cstdint>
#include <cstdlib>

#include "net/proxy_protocol.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::net;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto rest = proxy_rest_octets(text.substr(0, proxy_fixed_octets));
    if (rest && *rest > max_proxy_octets) std::abort();
    if (parse_proxy_header(text) && (!rest || text.size() != proxy_fixed_octets + *rest)) {
        std::abort();
    }
    return 0;
}
