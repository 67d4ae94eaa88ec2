#include "api/rates.hpp"

#include <algorithm>
#include <cmath>

namespace entente::api {

Rates::Rates(Rate rate, std::size_t max_keys) : rate_(rate), max_keys_(max_keys) {}

double Rates::level_of(const Bucket& bucket, protocol::Millis now) const
{
    // A clock that went back refills nothing.
    const auto passed = static_cast<double>(std::max<protocol::Millis>(now - bucket.at, 0)) / 1000;
    return std::min(rate_.burst, bucket.level + passed * rate_.per_second);
}

Result<void> Rates::verdict(double level, double cost) const
{
    if (level >= cost) return {};
    const auto wait = std::ceil((cost - level) / std::max(rate_.per_second, 1e-6));
    return retry_later(Code::rate_limited, "over the rate",
                       std::max<std::int64_t>(1, static_cast<std::int64_t>(wait)));
}

Result<void> Rates::take(const std::string& key, protocol::Millis now, double cost)
{
    auto found = buckets_.find(key);
    if (found == buckets_.end()) {
        if (buckets_.size() >= max_keys_) make_room(now);
        found = buckets_.emplace(key, Bucket{rate_.burst, now}).first;
    }
    auto& bucket = found->second;
    const auto level = level_of(bucket, now);
    bucket = Bucket{level, now};
    auto said = verdict(level, cost);
    if (said) bucket.level -= cost;
    return said;
}

Result<void> Rates::check(const std::string& key, protocol::Millis now) const
{
    const auto found = buckets_.find(key);
    if (found == buckets_.end()) return {};
    return verdict(level_of(found->second, now), 1);
}

void Rates::make_room(protocol::Millis now)
{
    std::erase_if(buckets_,
                  [&](const auto& entry) { return level_of(entry.second, now) >= rate_.burst; });
    if (buckets_.size() >= max_keys_) buckets_.clear();
}

Result<void> DailyCount::take(const std::string& key, protocol::Millis now)
{
    const auto today = now / protocol::day_ms;
    if (today != day_) {
        counts_.clear();
        day_ = today;
    }
    auto& count = counts_[key];
    if (count >= limit_)
        return retry_later(Code::rate_limited, "over the daily number",
                           ((today + 1) * protocol::day_ms - now + 999) / 1000);
    ++count;
    return {};
}

}  // namespace entente::api
