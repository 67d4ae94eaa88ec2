#include "trust/budgets.hpp"

#include <algorithm>
#include <cmath>

namespace entente::trust {

namespace {
constexpr protocol::Millis minute_ms = 60'000;
constexpr protocol::Millis hour_ms = 60 * minute_ms;
}  // namespace

Bucket::Bucket(std::int64_t capacity, protocol::Millis period, protocol::Millis now)
    : capacity_(capacity), period_(period), at_(now), level_(static_cast<double>(capacity))
{
}

void Bucket::refill(protocol::Millis now)
{
    // A clock set back gives nothing and takes nothing.
    if (now > at_) {
        auto share = static_cast<double>(now - at_) / static_cast<double>(period_);
        auto full = static_cast<double>(capacity_);
        level_ = std::min(full, level_ + share * full);
    }
    at_ = now;
}

bool Bucket::take(std::int64_t amount, protocol::Millis now)
{
    refill(now);
    // Refilling in many small steps must not lose a token to rounding.
    if (level_ + 1e-6 < static_cast<double>(amount)) return false;
    level_ -= static_cast<double>(amount);
    return true;
}

std::int64_t Bucket::charge(std::int64_t amount, protocol::Millis now)
{
    refill(now);
    const auto room = static_cast<std::int64_t>(std::floor(level_)) + capacity_;
    const auto taken = std::clamp<std::int64_t>(room, 0, amount);
    level_ -= static_cast<double>(taken);
    return taken;
}

void Bucket::give_back(std::int64_t amount)
{
    level_ = std::min(level_ + static_cast<double>(amount), static_cast<double>(capacity_));
}

std::int64_t Bucket::level(protocol::Millis now)
{
    refill(now);
    return static_cast<std::int64_t>(std::floor(level_ + 1e-6));
}

bool Bucket::is_full(protocol::Millis now)
{
    return level(now) >= capacity_;
}

std::int64_t Bucket::seconds_until(std::int64_t amount, protocol::Millis now)
{
    refill(now);
    auto wanted = static_cast<double>(std::min(amount, capacity_));
    if (capacity_ <= 0) return minute_ms / 1000;
    auto missing = std::max(0.0, wanted - level_);
    auto ms = missing / static_cast<double>(capacity_) * static_cast<double>(period_);
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(ms / 1000.0)));
}

void Bucket::resize(std::int64_t capacity)
{
    if (capacity == capacity_) return;
    auto share = capacity_ > 0 ? level_ / static_cast<double>(capacity_) : 1.0;
    capacity_ = capacity;
    level_ = share * static_cast<double>(capacity);
}

BucketTable::BucketTable(std::size_t max_keys, std::int64_t capacity, protocol::Millis period)
    : max_keys_(std::max<std::size_t>(1, max_keys)), capacity_(capacity), period_(period)
{
}

Bucket& BucketTable::of(std::string_view key, protocol::Millis now)
{
    return of(key, capacity_, now);
}

Bucket& BucketTable::of(std::string_view key, std::int64_t capacity, protocol::Millis now)
{
    auto found = index_.find(key);
    if (found != index_.end()) {
        order_.splice(order_.begin(), order_, found->second);
        found->second->bucket.resize(capacity);
        return found->second->bucket;
    }
    if (order_.size() >= max_keys_) {
        index_.erase(order_.back().key);
        order_.pop_back();
    }
    order_.push_front(Kept{std::string{key}, Bucket{capacity, period_, now}});
    index_.emplace(order_.front().key, order_.begin());
    return order_.front().bucket;
}

Budgets::Budgets(TierTable table, BudgetOptions options)
    : table_(table),
      sources_(options.max_sources, options.unproven_per_source, minute_ms),
      requests_(options.max_origins, 0, minute_ms),
      events_(options.max_origins, 0, minute_ms),
      bytes_(options.max_origins, 0, minute_ms),
      claims_(options.max_origins, 0, minute_ms),
      signals_(options.max_origins, 0, minute_ms),
      invitations_(options.max_origins, 0, hour_ms),
      look_ups_(options.max_origins, 0, minute_ms),
      media_(options.max_origins, 0, minute_ms)
{
}

Result<void> Budgets::spend(Bucket& bucket, std::int64_t amount, bool always, std::string_view what,
                            protocol::Millis now)
{
    if (bucket.take(amount, now)) return {};
    if (always) {
        bucket.charge(amount, now);
        return {};
    }
    return retry_later(Code::rate_limited, "over the budget of " + std::string{what},
                       bucket.seconds_until(amount, now));
}

Result<void> Budgets::spend_source(std::string_view source, protocol::Millis now)
{
    return spend(sources_.of(source, now), 1, false, "the source address", now);
}

void Budgets::refund_source(std::string_view source, protocol::Millis now)
{
    sources_.of(source, now).give_back(1);
}

Result<void> Budgets::spend_request(const protocol::ServerName& origin, Tier tier,
                                    protocol::Millis now)
{
    auto& bytes = bytes_.of(origin.str(), table_.of(tier).bytes, now);
    if (auto paid = spend(bytes, 1, false, "bytes", now); !paid) return paid;
    bytes.give_back(1);
    return spend(requests_.of(origin.str(), table_.of(tier).requests, now), 1, false, "requests",
                 now);
}

Result<void> Budgets::check_request(const protocol::ServerName& origin, Tier tier,
                                    protocol::Millis now)
{
    auto taken = spend_request(origin, tier, now);
    if (taken) requests_.of(origin.str(), table_.of(tier).requests, now).give_back(1);
    return taken;
}

Result<void> Budgets::spend_events(const protocol::ServerName& origin, Tier tier,
                                   std::int64_t events, bool first, protocol::Millis now)
{
    return spend(events_.of(origin.str(), table_.of(tier).events, now), events, first, "events",
                 now);
}

Result<void> Budgets::spend_bytes(const protocol::ServerName& origin, Tier tier, std::int64_t bytes,
                                  bool first, protocol::Millis now)
{
    return spend(bytes_.of(origin.str(), table_.of(tier).bytes, now), bytes, first, "bytes", now);
}

std::int64_t Budgets::charge_bytes(const protocol::ServerName& origin, Tier tier,
                                   std::int64_t bytes, protocol::Millis now)
{
    return bytes_.of(origin.str(), table_.of(tier).bytes, now).charge(bytes, now);
}

void Budgets::refund_bytes(const protocol::ServerName& origin, Tier tier, std::int64_t bytes,
                           protocol::Millis now)
{
    bytes_.of(origin.str(), table_.of(tier).bytes, now).give_back(bytes);
}

Result<void> Budgets::spend_claims(const protocol::ServerName& origin, Tier tier,
                                   std::int64_t claims, protocol::Millis now)
{
    const auto most = table_.of(tier).claims;
    return spend(claims_.of(origin.str(), most, now), most > 0 ? std::min(claims, most) : claims,
                 false, "key claims", now);
}

Result<void> Budgets::spend_invitation(const protocol::ServerName& origin, Tier tier,
                                       protocol::Millis now)
{
    return spend(invitations_.of(origin.str(), table_.of(tier).invitations, now), 1, false,
                 "invitations", now);
}

Result<void> Budgets::spend_look_up(const protocol::ServerName& origin, Tier tier,
                                    protocol::Millis now)
{
    return spend(look_ups_.of(origin.str(), table_.of(tier).look_ups, now), 1, false, "look-ups",
                 now);
}

Result<void> Budgets::spend_media(const protocol::ServerName& origin, Tier tier,
                                  protocol::Millis now)
{
    return spend(media_.of(origin.str(), table_.of(tier).media, now), 1, false, "media", now);
}

std::size_t Budgets::buckets() const
{
    std::size_t all = 0;
    for (const auto* table : {&sources_, &requests_, &events_, &bytes_, &claims_, &signals_,
                              &invitations_, &look_ups_, &media_})
        all += table->size();
    return all;
}

bool Budgets::spend_signal(const protocol::ServerName& origin, Tier tier, protocol::Millis now)
{
    return signals_.of(origin.str(), table_.of(tier).signals, now).take(1, now);
}

}  // namespace entente::trust
