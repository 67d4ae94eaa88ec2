#include "conformance/reference/nonces.hpp"

#include <chrono>
#include <thread>

#include "conformance/reference/refused.hpp"

namespace entente::conformance::reference {

namespace {

// Of mutants.
constexpr std::size_t too_few = 1'000;
constexpr Millis race_time{50};

}  // namespace

void Nonces::replay(const nlohmann::json& record)
{
    const std::lock_guard lock(mutex_);
    if (record.at("is") == "swept") {
        swept_ = std::max(swept_, record.at("until").get<std::int64_t>());
        return;
    }
    const auto name = record.at("name").get<std::string>();
    const auto expires = record.at("expires").get<std::int64_t>();
    if (spent_.emplace(name, expires).second) by_expiry_.emplace(expires, name);
}

std::string Nonces::name_of(const Claim& claim, const Request& request) const
{
    auto name = claim.origin + "#" + claim.key_id + " " + claim.nonce;
    if (flags_.has<"nonces-of-all-servers">()) name = claim.nonce;
    if (flags_.has<"nonce-with-digest">())
        name += field_of(request.fields, "content-digest").value_or("");
    if (flags_.has<"nonce-with-created">()) name += std::to_string(claim.created);
    return name;
}

void Nonces::spend(const Claim& claim, const Request& request, std::int64_t now)
{
    if (flags_.has<"no-nonces">()) return;
    if (request.method == "GET" && flags_.has<"no-nonces-of-queries">()) return;
    const auto name = name_of(claim, request);
    std::unique_lock lock(mutex_);
    sweep(now);
    if (claim.expires <= swept_ && !flags_.has<"swept-without-mark">() &&
        !flags_.has<"nonces-forgotten-early">())
        throw Refused{"unavailable", "nonces of that time are forgotten", {{"retry_after", 1}}};
    if (spent_.contains(name)) throw Refused{"replayed", "the nonce was used before"};
    if (flags_.has<"nonce-race">()) {
        lock.unlock();
        std::this_thread::sleep_for(race_time);
        lock.lock();
    }
    spent_[name] = claim.expires;
    by_expiry_.emplace(claim.expires, name);
    if (flags_.has<"nonces-bounded">()) {
        in_order_.push_back(name);
        if (in_order_.size() > too_few) {
            spent_.erase(in_order_.front());
            in_order_.pop_front();
        }
    }
    if (!flags_.has<"nonces-in-memory">())
        journal_.append({{"is", "nonce"}, {"name", name}, {"expires", claim.expires}});
}

// What has expired can't be replayed by this clock; by one that is set back it could, so it is
// noted up to where nonces are gone.
void Nonces::sweep(std::int64_t now)
{
    const auto until = flags_.has<"nonces-forgotten-early">() ? now + 1 : now - 1;
    auto forgotten = swept_;
    while (!by_expiry_.empty() && by_expiry_.begin()->first < until) {
        forgotten = std::max(forgotten, by_expiry_.begin()->first);
        spent_.erase(by_expiry_.begin()->second);
        by_expiry_.erase(by_expiry_.begin());
    }
    if (forgotten == swept_) return;
    swept_ = forgotten;
    if (!flags_.has<"nonces-in-memory">()) journal_.append({{"is", "swept"}, {"until", swept_}});
}

std::size_t Nonces::size() const
{
    const std::lock_guard lock(mutex_);
    return spent_.size();
}

}  // namespace entente::conformance::reference
