// The window as a map: forgets with the process. For queries, whose nonces need no disk,
// for tests and simulation.
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "storage/nonce_window.hpp"

namespace entente::storage {
namespace {

// One key's flood ends at its own bound long before it could crowd out another's.
constexpr std::size_t most_of_a_key = 50'000;
constexpr std::size_t most_in_all = 1'000'000;

class MemoryWindow final : public NonceWindow {
 public:
    Result<void> spend(const protocol::KeyRef& key, std::string_view nonce,
                       protocol::Seconds /*created*/, protocol::Seconds expires) override
    {
        auto entry = key.key.str();
        entry.push_back('\0');
        entry.append(nonce);
        const std::lock_guard lock(mutex_);
        if (expires <= swept_until_) {
            return fail(Code::unavailable, "the nonce expired before the sweep time");
        }
        if (spent_.contains(entry)) return fail(Code::replayed, "the nonce is spent");
        auto& of_key = by_key_[key.key.str()];
        if (of_key >= most_of_a_key || spent_.size() >= most_in_all) {
            return retry_later(Code::unavailable, "too many nonces to remember", 60);
        }
        ++of_key;
        spent_.emplace(entry, expires);
        by_expiry_.emplace(expires, std::move(entry));
        return {};
    }

    Result<void> sweep(protocol::Seconds now) override
    {
        const std::lock_guard lock(mutex_);
        const auto until = now - 2;  // what expired before now - 1
        if (until <= swept_until_) return {};
        swept_until_ = until;
        while (!by_expiry_.empty() && by_expiry_.begin()->first <= until) {
            const auto& gone = by_expiry_.begin()->second;
            const auto key = by_key_.find(gone.substr(0, gone.find('\0')));
            if (--key->second == 0) by_key_.erase(key);
            spent_.erase(gone);
            by_expiry_.erase(by_expiry_.begin());
        }
        return {};
    }

    protocol::Seconds swept_until() const override
    {
        const std::lock_guard lock(mutex_);
        return swept_until_;
    }

 private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, protocol::Seconds> spent_;
    std::set<std::pair<protocol::Seconds, std::string>> by_expiry_;
    std::unordered_map<std::string, std::size_t> by_key_;
    protocol::Seconds swept_until_ = 0;
};

}  // namespace

std::unique_ptr<NonceWindow> make_memory_window()
{
    return std::make_unique<MemoryWindow>();
}

}  // namespace entente::storage
