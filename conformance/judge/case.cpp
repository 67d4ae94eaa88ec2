#include "conformance/judge/case.hpp"

namespace entente::conformance {

namespace {

bool fits_one(std::string_view id, std::string_view pattern)
{
    if (pattern.empty()) return id.empty();
    if (pattern.front() == '*')
        return fits_one(id, pattern.substr(1)) || (!id.empty() && fits_one(id.substr(1), pattern));
    return !id.empty() && (pattern.front() == '?' || pattern.front() == id.front()) &&
           fits_one(id.substr(1), pattern.substr(1));
}

}  // namespace

std::string_view name_of(Level level)
{
    return level == Level::must ? "MUST" : "SHOULD";
}

std::string_view name_of(Profile profile)
{
    switch (profile) {
        case Profile::core: return "core";
        case Profile::hardened: return "hardened";
        case Profile::durable: return "durable";
    }
    return "";
}

const Case* find_case(std::string_view id)
{
    for (const auto& one : catalogue())
        if (one.id == id) return &one;
    return nullptr;
}

bool fits(std::string_view id, std::string_view patterns)
{
    while (true) {
        const auto comma = patterns.find(',');
        if (fits_one(id, patterns.substr(0, comma))) return true;
        if (comma == std::string_view::npos) return false;
        patterns.remove_prefix(comma + 1);
    }
}

}  // namespace entente::conformance
