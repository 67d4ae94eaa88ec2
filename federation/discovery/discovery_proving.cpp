// The part of Discovery that keeps what strangers name apart from what has proven itself. Anybody
// can name a server in a request, and with a domain of his own as many as he likes: until a
// signature verifies, what was fetched for that is held in memory only, and the oldest of it goes.
#include <algorithm>
#include <utility>

#include "federation/discovery/discovery_turn.hpp"

namespace entente::federation {

namespace {

constexpr std::size_t max_pins_looked_up = 64;  // in one transaction

}  // namespace

const trust::KeyRing& Discovery::ring_of(const ServerName& server) const
{
    const bool is_pinned = ring_.find(server) != nullptr;
    return !is_pinned && unproven_.find(server) != nullptr ? unproven_ : ring_;
}

bool Discovery::is_known(const ServerName& server) const
{
    return ring_of(server).find(server) != nullptr;
}

// Each document as at first contact: nothing of an earlier one was ever relied on.
void Discovery::hold_unproven(const protocol::ServerDocument& document)
{
    unproven_.drop(document.server);
    unproven_.load(unproven_.judge(document, clock_.now_ms()).server);
    unproven_names_.use(document.server);
    if (unproven_names_.size() <= max_unproven_pins) return;
    const auto oldest = unproven_names_.oldest(1);
    unproven_.drop(oldest[0]);
    unproven_names_.drop(oldest[0]);
}

asio::awaitable<Result<void>> Discovery::prove(KeyRef ref)
{
    if (ring_.find(ref.server) != nullptr) co_return Result<void>{};
    const auto turn = co_await turn_to_pin(ref.server);
    if (ring_.find(ref.server) != nullptr) co_return Result<void>{};
    // A later document may have come meanwhile, or so many others that this one is gone.
    auto key = unproven_.request_key(ref, clock_.now_ms());
    if (!key)
        co_return retry_later(Code::key_unavailable, "discovery: the document was forgotten", 1);
    auto held = co_await pin_unproven(ref.server);
    if (!held) co_return retry_later(Code::key_unavailable, held.error().detail, 10);
    co_return held;
}

// Requires the turn, and that it is held.
asio::awaitable<Result<void>> Discovery::pin_unproven(ServerName server)
{
    trust::KeyRing::Judgement judgement{trust::PinVerdict::pinned, *unproven_.find(server)};
    auto held = co_await hold(std::move(judgement), {});
    co_return held;
}

// For ourselves, not because of a request: what is fetched is pinned, also where the fetch was
// another's.
asio::awaitable<Result<void>> Discovery::fetch_own(ServerName server)
{
    auto fetched = co_await fetch_shared(server, Place::own);
    if (!fetched || ring_.find(server) != nullptr) co_return fetched;
    const auto turn = co_await turn_to_pin(server);
    if (ring_.find(server) != nullptr || unproven_.find(server) == nullptr) co_return fetched;
    auto held = co_await pin_unproven(server);
    co_return held;
}

void Discovery::note_use(const ServerName& server)
{
    if (!std::exchange(has_listed_pins_, true)) {
        for (const auto& pinned : ring_.oldest_first()) unrelated_.use(pinned);
    }
    unrelated_.use_if_held(server);
}

// Some at a time, so that it isn't looked up with each new pin.
asio::awaitable<void> Discovery::make_room()
{
    if (std::exchange(is_making_room_, true)) co_return;
    const auto most = options_.max_unrelated_pins;
    while (unrelated_.size() > most) {
        const auto excess = unrelated_.size() - most + most / 16;
        auto oldest = unrelated_.oldest(std::min(excess, max_pins_looked_up));
        // Whoever changes a pin right now has something to do with us.
        std::erase_if(oldest, [&](const auto& server) { return pinning_.contains(server); });
        if (oldest.empty()) break;
        for (const auto& server : oldest) unrelated_.drop(server);
        std::erase_if(oldest, [&](const auto& server) { return options_.kept.contains(server); });
        auto dropped = co_await pins_.drop_unrelated(oldest);
        if (!dropped) {
            for (const auto& server : oldest) unrelated_.use(server);
            break;
        }
        for (const auto& server : *dropped) ring_.drop(server);
    }
    is_making_room_ = false;
}

}  // namespace entente::federation
