// The window as a map: forgets with the process. For queries, whose nonces need no disk,
// for tests and simulation.
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "storage/nonce_window.hpp"

namespace entente::storage {
namespace {

// One server's flood ends at its own bound long before it could crowd out another's. Not a
// key's: a document may show many.
constexpr std::size_t most_of_a_server = 50'000;
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
        if (spent_.size() >= most_in_all) return too_many();
        const auto of_server = by_server_.try_emplace(key.server.str(), 0).first;
        if (of_server->second >= most_of_a_server) return too_many();
        ++of_server->second;
        spent_.emplace(entry, &*of_server);
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
            const auto nonce = spent_.find(gone);
            auto* const of_server = nonce->second;
            spent_.erase(nonce);
            if (--of_server->second == 0) by_server_.erase(of_server->first);
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
    // A server and how many of its nonces are remembered; stays where it is.
    using OfServer = std::unordered_map<std::string, std::size_t>::value_type;

    static Result<void> too_many()
    {
        return retry_later(Code::unavailable, "too many nonces to remember", 60);
    }

    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::size_t> by_server_;
    std::unordered_map<std::string, OfServer*> spent_;  // by key and nonce
    std::set<std::pair<protocol::Seconds, std::string>> by_expiry_;
    protocol::Seconds swept_until_ = 0;
};

}  // namespace

std::unique_ptr<NonceWindow> make_memory_window()
{
    return std::make_unique<MemoryWindow>();
}

}  // namespace entente::storage
