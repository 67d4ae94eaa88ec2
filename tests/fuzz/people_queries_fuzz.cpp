// The queries about people: what was read, written again, says the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/people_queries.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto read = parse_key_claims(text, {})) {
        const auto written = write_key_claims(*read);
        const auto again = parse_key_claims(written, {});
        if (!again || write_key_claims(*again) != written) std::abort();
    }
    const auto bob = UserId::trusted("bob@b.example");
    const auto device = parse_uuid("019aa3b5-ec00-7001-8001-000000000002").value();
    const std::vector<KeyClaim> claims{{bob, device, "x3dh"}};
    if (const auto read = parse_claimed_keys(text, claims, {})) {
        const auto written = write_claimed_keys(*read);
        const auto again = parse_claimed_keys(written, claims, {});
        if (!again || write_claimed_keys(*again) != written) std::abort();
    }
    if (const auto read = parse_user(text, bob, {})) {
        const auto written = write_user(*read);
        const auto again = parse_user(written, bob, {});
        if (!again || write_user(*again) != written) std::abort();
    }
    return 0;
}
