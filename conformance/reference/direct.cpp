#include "conformance/reference/direct.hpp"

#include "conformance/reference/names.hpp"
#include "conformance/reference/refused.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::int64_t thirty_days = 30LL * 86'400'000;

bool is_known_type(const std::string& type)
{
    static const std::set<std::string> known = {
        "invite",          "invite.withdraw", "device.message", "device.changed",
        "profile.changed", "report",          "peering"};
    return known.contains(type);
}

nlohmann::json id_or_null(const nlohmann::json& item)
{
    const auto id = id_of_item(item);
    return id.empty() ? nlohmann::json() : nlohmann::json(id);
}

}  // namespace

void Direct::replay(const nlohmann::json& record)
{
    applied_[record.at("key").get<std::string>()] = record.at("event").get<std::string>();
}

nlohmann::json Direct::take(const nlohmann::json& items, const std::string& origin)
{
    auto results = nlohmann::json::array();
    // Sender and receiver of what was deferred: what comes behind it waits too.
    std::set<std::string> waiting;
    for (const auto& item : items) {
        nlohmann::json result = {{"event", id_or_null(item)}};
        try {
            const auto event = read_item(item, EventPlace::direct, flags_);
            const auto pair = event.sender + " " + event.to;
            if (waiting.contains(pair)) {
                result["status"] = "deferred";
                result["retry_after"] = 1;
            } else {
                try {
                    result["status"] = apply(event, origin);
                } catch (const Deferred& deferred) {
                    waiting.insert(pair);
                    result["status"] = "deferred";
                    result["retry_after"] = deferred.retry_after;
                }
            }
        } catch (const Refused& refused) {
            result["status"] = "rejected";
            result["problem"] = problem_of(refused);
        }
        results.push_back(std::move(result));
    }
    return results;
}

const char* Direct::apply(const ReadEvent& event, const std::string& origin)
{
    if (server_of(event.sender) != origin && !flags_.has<"any-direct-sender">())
        throw Refused{"forbidden", "a sender of another server"};
    if (!flags_.has<"direct-age-ignored">()) {
        if (event.at < clock_.now() - thirty_days) throw Refused{"malformed", "too old"};
        check_ahead(event, clock_.now(), flags_);
    }
    if (!is_known_type(event.type)) {
        if (flags_.has<"direct-unknown-refused">()) throw Refused{"malformed", "an unknown type"};
        return "ignored";
    }
    const auto key = origin + " " + event.txn;
    const auto found = applied_.find(key);
    if (found != applied_.end() && !flags_.has<"direct-repeats">()) {
        if (found->second == event.id) return "duplicate";
        throw Refused{"equivocation", "another event has its txn"};
    }
    const nlohmann::json record = {{"is", "direct"}, {"key", key}, {"event", event.id}};
    journal_.append(record);
    replay(record);
    return "accepted";
}

}  // namespace entente::conformance::reference
