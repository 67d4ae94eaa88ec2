#include "conformance/host/followed_log.hpp"

#include "conformance/wire/events.hpp"

namespace entente::conformance {

namespace {

nlohmann::json problem_of(const std::string& code)
{
    return {{"type", "urn:entente:problem:" + code}, {"status", 400}, {"title", code}};
}

std::string text_at(const nlohmann::json& object, const char* name)
{
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_at(const nlohmann::json& object, const char* name)
{
    const auto found = object.find(name);
    return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

}  // namespace

nlohmann::json FollowedLogs::take(const nlohmann::json& slice)
{
    if (!slice.is_object() || !slice.contains("after") || !slice["after"].is_object() ||
        !slice.contains("entries") || !slice["entries"].is_array())
        return {{"channel", nullptr}, {"status", "refused"}, {"problem", problem_of("malformed")}};
    const auto channel = text_at(slice, "channel");
    auto& log = logs_[channel];
    const auto after = number_at(slice["after"], "seq");
    const auto result = [&](const char* status) {
        return nlohmann::json{{"channel", channel},
                              {"status", status},
                              {"epoch", log.epoch},
                              {"have", log.have},
                              {"hash", log.hash}};
    };
    if (!log.begun) {
        log.begun = true;
        log.have = after;
        log.hash = text_at(slice["after"], "hash");
    }
    if (after > log.have) return result("gap");
    const auto epoch = std::max<std::uint64_t>(number_at(slice, "epoch"), 1);
    auto seq = after;
    auto hash = text_at(slice["after"], "hash");
    for (const auto& entry : slice["entries"]) {
        if (!entry.is_object()) break;
        const auto event = text_at(entry, "event");
        const auto at = entry.value("at", std::int64_t{0});
        hash = entry_hash(channel, epoch, ++seq, at, hash, event_id(event));
        if (seq <= log.have) continue;
        log.entries.push_back({seq, event, text_at(entry, "content"), hash});
        log.have = seq;
        log.hash = hash;
        log.epoch = epoch;
    }
    return result("ok");
}

const std::vector<HeldEntry>& FollowedLogs::of(const std::string& channel) const
{
    static const std::vector<HeldEntry> nothing;
    const auto found = logs_.find(channel);
    return found == logs_.end() ? nothing : found->second.entries;
}

std::uint64_t FollowedLogs::have(const std::string& channel) const
{
    const auto found = logs_.find(channel);
    return found == logs_.end() ? 0 : found->second.have;
}

}  // namespace entente::conformance
