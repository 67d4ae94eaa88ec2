// Log: slices of a channel that the runner orders and the target follows, and queries for one that
// the target orders [LOG-1 … LOG-14, LOG-21, QRY-1 … QRY-5, QRY-14, MEM-3, SUC-2].
#include <iterator>
#include <utility>

#include "conformance/cases/groups.hpp"
#include "conformance/cases/log_parts.hpp"

namespace entente::conformance {

std::vector<Case> log_cases()
{
    std::vector<Case> all;
    for (auto part :
         {log_slice_cases, log_proof_cases, log_history_cases, log_home_cases, log_move_cases}) {
        auto cases = part();
        all.insert(all.end(), std::make_move_iterator(cases.begin()),
                   std::make_move_iterator(cases.end()));
    }
    return all;
}

}  // namespace entente::conformance
