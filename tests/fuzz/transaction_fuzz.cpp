// A transaction's body: items within the limit, and what was read can be written and
// read again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/transaction.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    const TransactionLimits limits{65'536, 100};
    const auto read = parse_transaction({reinterpret_cast<const char*>(data), size}, limits, {});
    if (!read) return 0;
    if (read->items() > limits.items || read->roots.size() > read->items() + 1) std::abort();

    OutgoingTransaction out;
    out.roots = read->roots;
    for (const auto& item : read->submissions) {
        if (!item.value) return 0;  // what is left out would leave its root unused
        out.submissions.push_back(*item.value);
    }
    for (const auto& item : read->logs) {
        if (!item.value) return 0;
        out.logs.push_back(*item.value);
    }
    for (const auto& item : read->direct) {
        if (!item.value) return 0;
        out.direct.push_back(*item.value);
    }
    for (const auto& item : read->signals) {
        if (!item.value) return 0;
        out.signals.push_back(item.value->json);
    }
    const auto again = parse_transaction(write_transaction(out), {1'048'576, limits.items}, {});
    if (!again || again->items() != read->items()) std::abort();
    return 0;
}
