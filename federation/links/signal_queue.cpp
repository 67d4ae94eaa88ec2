#include "federation/links/signal_queue.hpp"

#include <utility>

namespace entente::federation {

bool SignalQueue::push(const std::string& key, std::string json)
{
    const auto found = waiting_.find(key);
    const auto before = found == waiting_.end() ? 0 : found->second.size();
    const bool is_new = found == waiting_.end();
    if (octets_ - before + json.size() > limits_.octets) return false;
    if (is_new && order_.size() >= limits_.signals) return false;
    octets_ += json.size() - before;
    if (is_new) {
        order_.push_back(key);
        waiting_.emplace(key, std::move(json));
    } else {
        found->second = std::move(json);
    }
    return true;
}

std::vector<std::string> SignalQueue::take(std::size_t signals, std::size_t octets)
{
    std::vector<std::string> taken;
    while (!order_.empty() && taken.size() < signals) {
        const auto found = waiting_.find(order_.front());
        if (found->second.size() > octets) break;
        octets -= found->second.size();
        octets_ -= found->second.size();
        taken.push_back(std::move(found->second));
        waiting_.erase(found);
        order_.pop_front();
    }
    return taken;
}

void SignalQueue::clear()
{
    order_.clear();
    waiting_.clear();
    octets_ = 0;
}

}  // namespace entente::federation
