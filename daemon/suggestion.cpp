#include "daemon/suggestion.hpp"

#include <vector>

#include "protocol/nearest_name.hpp"

namespace entente::daemon {

std::string suggest(std::string_view unknown, const std::set<std::string>& known,
                    const std::string& advice)
{
    const std::vector<std::string_view> names(known.begin(), known.end());
    const auto nearest = protocol::nearest_name(unknown, names);
    return nearest ? "; did you mean " + std::string(*nearest) + "?" : "; " + advice;
}

}  // namespace entente::daemon
