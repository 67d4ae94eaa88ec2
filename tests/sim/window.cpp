#include "tests/sim/window.hpp"

#include <algorithm>
#include <mutex>

namespace entente::sim {

namespace {

using storage::EventPlace;
using storage::IndexedEvent;
using storage::IndexMark;
using storage::MemoryState;

// As in storage/rocks_window.cpp.
constexpr protocol::Seconds distrust_after_loss = 61;

std::string index_key(const protocol::Hash& id)
{
    return std::string(protocol::as_view(id));
}

}  // namespace

void WindowMemory::cut(Chance& chance)
{
    orphan();
    const auto is_unsynced = [](const Nonce& nonce) { return !nonce.is_synced; };
    const auto unsynced = std::count_if(nonces_.begin(), nonces_.end(), is_unsynced);
    auto lost = static_cast<std::int64_t>(chance.below(static_cast<std::uint64_t>(unsynced) + 1));
    while (lost > 0 && is_unsynced(nonces_.back())) {
        nonces_.pop_back();
        --lost;
    }
    // What is lost of them is lost in their order too; all of it is the worst.
    std::erase_if(refused_, [](const Refused& refused) { return !refused.is_synced; });
    while (newest_runs_.size() > 1 && chance.percent(50)) newest_runs_.pop_back();
    // The index is one log with the nonces; to have lost all of it is the worst.
    if (chance.percent(50)) {
        events_.clear();
        mark_.reset();
    }
}

void WindowMemory::put_back(const WindowMemory& older)
{
    const auto generation = generation_ + 1;
    *this = older;
    generation_ = generation;
}

class SimulatedWindow final : public storage::ReplayMemory,
                              private storage::EventPlaces,
                              private storage::CommitMemory,
                              private storage::RefusedItems {
 public:
    SimulatedWindow(WindowMemory& memory, const storage::RocksWindowOptions& options)
        : memory_(memory), generation_(++memory.generation_)
    {
        bool is_lost = false;
        if (!memory_.is_made_) {
            is_lost = options.ran_before;
            state_ = MemoryState::first_start;
        } else {
            const bool was_orderly = memory_.running_.empty();
            is_lost = !was_orderly && memory_.running_ != options.boot_id;
            state_ = options.start < memory_.created_not_before_ ? MemoryState::incomplete
                                                                 : MemoryState::complete;
        }
        if (is_lost) {
            state_ = MemoryState::incomplete;
            memory_.created_not_before_ =
                std::max(memory_.created_not_before_, options.start + distrust_after_loss);
        }
        memory_.is_made_ = true;
        memory_.running_ = options.boot_id.empty() ? "?" : options.boot_id;
        sync();
    }

    Result<void> spend(const protocol::KeyRef& key, std::string_view nonce,
                       protocol::Seconds created, protocol::Seconds expires) override
    {
        const std::lock_guard lock(mutex_);
        if (is_orphaned()) return fail(Code::unavailable, "the replay window is closed");
        if (created < memory_.created_not_before_)
            return fail(Code::unavailable, "made before the replay window can tell what is new");
        auto entry = key.key.str();
        entry.push_back('\0');
        entry.append(nonce);
        if (expires <= memory_.swept_until_)
            return fail(Code::unavailable, "the nonce expired before the sweep time");
        const auto is_it = [&](const WindowMemory::Nonce& spent) { return spent.entry == entry; };
        if (std::any_of(memory_.nonces_.begin(), memory_.nonces_.end(), is_it))
            return fail(Code::replayed, "the nonce is spent");
        memory_.nonces_.push_back({std::move(entry), expires, false});
        return {};
    }

    // The sweep time is made durable first, and with it all that was written before.
    Result<void> sweep(protocol::Seconds now) override
    {
        const std::lock_guard lock(mutex_);
        if (is_orphaned()) return fail(Code::unavailable, "the replay window is closed");
        const auto until = now - 2;
        if (until > memory_.swept_until_) {
            memory_.swept_until_ = until;
            sync();
        }
        const auto is_over = [until = std::min(until, memory_.swept_until_)](const auto& kept) {
            return kept.expires <= until;
        };
        std::erase_if(memory_.nonces_, is_over);
        std::erase_if(memory_.refused_, is_over);
        return {};
    }

    protocol::Seconds swept_until() const override
    {
        const std::lock_guard lock(mutex_);
        return memory_.swept_until_;
    }
    MemoryState state() const override { return state_; }
    storage::EventPlaces& events() override { return *this; }
    storage::CommitMemory& commits() override { return *this; }
    storage::RefusedItems& refused() override { return *this; }
    void close() override
    {
        const std::lock_guard lock(mutex_);
        if (is_orphaned()) return;
        memory_.running_.clear();
        sync();
        memory_.orphan();
    }

 private:
    Result<void> add_events(const std::vector<IndexedEvent>& events,
                            const std::optional<IndexMark>& mark) override
    {
        const std::lock_guard lock(mutex_);
        if (is_orphaned()) return fail(Code::unavailable, "the replay window is closed");
        for (const auto& event : events) memory_.events_.emplace(index_key(event.id), event.place);
        if (mark) memory_.mark_ = mark;
        return {};
    }

    Result<std::vector<EventPlace>> find_event(const protocol::Hash& id) override
    {
        const std::lock_guard lock(mutex_);
        if (is_orphaned()) return fail(Code::unavailable, "the replay window is closed");
        std::vector<EventPlace> found;
        const auto [first, last] = memory_.events_.equal_range(index_key(id));
        for (auto at = first; at != last; ++at) found.push_back(at->second);
        return found;
    }

    Result<std::optional<IndexMark>> index_mark() override
    {
        const std::lock_guard lock(mutex_);
        if (is_orphaned()) return fail(Code::unavailable, "the replay window is closed");
        return memory_.mark_;
    }

    Result<std::optional<IndexMark>> newest_run() override
    {
        const std::lock_guard lock(mutex_);
        if (is_orphaned()) return fail(Code::unavailable, "the replay window is closed");
        return memory_.newest_runs_.empty() ? std::nullopt
                                            : std::optional(memory_.newest_runs_.back());
    }

    Result<void> set_newest_run(const IndexMark& newest) override
    {
        const std::lock_guard lock(mutex_);
        if (is_orphaned()) return fail(Code::unavailable, "the replay window is closed");
        memory_.newest_runs_.push_back(newest);
        return {};
    }

    Result<void> note_refused(const protocol::Hash& item, Code code,
                              protocol::Seconds expires) override
    {
        const std::lock_guard lock(mutex_);
        if (is_orphaned()) return fail(Code::unavailable, "the replay window is closed");
        memory_.refused_.push_back({item, code, expires, false});
        return {};
    }

    Result<std::optional<Code>> find_refused(const protocol::Hash& item) override
    {
        const std::lock_guard lock(mutex_);
        if (is_orphaned()) return fail(Code::unavailable, "the replay window is closed");
        for (const auto& refused : memory_.refused_) {
            if (refused.item == item) return std::optional(refused.code);
        }
        return std::optional<Code>();
    }

    [[nodiscard]] bool is_orphaned() const { return generation_ != memory_.generation_; }
    void sync()
    {
        for (auto& nonce : memory_.nonces_) nonce.is_synced = true;
        for (auto& refused : memory_.refused_) refused.is_synced = true;
        auto& runs = memory_.newest_runs_;
        if (runs.size() > 1) runs.erase(runs.begin(), runs.end() - 1);
    }

    mutable std::mutex mutex_;
    WindowMemory& memory_;
    std::uint64_t generation_;
    MemoryState state_ = MemoryState::incomplete;
};

std::unique_ptr<storage::ReplayMemory> open_simulated_window(
    WindowMemory& memory, const storage::RocksWindowOptions& options)
{
    return std::make_unique<SimulatedWindow>(memory, options);
}

}  // namespace entente::sim
