#include <iterator>
#include <utility>

#include "conformance/cases/groups.hpp"

namespace entente::conformance {

namespace {

struct Group {
    const char* name;
    std::vector<Case> (*cases)();
};

constexpr Group groups[] = {
    {"discovery", discovery_cases}, {"keys", key_cases},          {"signature", signature_cases},
    {"digest", digest_cases},       {"window", window_cases},     {"replay", replay_cases},
    {"events", event_cases},        {"log", log_cases},           {"http", http_cases},
    {"load", load_cases},           {"outbound", outbound_cases},
};

}  // namespace

const std::vector<Case>& catalogue()
{
    static const std::vector<Case> all = [] {
        std::vector<Case> cases;
        for (const auto& group : groups) {
            for (auto& one : group.cases()) {
                one.group = group.name;
                cases.push_back(std::move(one));
            }
        }
        return cases;
    }();
    return all;
}

}  // namespace entente::conformance
