// Token buckets per proven origin and per source address, in memory that stays bounded
// however many of them there are. Time is passed in; on the I/O thread. Nothing here knows
// what is proven: the gate charges a server only for what its signature covers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "protocol/clock.hpp"
#include "protocol/names.hpp"
#include "trust/tier_table.hpp"

namespace entente::trust {

// Starts full, refills evenly to `capacity` within `period`.
class Bucket {
 public:
    Bucket(std::int64_t capacity, protocol::Millis period, protocol::Millis now);

    // Takes `amount` where it is there; else nothing and false.
    [[nodiscard]] bool take(std::int64_t amount, protocol::Millis now);
    // Takes it in any case: the bucket may fall below nothing, by one capacity at most. What was
    // taken.
    std::int64_t charge(std::int64_t amount, protocol::Millis now);
    void give_back(std::int64_t amount);
    [[nodiscard]] std::int64_t level(protocol::Millis now);
    [[nodiscard]] bool is_full(protocol::Millis now);
    // Whole seconds, at least 1, until `amount` (or a full bucket) is there.
    [[nodiscard]] std::int64_t seconds_until(std::int64_t amount, protocol::Millis now);
    // Another capacity, the same share of it filled.
    void resize(std::int64_t capacity);
    [[nodiscard]] std::int64_t capacity() const { return capacity_; }

 private:
    void refill(protocol::Millis now);

    std::int64_t capacity_;
    protocol::Millis period_;
    protocol::Millis at_;
    double level_;
};

// Buckets by key, the least recently used ones forgotten beyond `max_keys`. Who can come
// under that many keys has that many budgets already, so forgetting gives nothing away.
class BucketTable {
 public:
    BucketTable(std::size_t max_keys, std::int64_t capacity, protocol::Millis period);
    // Lives until the next call.
    [[nodiscard]] Bucket& of(std::string_view key, protocol::Millis now);
    [[nodiscard]] Bucket& of(std::string_view key, std::int64_t capacity, protocol::Millis now);
    [[nodiscard]] std::size_t size() const { return order_.size(); }

 private:
    struct Kept {
        std::string key;
        Bucket bucket;
    };
    std::size_t max_keys_;
    std::int64_t capacity_;
    protocol::Millis period_;
    std::list<Kept> order_;  // the latest used first
    std::unordered_map<std::string_view, std::list<Kept>::iterator> index_;
};

struct BudgetOptions {
    std::size_t max_origins = 20'000;
    std::size_t max_sources = 20'000;
    std::int64_t unproven_per_source = 600;  // requests a minute
};

class Budgets {
 public:
    explicit Budgets(TierTable table, BudgetOptions options = {});

    // `rate_limited` with retry_after. `source` is an IPv4 address or an IPv6 /64.
    [[nodiscard]] Result<void> spend_source(std::string_view source, protocol::Millis now);
    // The request has proven itself: it isn't the address's any more.
    void refund_source(std::string_view source, protocol::Millis now);

    // A proven request of `origin`. `rate_limited` with retry_after, where there is none left, or
    // no octet: so whoever has sent or drawn more than its octets waits until they are paid for.
    [[nodiscard]] Result<void> spend_request(const protocol::ServerName& origin, Tier tier,
                                             protocol::Millis now);
    // Whether there is one left, which isn't taken: the same refusal where not.
    [[nodiscard]] Result<void> check_request(const protocol::ServerName& origin, Tier tier,
                                             protocol::Millis now);
    // Items within a transaction, and what their proofs cost [INBOX-8]: `rate_limited` with
    // retry_after for an item beyond the budget. `first` is always taken, so that there is
    // progress.
    [[nodiscard]] Result<void> spend_events(const protocol::ServerName& origin, Tier tier,
                                            std::int64_t events, bool first, protocol::Millis now);
    [[nodiscard]] Result<void> spend_bytes(const protocol::ServerName& origin, Tier tier,
                                           std::int64_t bytes, bool first, protocol::Millis now);
    // A body that has come, or an answer that goes: in any case, with at most one budget of debt,
    // so that what is larger than the whole budget can be had too. What was charged.
    std::int64_t charge_bytes(const protocol::ServerName& origin, Tier tier, std::int64_t bytes,
                              protocol::Millis now);
    // Of what was charged.
    void refund_bytes(const protocol::ServerName& origin, Tier tier, std::int64_t bytes,
                      protocol::Millis now);
    // One-time keys claimed in one request: where there are more than the tier has in all, a
    // full budget is enough, and is then used up.
    [[nodiscard]] Result<void> spend_claims(const protocol::ServerName& origin, Tier tier,
                                            std::int64_t claims, protocol::Millis now);
    // Each is one; `rate_limited` with retry_after.
    [[nodiscard]] Result<void> spend_invitation(const protocol::ServerName& origin, Tier tier,
                                                protocol::Millis now);
    [[nodiscard]] Result<void> spend_look_up(const protocol::ServerName& origin, Tier tier,
                                             protocol::Millis now);
    [[nodiscard]] Result<void> spend_media(const protocol::ServerName& origin, Tier tier,
                                           protocol::Millis now);
    // False for a signal beyond the budget: it is dropped.
    [[nodiscard]] bool spend_signal(const protocol::ServerName& origin, Tier tier,
                                    protocol::Millis now);

    // Buckets that are remembered, of all tables: at most max_sources, and max_origins for each of
    // the eight figures of a tier.
    [[nodiscard]] std::size_t buckets() const;

 private:
    [[nodiscard]] static Result<void> spend(Bucket& bucket, std::int64_t amount, bool always,
                                            std::string_view what, protocol::Millis now);

    TierTable table_;
    BucketTable sources_;
    BucketTable requests_;
    BucketTable events_;
    BucketTable bytes_;
    BucketTable claims_;
    BucketTable signals_;
    BucketTable invitations_;
    BucketTable look_ups_;
    BucketTable media_;
};

}  // namespace entente::trust
