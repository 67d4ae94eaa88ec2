#include "trust/policy/limit_counts.hpp"

#include <algorithm>

namespace entente::trust::policy {

void Counter::forget_old(protocol::Millis now)
{
    swept_ = now;
    const auto is_old = [&](const Period& period) { return now - period.begin >= period_; };
    std::erase_if(named_, [&](const auto& one) { return is_old(one.second.period); });
    std::erase_if(crowds_, [&](const auto& one) { return is_old(one.second); });
    local_ = 0;
    of_server_.clear();
    for (const auto& [name, named] : named_) {
        if (named.server.empty()) {
            ++local_;
        } else {
            ++of_server_[named.server];
        }
    }
}

bool Counter::has_room(const Who& who) const
{
    if (who.is_local) return local_ < max_counted;
    if (named_.size() - local_ >= max_counted) return false;
    const auto of_server = of_server_.find(std::string(who.server));
    return of_server == of_server_.end() || of_server->second < max_counted_of_server;
}

Counter::Period& Counter::crowd_of(const Who& who)
{
    const auto found = crowds_.find(std::string(who.server));
    if (found != crowds_.end()) return found->second;
    return crowds_.size() < max_crowds ? crowds_[std::string(who.server)] : rest_;
}

Counter::Period& Counter::find_or_add(const Who& who, protocol::Millis now)
{
    const auto found = named_.find(std::string(who.name));
    if (found != named_.end()) return found->second.period;
    // At most once in a tenth of a period, or a crowd would have all looked at for each.
    if (!has_room(who) && now - swept_ >= period_ / 10) forget_old(now);
    if (!has_room(who)) return crowd_of(who);
    auto& named = named_[std::string(who.name)];
    if (who.is_local) {
        ++local_;
    } else {
        named.server = who.server;
        ++of_server_[named.server];
    }
    return named.period;
}

Counter::Period& Counter::period_of(const Who& who, protocol::Millis now)
{
    last_ = now;
    auto& period = find_or_add(who, now);
    // A clock that went back begins anew.
    if (now - period.begin >= period_ || now < period.begin) period = {now, 0};
    return period;
}

std::int64_t Counter::count(const Who& who, protocol::Millis now)
{
    return period_of(who, now).count;
}

void Counter::add(const Who& who, protocol::Millis now)
{
    ++period_of(who, now).count;
}

protocol::Millis Counter::left(const Who& who, protocol::Millis now)
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
