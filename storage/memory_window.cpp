// The window as a map: forgets with the process. For tests and simulation.
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "storage/nonce_window.hpp"

namespace entente::storage {
namespace {

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
        if (!spent_.emplace(entry, expires).second) {
            return fail(Code::replayed, "the nonce is spent");
        }
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
            spent_.erase(by_expiry_.begin()->second);
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
    protocol::Seconds swept_until_ = 0;
};

}  // namespace

std::unique_ptr<NonceWindow> make_memory_window() { return std::make_unique<MemoryWindow>(); }

}  // namespace entente::storage
