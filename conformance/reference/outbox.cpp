#include "conformance/reference/outbox.hpp"

#include <algorithm>

namespace entente::conformance::reference {

void Outbox::replay(const nlohmann::json& record)
{
    const auto channel = record.at("channel").get<std::string>();
    const auto id = record.at("id").get<std::string>();
    if (record.at("is") == "unsent") {
        unsent_[channel].push_back({id, record.at("event").get<std::string>(),
                                    record.at("content").get<std::string>(),
                                    record.at("join").get<bool>()});
        standings_.try_emplace(id, "pending");
        return;
    }
    auto& unsent = unsent_[channel];
    std::erase_if(unsent, [&](const Unsent& one) { return one.id == id; });
    if (unsent.empty()) unsent_.erase(channel);
    standings_[id] = record.at("standing").get<std::string>();
}

void Outbox::add(const std::string& channel, const Unsent& unsent)
{
    const nlohmann::json record = {
        {"is", "unsent"},         {"channel", channel},        {"id", unsent.id},
        {"event", unsent.octets}, {"content", unsent.content}, {"join", unsent.is_join}};
    if (!flags_.has<"volatile-submissions">() || unsent.is_join) journal_.append(record);
    replay(record);
}

void Outbox::settle(const std::string& channel, const std::string& id, const std::string& standing)
{
    const nlohmann::json record = {
        {"is", "settled"}, {"channel", channel}, {"id", id}, {"standing", standing}};
    journal_.append(record);
    replay(record);
}

const std::deque<Unsent>& Outbox::of(const std::string& channel) const
{
    static const std::deque<Unsent> nothing;
    const auto found = unsent_.find(channel);
    return found == unsent_.end() ? nothing : found->second;
}

std::vector<std::string> Outbox::channels() const
{
    std::vector<std::string> all;
    for (const auto& [channel, unsent] : unsent_) all.push_back(channel);
    return all;
}

std::string Outbox::standing_of(const std::string& id) const
{
    const auto found = standings_.find(id);
    return found == standings_.end() ? "" : found->second;
}

}  // namespace entente::conformance::reference
