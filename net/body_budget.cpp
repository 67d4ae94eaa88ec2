#include "net/body_budget.hpp"

namespace entente::net {

bool BodyBudget::Share::take(std::size_t octets)
{
    auto& of_source = budget_->by_source_[source_];
    const auto& limits = budget_->limits_;
    const bool is_alone = of_source == held_;
    const auto most = budget_->is_scarce() && !is_alone ? limits.little : limits.per_source;
    if (budget_->held_ + octets > limits.total || of_source + octets > most) {
        if (of_source == 0) budget_->by_source_.erase(source_);
        return false;
    }
    budget_->held_ += octets;
    of_source += octets;
    held_ += octets;
    return true;
}

void BodyBudget::give_back(const std::string& source, std::size_t octets)
{
    if (octets == 0) return;
    held_ -= octets;
    const auto found = by_source_.find(source);
    found->second -= octets;
    if (found->second == 0) by_source_.erase(found);
}

}  // namespace entente::net
