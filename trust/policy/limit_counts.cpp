#include "trust/policy/limit_counts.hpp"

#include <algorithm>

namespace entente::trust::policy {

namespace {

constexpr std::string_view newcomers;  // no subject has an empty name

}  // namespace

void Counter::forget_old(protocol::Millis now)
{
    swept_ = now;
    std::erase_if(counts_, [&](const auto& one) { return now - one.second.begin >= period_; });
}

Counter::Period& Counter::period_of(std::string_view who, protocol::Millis now)
{
    last_ = now;
    auto found = counts_.find(std::string(who));
    if (found == counts_.end()) {
        // At most once in a tenth of a period, or a crowd would have all looked at for each.
        if (counts_.size() >= max_counted && now - swept_ >= period_ / 10) forget_old(now);
        const auto name = counts_.size() >= max_counted ? newcomers : who;
        found = counts_.try_emplace(std::string(name)).first;
    }
    auto& period = found->second;
    // A clock that went back begins anew.
    if (now - period.begin >= period_ || now < period.begin) period = {now, 0};
    return period;
}

std::int64_t Counter::count(std::string_view who, protocol::Millis now)
{
    return period_of(who, now).count;
}

void Counter::add(std::string_view who, protocol::Millis now)
{
    ++period_of(who, now).count;
}

protocol::Millis Counter::left(std::string_view who, protocol::Millis now)
{
    return std::max<protocol::Millis>(period_of(who, now).begin + period_ - now, 1);
}

Counter& LimitCounts::of(const std::string& name, protocol::Millis period)
{
    const auto found = counters_.find(name);
    if (found != counters_.end()) return found->second;
    if (counters_.size() >= max_counters)
        counters_.erase(std::min_element(
            counters_.begin(), counters_.end(),
            [](const auto& a, const auto& b) { return a.second.last() < b.second.last(); }));
    return counters_.emplace(name, Counter{period}).first->second;
}

}  // namespace entente::trust::policy
