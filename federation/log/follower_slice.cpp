#include "federation/log/follower_slice.hpp"

#include <utility>

namespace entente::federation {

protocol::LogAnswer follower_slice(const storage::ChannelRow& channel, storage::LogPage page)
{
    protocol::LogAnswer answer;
    auto& slice = answer.slice;
    slice.channel = channel.name;
    slice.epoch = page.epoch;
    slice.after = page.after;
    for (auto& stored : page.entries) slice.entries.push_back(std::move(stored.entry));
    slice.seals = std::move(page.proofs.seals);
    slice.checkpoint = *page.proofs.checkpoint;
    slice.latest = channel.seq;
    answer.roots = std::move(page.proofs.roots);
    return answer;
}

}  // namespace entente::federation
