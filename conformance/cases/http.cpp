// HTTP: where a message begins and ends, and what is no message at all. The allowed answers are
// those of RFC 9112 and of servers in their right mind; what counts is that nothing takes effect.
#include <iterator>

#include "conformance/cases/groups.hpp"
#include "conformance/cases/http_parts.hpp"

namespace entente::conformance {

std::vector<Case> http_cases()
{
    std::vector<Case> all;
    for (auto* part : {http_framing_cases, http_chunk_cases, http_smuggling_cases, http_head_cases,
                       http_body_cases, http_full_head_cases}) {
        auto cases = part();
        all.insert(all.end(), std::make_move_iterator(cases.begin()),
                   std::make_move_iterator(cases.end()));
    }
    return all;
}

}  // namespace entente::conformance
