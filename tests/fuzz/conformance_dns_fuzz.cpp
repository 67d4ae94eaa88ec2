// DNS queries, as a target sends them: what is read lies within the message.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "conformance/host/dns.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view message{reinterpret_cast<const char*>(data), size};
    const auto query = entente::conformance::parse_dns_query(message);
    if (query && (query->end > size || query->question.name.size() > 320)) std::abort();
    return 0;
}
