// A proof of an entry: what was read, written again, says the same and proves the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/entry_proof.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    start_crypto();
    const NameRules rules{true};
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto read = parse_entry_proof(text, rules);
    if (!read) return 0;
    const auto written = write_entry_proof(*read);
    const auto again = parse_entry_proof(written, rules);
    if (!again || write_entry_proof(*again) != written) std::abort();
    const auto proven = verify_entry_proof(*read, {}, rules);
    const auto proven_again = verify_entry_proof(*again, {}, rules);
    if (proven.has_value() != proven_again.has_value()) std::abort();
    if (proven && proven->hash != proven_again->hash) std::abort();
    return 0;
}
