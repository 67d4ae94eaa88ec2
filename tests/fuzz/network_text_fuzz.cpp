// Networks as an operator writes them.
#include <cstdint>
#include <cstdlib>

#include "net/address_guard.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::net;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto network = parse_network(text);
    if (!network) return 0;
    // A network holds its own first address, unless that is an IPv4 one in v6 clothes.
    const auto* v4 = std::get_if<boost::asio::ip::network_v4>(&*network);
    if (v4 != nullptr && !contains(*network, v4->address())) std::abort();
    const auto* v6 = std::get_if<boost::asio::ip::network_v6>(&*network);
    if (v6 != nullptr && !v6->address().is_v4_mapped() && !contains(*network, v6->address())) {
        std::abort();
    }
    return 0;
}
