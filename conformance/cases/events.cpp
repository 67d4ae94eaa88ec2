// Events: their form, their seals, their places in a log, and who may write what [EVT, INBOX, MEM].
#include "conformance/cases/events.hpp"

#include <iterator>
#include <utility>

#include "conformance/cases/groups.hpp"

namespace entente::conformance {

std::vector<Case> event_cases()
{
    std::vector<Case> all;
    for (const auto& part :
         {event_seal_cases, event_proof_cases, event_repeat_cases, event_member_cases,
          event_json_cases, event_item_cases, event_way_cases, event_people_cases}) {
        auto cases = part();
        all.insert(all.end(), std::make_move_iterator(cases.begin()),
                   std::make_move_iterator(cases.end()));
    }
    return all;
}

}  // namespace entente::conformance
