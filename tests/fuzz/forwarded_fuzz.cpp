// The Forwarded field, as a proxy passes on what a client made up.
#include <cstdint>
#include <cstdlib>

#include "net/forwarded.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::net;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const std::vector<Network> trusted = {*parse_network("10.0.0.0/8")};
    const auto stranger = boost::asio::ip::make_address("192.0.2.1");
    const auto proxy = boost::asio::ip::make_address("10.0.0.1");
    const entente::protocol::Fields fields = {{"forwarded", std::string(text)}};
    if (client_behind(stranger, fields, trusted) != stranger) std::abort();
    const auto client = client_behind(proxy, fields, trusted);
    if (!parse_forwarded(text) && client != proxy) std::abort();
    static_cast<void>(node_address(text));
    return 0;
}
